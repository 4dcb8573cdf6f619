/** The issuer's public keys: fetched once, kept, and looked at again beside requests. */

import { fetchJson } from "./documents.js";
import { isKid } from "./jwt.js";

// What the service says of itself; within bounds, so that neither a mistake there makes
// a request of every token nor a withdrawn key is trusted for long.
const FRESH_MS = 300_000;
const LEAST_MS = 60_000;
const MOST_MS = 3_600_000;
// Looked at again before that, so that no request waits for it.
const RENEW_AT = 0.8;
// Through an outage of the service its tokens of ten minutes matter less and less.
const STALE_MS = 86_400_000;
// Tokens with invented names must not become requests to the issuer.
const UNKNOWN_MS = 30_000;
const FIRST_RETRY_MS = 1_000;
const RETRY_MS = 5_000;
const MAX_KEYS = 32;
const RSA_BITS = 2048;

const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const RSA = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const EDDSA = { name: "Ed25519" };

/**
 * @typedef {typeof ECDSA | typeof RSA | typeof EDDSA} Algorithm
 * @typedef {{ key: CryptoKey, alg: string, algorithm: Algorithm }} VerifyKey
 */

/** The keys cannot be had right now; no token was looked at. */
export class KeysUnavailable extends Error {}

/**
 * @param {{ url: string, fetch: typeof globalThis.fetch, now: () => number }} options
 *   `now`: milliseconds of a clock that is not set.
 */
export function createKeys({ url, fetch, now }) {
  /** @type {Map<string, VerifyKey>} */
  let keys = new Map();
  // When to ask again, until when nobody need wait for it, until when in any case.
  let due = -Infinity;
  let freshUntil = -Infinity;
  let staleUntil = -Infinity;
  let unknownDue = -Infinity;
  /** @type {Promise<void> | null} */
  let flight = null;
  /** @type {Promise<void> | null} The one that an unknown name's request waits for. */
  let awaited = null;

  async function load() {
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetchJson(fetch, url, { headers });
      keys = await importAll(answer.body);
      const age = maxAge(answer.headers.get("Cache-Control"));
      due = now() + age * RENEW_AT;
      freshUntil = now() + age;
      staleUntil = now() + STALE_MS;
    } catch (cause) {
      // It was asked: those that come now need not wait for the next attempt.
      due = now() + (keys.size ? RETRY_MS : FIRST_RETRY_MS);
      freshUntil = staleUntil;
      throw new KeysUnavailable(`no keys from ${url}`, { cause });
    }
  }

  function refresh() {
    flight ??= load().finally(() => {
      flight = null;
    });
    return flight;
  }

  /** @param {Promise<void>} loading */
  const quietly = (loading) => loading.catch(() => {});

  /**
   * Return the key of that name, or undefined. Throws KeysUnavailable.
   *
   * @param {string} kid
   */
  return async function find(kid) {
    const loading = flight ?? (now() >= due ? refresh() : null);
    // A failure matters to those alone who have no keys.
    if (loading) void quietly(loading);
    if (loading && now() >= freshUntil) await quietly(loading);
    if (!keys.size || now() >= staleUntil) {
      throw new KeysUnavailable(`no keys from ${url}`);
    }
    if (keys.has(kid)) return keys.get(kid);
    if (!flight && now() >= unknownDue) {
      unknownDue = now() + UNKNOWN_MS;
      void quietly(refresh());
    }
    // One waits: invented names must not hold every request while the issuer is slow.
    if (flight && flight !== awaited) {
      awaited = flight;
      await quietly(flight);
    }
    return keys.get(kid);
  };
}

/** @param {string | null} cacheControl */
function maxAge(cacheControl) {
  const found = /(?:^|[\s,])max-age=(\d{1,9})/.exec(cacheControl ?? "");
  const age = found ? Number(found[1]) * 1000 : FRESH_MS;
  return Math.min(Math.max(age, LEAST_MS), MOST_MS);
}

/** @param {any} body */
async function importAll(body) {
  if (!Array.isArray(body?.keys)) throw new TypeError("not a JWK Set");
  /** @type {Map<string, VerifyKey>} */
  const keys = new Map();
  for (const jwk of body.keys.slice(0, MAX_KEYS)) {
    const key = await importKey(jwk).catch(() => null);
    if (key && !keys.has(jwk.kid)) keys.set(jwk.kid, key);
  }
  if (!keys.size) throw new TypeError("no usable keys");
  return keys;
}

/**
 * Import a public key that signs; null for any other.
 *
 * @param {any} jwk
 * @returns {Promise<VerifyKey | null>}
 */
async function importKey(jwk) {
  if (!isKid(jwk?.kid) || (jwk.use ?? "sig") !== "sig" || "d" in jwk) return null;
  const { kty, crv, x, y, n, e } = jwk;
  const algorithm = algorithmOf(jwk);
  if (!algorithm) return null;
  const alg = { ECDSA: "ES256", Ed25519: "EdDSA", [RSA.name]: "RS256" }[algorithm.name];
  // RFC 9864 gives EdDSA with this curve a name of its own.
  const names = alg === "EdDSA" ? [alg, "Ed25519"] : [alg];
  const named = jwk.alg ?? alg;
  if (!names.includes(named)) return null;
  const data = { kty, crv, x, y, n, e };
  const key = await crypto.subtle.importKey("jwk", data, algorithm, false, ["verify"]);
  const bits = /** @type {any} */ (key.algorithm).modulusLength ?? RSA_BITS;
  return bits >= RSA_BITS ? { key, alg: named, algorithm } : null;
}

/** @param {{ kty?: unknown, crv?: unknown }} jwk */
function algorithmOf({ kty, crv }) {
  if (kty === "EC" && crv === "P-256") return ECDSA;
  if (kty === "OKP" && crv === "Ed25519") return EDDSA;
  return kty === "RSA" ? RSA : null;
}
