/** `fetch` with the person's token, for the hosts that may see it and for no other. */

// A token refused right after it was made is not too old: a new one would not help.
const YOUNG_MS = 5_000;

/**
 * @param {{ session: ReturnType<typeof import("./session.js").createSession>,
 *   holder: import("./session.js").Holder, fetch: typeof fetch,
 *   origins: ReadonlySet<string>, now: () => number }} options
 * @returns {typeof fetch}
 */
export function createFetch({ session, holder, fetch, origins, now }) {
  return async (input, init) => {
    const url = urlOf(input);
    if (!url || !origins.has(url.origin) || hasAuthorization(input, init)) {
      return fetch(input, init);
    }
    const token = await session.accessToken();
    if (!token) return fetch(input, init);
    // A second copy must be made before the first is sent.
    const again = copy(input, init);
    const response = await fetch(...withToken(input, init, token));
    if (response.status !== 401 || !again || isYoung(token)) return response;
    const tokens = await session.renew(token).catch(() => null);
    if (!tokens || tokens.access === token) return response;
    await response.body?.cancel();
    return fetch(...withToken(again.input, init, tokens.access));
  };

  /** @param {string} token */
  function isYoung(token) {
    const held = holder.last;
    return held?.access === token && now() - held.obtainedAt < YOUNG_MS;
  }
}

/** @param {RequestInfo | URL} input */
function urlOf(input) {
  try {
    const text = input instanceof Request ? input.url : String(input);
    return new URL(text, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch {
    return null; // fetch itself says what is wrong with it.
  }
}

/**
 * @param {RequestInfo | URL} input
 * @param {RequestInit | undefined} init
 */
function hasAuthorization(input, init) {
  const headers =
    init?.headers ?? (input instanceof Request ? input.headers : undefined);
  return new Headers(headers).has("Authorization");
}

/**
 * @param {RequestInfo | URL} input
 * @param {RequestInit | undefined} init
 * @param {string} token
 * @returns {[RequestInfo | URL, RequestInit]}
 */
function withToken(input, init, token) {
  const request = input instanceof Request ? input : null;
  const headers = new Headers(init?.headers ?? request?.headers);
  headers.set("Authorization", `Bearer ${token}`);
  // Older browsers carry the header to wherever a redirect leads.
  const redirect = init?.redirect ?? "error";
  return [input, { ...init, headers, redirect }];
}

/**
 * Return what can be sent again, or null for a body that flows only once.
 *
 * @param {RequestInfo | URL} input
 * @param {RequestInit | undefined} init
 */
function copy(input, init) {
  const body = init?.body;
  if (body instanceof ReadableStream) return null;
  if (typeof body === "object" && body && Symbol.asyncIterator in body) return null;
  const sendsItsOwn = input instanceof Request && input.body && body == null;
  return { input: sendsItsOwn ? input.clone() : input };
}
