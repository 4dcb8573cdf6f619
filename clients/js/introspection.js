/** The live truth about a token (RFC 7662), kept for some seconds. */

import { fetchJson } from "./requests.js";

const MAX_ANSWERS = 10_000;

/**
 * Return `ask(token)`, which answers with what the service says: `{ active, ... }`.
 * Throws where it cannot be asked, or does not know these credentials.
 *
 * @param {{ url: string, clientId: string, clientSecret: string, cacheSeconds: number,
 *   fetch: typeof globalThis.fetch, now: () => number }} options
 */
export function createIntrospection(options) {
  const { url, clientId, clientSecret, cacheSeconds, fetch, now } = options;
  // RFC 6749 2.3.1: both are form-encoded first.
  const encoded = [clientId, clientSecret].map((it) => formEncoded(it)).join(":");
  const headers = {
    Accept: "application/json",
    Authorization: `Basic ${btoa(encoded)}`,
    "Content-Type": "application/x-www-form-urlencoded",
  };
  /** @type {Map<string, { until: number, answer: Promise<any> }>} */
  const answers = new Map();

  /** @param {string} token */
  async function ask(token) {
    const body = new URLSearchParams({ token }).toString();
    const init = { method: "POST", headers, body };
    const answer = (await fetchJson(fetch, url, init)).body;
    if (typeof answer?.active !== "boolean") throw new Error(`${url} makes no sense`);
    return answer;
  }

  /**
   * @param {string} token
   * @returns {Promise<any>}
   */
  return function introspect(token) {
    const known = answers.get(token);
    if (known && now() < known.until) return known.answer;
    answers.delete(token);
    const answer = ask(token);
    // Also those who ask meanwhile share it. The first in are the first to go.
    answers.set(token, { until: now() + cacheSeconds * 1000, answer });
    answer.catch(() => answers.delete(token));
    const first = answers.keys().next().value;
    if (answers.size > MAX_ANSWERS && first !== undefined) answers.delete(first);
    return answer;
  };
}

/** @param {string} text */
const formEncoded = (text) => new URLSearchParams({ "": text }).toString().slice(1);
