/** Compact JWTs, read as strictly as RFC 7515 lets us. */

// Ours are under 1 KiB; what is longer costs whoever checks it for nothing.
const TOKEN_CHARACTERS = 8_192;
const PART = /^[A-Za-z0-9_-]+$/;
const KID = /^[A-Za-z0-9_-]{1,64}$/;

// Keys come from our issuer, never from the token; nothing of ours is critical.
const REFUSED = ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"];

// JSON.parse makes 1.0 the same as 1, and no token of ours has such times; nor does it
// have ASCII letters written as escapes, which would hide them.
const FRACTION = /"(?:exp|iat|nbf|auth_time)"\s*:\s*-?\d+[.eE]|\\u00[2-7]/;

/**
 * @typedef {Record<string, unknown>} Members
 * @typedef {Uint8Array<ArrayBuffer>} Bytes
 * @typedef {{ header: Members, claims: Members, kid: string, signed: Bytes,
 *   signature: Bytes }} Parsed
 */

/**
 * Take a token apart, or return null for what is none. Nothing is checked yet.
 *
 * @param {unknown} token
 * @returns {Parsed | null}
 */
export function parseToken(token) {
  if (typeof token !== "string" || token.length > TOKEN_CHARACTERS) return null;
  const parts = token.split(".");
  if (parts.length !== 3) return null;
  const [head, body, signature] = parts.map(decode);
  const header = head && object(head);
  const claims = body && object(body);
  if (!header || !claims || !signature) return null;
  if (REFUSED.some((name) => name in header)) return null;
  const { kid } = header;
  if (typeof kid !== "string" || !KID.test(kid)) return null;
  const signed = new TextEncoder().encode(`${parts[0]}.${parts[1]}`);
  return { header, claims, kid, signed, signature };
}

/** @param {unknown} kid */
export const isKid = (kid) => typeof kid === "string" && KID.test(kid);

/**
 * Decode canonical base64url: no padding, no white space, no stray bits at the end, so
 * that a token has one spelling.
 *
 * @param {string} text
 */
function decode(text) {
  if (!PART.test(text) || text.length % 4 === 1) return null;
  const bytes = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  if (encode(bytes) !== text) return null;
  return Uint8Array.from(bytes, (it) => it.charCodeAt(0));
}

/** @param {string} bytes */
const encode = (bytes) =>
  btoa(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/**
 * @param {Uint8Array} bytes
 * @returns {Record<string, unknown> | null}
 */
function object(bytes) {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const text = decoder.decode(bytes);
    if (FRACTION.test(text)) return null;
    const value = JSON.parse(text);
    const plain = typeof value === "object" && value !== null && !Array.isArray(value);
    return plain ? value : null;
  } catch {
    return null;
  }
}
