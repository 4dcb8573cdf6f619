/** What goes wrong between a page and the service. */

/** The service said no. `code` is for programs, `message` for the log. */
export class AuthError extends Error {
  /**
   * @param {string} code
   * @param {{ status?: number, message?: string, retryAfter?: number | null,
   *   attemptsLeft?: number | null, next?: import("./index.js").Next | null,
   *   requestId?: string | null, limit?: string | null,
   *   fields?: import("./index.js").FieldError[],
   *   challenge?: import("./index.js").Challenge | null }} [details]
   */
  constructor(code, details = {}) {
    super(details.message ? `${code}: ${details.message}` : code);
    this.name = "AuthError";
    this.code = code;
    this.status = details.status ?? 0;
    this.retryAfter = details.retryAfter ?? null;
    this.attemptsLeft = details.attemptsLeft ?? null;
    this.next = details.next ?? null;
    this.requestId = details.requestId ?? null;
    this.limit = details.limit ?? null;
    this.fields = details.fields ?? [];
    this.challenge = details.challenge ?? null;
  }
}

/** No answer came: offline, blocked by CORS, or too slow (`timedOut`). */
export class NetworkError extends Error {
  /** @param {unknown} cause */
  constructor(cause) {
    const timedOut = cause instanceof Error && cause.name === "TimeoutError";
    // A browser does not say which it was.
    const why = "offline, blocked, or this origin is not in STOREFRONT_ORIGINS";
    super(timedOut ? "no answer in time" : `no answer: ${why}`, { cause });
    this.name = "NetworkError";
    this.timedOut = timedOut;
  }
}
