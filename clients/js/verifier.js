/** For services: check the service's tokens, offline by its public keys, or live. */

import { checkedUrl } from "./documents.js";
import { InvalidCredentials, createIntrospection } from "./introspection.js";
import { parseToken } from "./jwt.js";
import { createKeys } from "./keys.js";

// RFC 7519 4.1.4: a little skew between machines is normal.
const LEEWAY_SECONDS = 30;

const ACCESS = "at+jwt";
const RECEIPT = "verification+jwt";

/** @type {Record<import("./verifier.js").TokenErrorCode, number>} */
const STATUS = {
  invalid_token: 401,
  fresh_login_required: 401,
  insufficient_role: 403,
  insufficient_scope: 403,
  auth_unavailable: 503,
};

/**
 * Why a request is refused: `status` 401 (who are you?), 403 (not you) or 503 (nobody
 * can tell now), and the headers that belong to the answer. `reason` and `cause` are for
 * your logs.
 */
export class TokenError extends Error {
  /**
   * @param {import("./verifier.js").TokenErrorCode} code
   * @param {{ cause?: unknown, challenge?: string, reason?: string }} [details]
   */
  constructor(code, details = {}) {
    const { cause, challenge = `Bearer error="${code}"`, reason = code } = details;
    super(code, { cause });
    this.name = "TokenError";
    this.code = code;
    this.reason = reason;
    this.status = STATUS[code];
    /** @type {Record<string, string>} */
    this.headers =
      this.status === 503 ? { "Retry-After": "1" } : { "WWW-Authenticate": challenge };
  }
}

/**
 * @param {import("./verifier.js").VerifierOptions} options
 * @returns {import("./verifier.js").Verifier}
 */
export function createVerifier(options) {
  const { issuer, audience, introspection, now = Date.now } = options;
  if (!issuer || !audience) throw new TypeError("issuer and audience are needed");
  const base = checkedUrl(options.baseUrl ?? issuer, options.allowHttp ?? false);
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
    if (!parsed) return bad("malformed");
    if (parsed.header.typ !== kind) return bad("type");
    const { header, claims, kid, signed, signature } = parsed;
    const key = await find(kid).catch((cause) => {
      throw new TokenError("auth_unavailable", { cause, reason: "keys" });
    });
    if (!key) return bad("unknown key");
    const { algorithm } = key;
    const good =
      header.alg === key.alg &&
      (await crypto.subtle.verify(algorithm, key.key, signature, signed));
    if (!good) bad("signature");
    if (claims.iss !== issuer) bad("issuer");
    // Of text alone: a list would be for others, too (RFC 8725 3.9).
    if (claims.aud !== wanted) bad("audience");
    checkTimes(claims, now() / 1000);
    return claims;
  }

  /** @type {import("./verifier.js").Verifier["verify"]} */
  async function verify(token, wanted = {}) {
    const claims = await check(token, ACCESS, audience);
    const identity = identityOf(claims, wanted.allowService ?? false);
    if (wanted.live) identity.roles = (await alive(token, identity)) ?? identity.roles;
    hold(identity, wanted);
    return identity;
  }

  /**
   * @param {import("./verifier.js").Identity} identity
   * @param {import("./verifier.js").Wanted} wanted
   */
  function hold(identity, { role, scope, maxAgeSeconds }) {
    if (scope !== undefined && !identity.scopes.includes(scope)) {
      const challenge = `Bearer error="insufficient_scope", scope="${scope}"`;
      throw new TokenError("insufficient_scope", { challenge });
    }
    if (role !== undefined && !identity.roles.includes(role)) {
      // RFC 6750 has no word of its own for roles.
      const challenge = 'Bearer error="insufficient_scope"';
      throw new TokenError("insufficient_role", { challenge });
    }
    const age = now() / 1000 - identity.authTime;
    if (maxAgeSeconds !== undefined && age > maxAgeSeconds) {
      // RFC 9470 3.
      const challenge =
        'Bearer error="insufficient_user_authentication", ' +
        `error_description="A fresh login is needed", max_age="${maxAgeSeconds}"`;
      throw new TokenError("fresh_login_required", { challenge });
    }
  }

  /**
   * Return the roles of now, where the service says.
   *
   * @param {string} token
   * @param {import("./verifier.js").Identity} identity
   * @returns {Promise<string[] | null>}
   */
  async function alive(token, identity) {
    const answer = await introspect(token).catch((error) => {
      const goesOn = introspection?.onFailure === "accept_offline";
      if (goesOn && error.reason === "introspection") return null;
      throw error;
    });
    if (answer === null) return null;
    if (!answer.active || answer.sub !== identity.subject) bad("inactive");
    return /** @type {string[] | undefined} */ (answer.roles) ?? null;
  }

  /** @type {import("./verifier.js").Verifier["introspect"]} */
  async function introspect(token) {
    if (!ask) throw new TypeError("live checks need introspection");
    try {
      return await ask(token);
    } catch (cause) {
      const refused = cause instanceof InvalidCredentials;
      const reason = refused ? "credentials" : "introspection";
      throw new TokenError("auth_unavailable", { cause, reason });
    }
  }

  /** @type {import("./verifier.js").Verifier["verifyReceipt"]} */
  async function verifyReceipt(token, { phone, maxAgeSeconds } = {}) {
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
    if (claims.phone_number_verified !== true) bad("claims");
    // What the person agreed to: no login, no change of number.
    if (receipt.purpose !== "verify") bad("purpose");
    if (phone !== undefined && receipt.phone !== phone) bad("phone");
    const age = now() / 1000 - receipt.verifiedAt;
    if (maxAgeSeconds !== undefined && age > maxAgeSeconds) bad("age");
    return receipt;
  }

  return {
    verify,
    verifyReceipt,
    introspect,
    async authorize(request, wanted) {
      const token = bearerOf(request);
      // RFC 6750 3.1: no error where nothing was tried.
      const nothing = { challenge: "Bearer", reason: "missing" };
      if (!token) throw new TokenError("invalid_token", nothing);
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
 * @returns {import("./verifier.js").Identity}
 */
function identityOf(claims, allowService) {
  // A person's token belongs to a session; a service's is about the client itself.
  const isService = !("sid" in claims);
  const subject = text(claims.sub);
  const clientId = text(claims.client_id);
  if (isService && !(allowService && subject === clientId)) bad("service");
  const phone = claims.phone_number_verified === true ? claims.phone_number : undefined;
  return {
    subject,
    clientId,
    isService,
    sessionId: isService ? null : text(claims.sid),
    roles: texts(claims.roles),
    scopes: maybe(claims.scope).split(" ").filter(Boolean),
    amr: texts(claims.amr),
    acr: maybe(claims.acr),
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
function checkTimes({ exp, iat, nbf = iat }, at) {
  const begins = Math.max(time(iat), time(nbf));
  if (time(exp) + LEEWAY_SECONDS <= at) bad("expired");
  if (begins - LEEWAY_SECONDS > at) bad("not yet valid");
}

/**
 * @param {string} reason
 * @returns {never}
 */
function bad(reason) {
  throw new TokenError("invalid_token", { reason });
}

/** @param {unknown} value */
const text = (value) => (typeof value === "string" && value !== "" ? value : bad("claims"));
/** @param {unknown} value */
const maybe = (value = "") => (typeof value === "string" ? value : bad("claims"));
/** @param {unknown} value */
const time = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : bad("times");
/**
 * @param {unknown} value
 * @returns {string[]}
 */
const texts = (value = []) =>
  Array.isArray(value) && value.every((it) => typeof it === "string") ? value : bad("claims");
