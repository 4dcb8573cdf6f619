/** For services: check the service's tokens, offline by its public keys, or live. */

import { createIntrospection } from "./introspection.js";
import { parseToken } from "./jwt.js";
import { createKeys } from "./keys.js";
import { checkedUrl } from "./requests.js";

// RFC 7519 4.1.4: a little skew between machines is normal.
const LEEWAY_SECONDS = 30;

const ACCESS = "at+jwt";
const RECEIPT = "verification+jwt";

/**
 * Why a request is refused: `status` 401 (who are you?), 403 (not you) or 503 (nobody
 * can tell now), and the headers that belong to the answer.
 */
export class TokenError extends Error {
  /**
   * @param {import("./verifier.js").TokenErrorCode} code
   * @param {{ cause?: unknown, scope?: string }} [details]
   */
  constructor(code, { cause, scope } = {}) {
    super(code, { cause });
    this.name = "TokenError";
    this.code = code;
    this.status =
      code === "insufficient_scope" ? 403 : code === "unavailable" ? 503 : 401;
    this.headers = headersOf(code, scope);
  }
}

/**
 * Without credentials no error is named (RFC 6750 3.1); a login that is too old has its
 * name from RFC 9470.
 *
 * @param {import("./verifier.js").TokenErrorCode} code
 * @param {string} [scope]
 * @returns {Record<string, string>}
 */
function headersOf(code, scope) {
  if (code === "unavailable") return { "Retry-After": "1" };
  if (code === "missing_token") return { "WWW-Authenticate": "Bearer" };
  const name =
    code === "fresh_login_required" ? "insufficient_user_authentication" : code;
  const wanted = scope ? `, scope="${scope}"` : "";
  return { "WWW-Authenticate": `Bearer error="${name}"${wanted}` };
}

/**
 * @param {import("./verifier.js").VerifierOptions} options
 * @returns {import("./verifier.js").Verifier}
 */
export function createVerifier(options) {
  const { issuer, audience, introspection, now = Date.now } = options;
  if (!issuer || !audience) throw new TypeError("issuer and audience are needed");
  const base = checkedUrl(options.baseUrl ?? issuer);
  const fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  // What is kept is kept by a clock that nobody sets; tests move both.
  const elapsed = options.now ?? (() => performance.now());
  const url = `${base}/.well-known/jwks.json`;
  const find = createKeys({ url, fetch, now: elapsed });
  const ask =
    introspection &&
    createIntrospection({
      url: `${base}/api/token/introspect`,
      cacheSeconds: 5,
      fetch,
      now: elapsed,
      ...introspection,
    });

  /**
   * Return the claims of a good token of this kind.
   *
   * @param {string} token
   * @param {string} kind
   * @param {string} wanted
   */
  async function check(token, kind, wanted) {
    const parsed = parseToken(token);
    // Before the keys are asked for: junk must not become a request.
    if (!parsed || parsed.header.typ !== kind) throw new TokenError("invalid_token");
    const { header, claims, kid, signed, signature } = parsed;
    const key = await find(kid).catch((cause) => {
      throw new TokenError("unavailable", { cause });
    });
    const good =
      key !== undefined &&
      header.alg === key.alg &&
      (await crypto.subtle.verify(key.algorithm, key.key, signature, signed)) &&
      claims.iss === issuer &&
      // Of text alone: a list would be for others, too (RFC 8725 3.9).
      claims.aud === wanted &&
      isNow(claims, now() / 1000);
    if (!good) throw new TokenError("invalid_token");
    return claims;
  }

  /** @type {import("./verifier.js").Verifier["verify"]} */
  async function verify(token, wanted = {}) {
    const { role, scope, freshWithin, live = false, allowService = false } = wanted;
    const claims = await check(token, ACCESS, audience);
    const person = personOf(claims, allowService);
    if (live) person.roles = (await alive(token, person)) ?? person.roles;
    if (role !== undefined && !person.roles.includes(role)) {
      throw new TokenError("insufficient_scope");
    }
    if (scope !== undefined && !person.scopes.includes(scope)) {
      throw new TokenError("insufficient_scope", { scope });
    }
    if (freshWithin !== undefined && now() / 1000 - person.authTime > freshWithin) {
      throw new TokenError("fresh_login_required");
    }
    return person;
  }

  /**
   * Return the roles of now, where the service says.
   *
   * @param {string} token
   * @param {import("./verifier.js").Person} person
   */
  async function alive(token, person) {
    const answer = await introspect(token);
    if (!answer.active || answer.sub !== person.subject) bad();
    return answer.roles === undefined ? null : texts(answer.roles);
  }

  /** @type {import("./verifier.js").Verifier["introspect"]} */
  async function introspect(token) {
    if (!ask) throw new TypeError("live checks need introspection");
    try {
      return await ask(token);
    } catch (cause) {
      throw new TokenError("unavailable", { cause });
    }
  }

  /** @type {import("./verifier.js").Verifier["verifyReceipt"]} */
  async function verifyReceipt(token, { phone, maxAge } = {}) {
    const claims = await check(token, RECEIPT, `${audience}/verification`);
    const receipt = {
      subject: text(claims.sub),
      phone: text(claims.phone_number),
      purpose: text(claims.purpose),
      clientId: text(claims.client_id),
      verifiedAt: time(claims.auth_time),
      expiresAt: time(claims.exp),
      claims,
    };
    const good =
      claims.phone_number_verified === true &&
      (phone === undefined || receipt.phone === phone) &&
      (maxAge === undefined || now() / 1000 - receipt.verifiedAt <= maxAge);
    return good ? receipt : bad();
  }

  return {
    verify,
    verifyReceipt,
    introspect,
    async authorize(request, wanted) {
      const token = bearerOf(request);
      if (!token) throw new TokenError("missing_token");
      return verify(token, wanted);
    },
  };
}

/**
 * Return the token of an `Authorization: Bearer` header (RFC 6750 2.1), or null.
 *
 * @param {import("./verifier.js").HasHeaders} request
 */
function bearerOf({ headers }) {
  const line =
    headers instanceof Headers ? headers.get("authorization") : headers.authorization;
  const match = typeof line === "string" ? /^Bearer +([^ ]+)$/i.exec(line) : null;
  return match?.[1] ?? null;
}

/**
 * @param {Record<string, unknown>} claims
 * @param {boolean} allowService
 * @returns {import("./verifier.js").Person}
 */
function personOf(claims, allowService) {
  // A person's token belongs to a session; a service's is about the client itself.
  const isService = !("sid" in claims);
  const subject = text(claims.sub);
  const clientId = text(claims.client_id);
  if (isService && !(allowService && subject === clientId)) bad();
  const phone = claims.phone_number_verified === true ? claims.phone_number : undefined;
  return {
    subject,
    clientId,
    isService,
    sessionId: isService ? null : text(claims.sid),
    roles: texts(claims.roles ?? []),
    scopes: claims.scope ? text(claims.scope).split(" ").filter(Boolean) : [],
    amr: texts(claims.amr ?? []),
    authTime: isService ? 0 : time(claims.auth_time),
    issuedAt: time(claims.iat),
    expiresAt: time(claims.exp),
    phone: phone === undefined ? null : text(phone),
    claims,
  };
}

/**
 * @param {Record<string, unknown>} claims
 * @param {number} at
 */
function isNow({ exp, iat, nbf = iat }, at) {
  const begins = Math.max(time(iat), time(nbf));
  return time(exp) + LEEWAY_SECONDS > at && begins - LEEWAY_SECONDS <= at;
}

/** @returns {never} */
function bad() {
  throw new TokenError("invalid_token");
}

/** @param {unknown} value */
const text = (value) => (typeof value === "string" && value !== "" ? value : bad());
/** @param {unknown} value */
const time = (value) => (Number.isSafeInteger(value) ? Number(value) : bad());
/**
 * @param {unknown} value
 * @returns {string[]}
 */
const texts = (value) =>
  Array.isArray(value) && value.every((it) => typeof it === "string") ? value : bad();
