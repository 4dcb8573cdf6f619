/** One request to the service: JSON or a form out, camelCase JSON or an error back. */

import { within } from "./deadline.js";
import { AuthError, NetworkError } from "./errors.js";

// The service gives itself 8 s to find a provider; the rest is the way there and back.
const ANSWER_MS = 15_000;

/**
 * @typedef {{ method?: string, json?: object, form?: Record<string, string>,
 *   bearer?: string, timeout?: number }} Call
 */

/**
 * Return `call(path, options)`. Throws AuthError for what the service refuses and
 * NetworkError where no answer comes.
 *
 * @param {{ baseUrl: string, fetch: typeof fetch, cookies: boolean }} options
 */
export function createCaller({ baseUrl, fetch, cookies }) {
  const root = baseUrl.replace(/\/+$/, "");

  /**
   * @param {string} path
   * @param {Call} [call]
   * @returns {Promise<any>}
   */
  return async function call(
    path,
    { method = "POST", json, form, bearer, timeout } = {},
  ) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (json) headers["Content-Type"] = "application/json";
    if (form) headers["Content-Type"] = "application/x-www-form-urlencoded";
    if (bearer) headers.Authorization = `Bearer ${bearer}`;
    // What the service asks of whoever uses its cookie; no foreign page can send it.
    if (cookies && method !== "GET") headers["X-Requested-With"] = "QuickCart";
    let response, text;
    try {
      ({ response, text } = await within(timeout ?? ANSWER_MS, async (signal) => {
        const response = await fetch(root + path, {
          method,
          headers,
          body: json
            ? JSON.stringify(json)
            : form && new URLSearchParams(form).toString(),
          credentials: cookies ? "include" : "omit",
          cache: "no-store",
          redirect: "error",
          signal,
        });
        return { response, text: await response.text() };
      }));
    } catch (cause) {
      throw new NetworkError(cause);
    }
    const body = parse(text);
    if (!response.ok) throw refusal(response, body);
    if (body === undefined && response.status !== 204) {
      throw new AuthError("unexpected_answer", { status: response.status });
    }
    return camelCase(body ?? {});
  };
}

/**
 * @param {Response} response
 * @param {any} body
 */
function refusal(response, body) {
  const problem = isObject(body) ? /** @type {any} */ (camelCase(body)) : {};
  // The OAuth routes speak of `error`, all others of `code`.
  const code = text(problem.code) ?? text(problem.error) ?? "unexpected_answer";
  return new AuthError(code, {
    status: response.status,
    message: text(problem.detail) ?? text(problem.title) ?? response.statusText,
    retryAfter:
      number(problem.retryAfter) ?? seconds(response.headers.get("Retry-After")),
    attemptsLeft: number(problem.attemptsLeft),
    next: isObject(problem.next) ? problem.next : null,
    requestId: text(problem.requestId) ?? response.headers.get("X-Request-Id"),
    limit: text(problem.limit),
    fields: Array.isArray(problem.errors) ? problem.errors : [],
    // As it came: it is signed, down to the names in it.
    challenge: isObject(body) && isObject(body.challenge) ? body.challenge : null,
  });
}

/** @param {string} body */
function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** @param {unknown} value */
const isObject = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** @param {unknown} value */
const text = (value) => (typeof value === "string" ? value : null);
/** @param {unknown} value */
const number = (value) => (typeof value === "number" ? value : null);
/** @param {string | null} value */
const seconds = (value) => (value && /^\d+$/.test(value) ? Number(value) : null);

/**
 * @param {unknown} value
 * @returns {unknown}
 */
function camelCase(value) {
  if (Array.isArray(value)) return value.map(camelCase);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(/** @type {object} */ (value)).map(([name, inner]) => [
      name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase()),
      camelCase(inner),
    ]),
  );
}
