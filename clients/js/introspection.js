/** The live truth about a token (RFC 7662), kept for some seconds. */

import { OddStatus, fetchJson } from "./documents.js";

const MAX_ANSWERS = 10_000;
// With the service gone, not every request should wait for its 2 s.
const PAUSE_MS = 1_000;

/** The service answers, and refuses the client: its id, its secret or its scope. */
export class InvalidCredentials extends Error {}

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
  let resumes = -Infinity;
  /** @type {unknown} */
  let failure;

  /** @param {string} token */
  async function ask(token) {
    if (now() < resumes) throw failure;
    const form = { token, token_type_hint: "access_token" };
    const body = new URLSearchParams(form).toString();
    const init = { method: "POST", headers, body };
    try {
      const answer = (await fetchJson(fetch, url, init)).body;
      if (!isAnswer(answer)) throw new Error(`${url} makes no sense`);
      return answer;
    } catch (cause) {
      resumes = now() + PAUSE_MS;
      // RFC 6749 5.2, RFC 6750 3.1. No outage: it stays so until somebody mends it.
      const refused = cause instanceof OddStatus && [401, 403].includes(cause.status);
      const why = `${url} refuses ${clientId}: its secret, its end or its scope`;
      failure = refused ? new InvalidCredentials(why, { cause }) : cause;
      throw failure;
    }
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

/** @param {any} answer */
function isAnswer(answer) {
  const { active, sub, roles } = answer ?? {};
  const isList = Array.isArray(roles) && roles.every((it) => typeof it === "string");
  return (
    typeof active === "boolean" &&
    (sub == null || typeof sub === "string") &&
    (roles == null || isList)
  );
}

/** @param {string} text */
const formEncoded = (text) => new URLSearchParams({ "": text }).toString().slice(1);
