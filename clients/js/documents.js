/** One small JSON document from the issuer: bounded in size and time, no redirects. */

import { within } from "./deadline.js";

const ANSWER_MS = 2_000;
const ANSWER_BYTES = 65_536;

/** An answer of another status than 200. */
export class OddStatus extends Error {
  /**
   * @param {string} url
   * @param {number} status
   */
  constructor(url, status) {
    super(`${url} answered ${status}`);
    this.status = status;
  }
}

/**
 * Return the JSON and headers of a 200 answer. Throws for anything else.
 *
 * @param {typeof fetch} fetch
 * @param {string} url
 * @param {RequestInit} [init]
 * @returns {Promise<{ body: any, headers: Headers }>}
 */
export function fetchJson(fetch, url, init) {
  return within(ANSWER_MS, async (signal) => {
    const response = await fetch(url, {
      ...init,
      redirect: "error",
      credentials: "omit",
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new OddStatus(url, response.status);
    }
    const bytes = await bounded(response, signal);
    const body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return { body, headers: response.headers };
  });
}

/**
 * @param {Response} response
 * @param {AbortSignal} signal
 */
async function bounded(response, signal) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = [];
  let size = 0;
  const reader = response.body?.getReader();
  signal.addEventListener("abort", () => reader?.cancel(signal.reason).catch(() => {}));
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) break;
    size += value.length;
    if (size > ANSWER_BYTES) {
      await reader?.cancel();
      throw new Error(`${response.url} answers with more than ${ANSWER_BYTES} bytes`);
    }
    chunks.push(value);
  }
  return new Blob(chunks).arrayBuffer();
}

/**
 * Return the URL without a slash at the end. Throws where keys could be anybody's: http
 * is for this machine, or for a network that is trusted with them.
 *
 * @param {string} text
 * @param {boolean} allowHttp
 */
export function checkedUrl(text, allowHttp) {
  const { protocol, hostname, username, password } = new URL(text);
  const local = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
  const plain = protocol === "http:" && (allowHttp || local);
  if ((protocol !== "https:" && !plain) || username || password) {
    // Without the URL, which may have a password.
    throw new TypeError(`must be an https address without a user: ${hostname}`);
  }
  return text.replace(/\/+$/, "");
}
