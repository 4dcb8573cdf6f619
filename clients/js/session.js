/** Keeps a person logged in: one refresh at a time, in this page and among its tabs. */

import { AuthError, NetworkError } from "./errors.js";
import { pause } from "./locks.js";

// An access token with less life than this is renewed before it is used.
const SPARE_MS = 30_000;

// A refresh whose answer was lost is asked again with the same token. The service gives
// the same successor for 10 s, and takes a later one for a thief's.
const SAME_ANSWER_MS = 9_000;
const ATTEMPT_MS = 4_000;
// Less than a tab may keep the lock.
const EXCHANGE_MS = 10_000;

// A tab that had to wait for the lock hears what the one before it got, which may come
// later than the lock.
const WAITED_MS = 1;
const HEAR_MS = 50;

const NO_COOKIE = {
  status: 400,
  message:
    "the browser kept no cookie of the login: in cookie mode the service is on the same" +
    " site as the page, both by https, and the page's origin in STOREFRONT_ORIGINS",
};

/**
 * @typedef {import("./holder.js").Tokens} Tokens
 * @typedef {ReturnType<typeof import("./holder.js").createHolder>} Holder
 *
 * @param {{ call: ReturnType<typeof import("./caller.js").createCaller>, holder: Holder,
 *   lock: import("./locks.js").Lock, name: string, clientId: string, cookies: boolean,
 *   now: () => number, retryDelays: readonly number[] }} options
 */
export function createSession(options) {
  const { call, holder, lock, name, clientId, cookies, now, retryDelays } = options;
  /** @type {Promise<Tokens | null> | null} */
  let flight = null;
  // Whether the browser keeps the cookie; a login alone does not tell.
  let isKept = true;

  /** @param {Tokens | null | undefined} tokens */
  function left(tokens) {
    // Obtained in the future: the clock was set back, and its word is worth nothing.
    if (!tokens || now() < tokens.obtainedAt) return 0;
    return tokens.expiresAt - now();
  }

  /**
   * Return tokens newer than the access token `seen`, or null when logged out.
   *
   * @param {string | undefined} seen
   */
  function renew(seen) {
    flight ??= exclusively(() => turn(seen)).finally(() => {
      flight = null;
    });
    return flight;
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  function exclusively(work) {
    const asked = performance.now();
    return lock(name, async () => {
      if (performance.now() - asked > WAITED_MS) await pause(HEAR_MS);
      return work();
    });
  }

  /**
   * @param {string | undefined} seen
   * @returns {Promise<Tokens | null>}
   */
  async function turn(seen) {
    const held = await holder.current();
    if (held === null) return null;
    // Another tab has been here.
    if (held && held.access !== seen && left(held) >= SPARE_MS) return held;
    const ends = holder.ends;
    try {
      const tokens = await ask(held);
      isKept = true;
      // Logged out meanwhile; what came then is of the session that ended.
      if (holder.ends !== ends) return (await holder.current()) ?? null;
      await holder.put(tokens, "refresh");
      return tokens;
    } catch (error) {
      if (!isOver(error)) throw error;
      const latest = await holder.current();
      if (latest && latest.refresh !== held?.refresh) return latest;
      await holder.put(null, "ended");
      if (!isKept && isWithoutCookie(error)) throw new AuthError("no_cookie", NO_COOKIE);
      return null;
    }
  }

  /** @param {Tokens | undefined} held */
  async function ask(held) {
    const began = performance.now();
    /** @type {Record<string, string>} */
    const form = { grant_type: "refresh_token" };
    if (held?.refresh) form.refresh_token = held.refresh;
    if (clientId) form.client_id = clientId;
    for (let attempt = 0; ; attempt += 1) {
      const asked = now();
      try {
        const answer = await call("/api/token", { form, timeout: ATTEMPT_MS });
        return tokensOf(answer, asked, held);
      } catch (error) {
        const delay = retryDelays[attempt];
        const spent = performance.now() - began;
        const isLast = delay === undefined || spent + delay > SAME_ANSWER_MS;
        if (isLast || !isLost(error)) throw error;
        await pause(delay);
      }
    }
  }

  /**
   * Life counts from before the question, by this clock alone: no clock of the
   * service's is trusted, and an answer that travelled long is not taken for younger.
   *
   * @param {any} answer
   * @param {number} asked
   * @param {Tokens | null | undefined} before
   * @returns {Tokens}
   */
  function tokensOf(answer, asked, before) {
    const { accessToken, expiresIn, refreshToken = before?.refresh } = answer;
    const good =
      typeof accessToken === "string" &&
      typeof expiresIn === "number" &&
      (cookies || typeof refreshToken === "string");
    if (!good) throw new AuthError("unexpected_answer", { status: 200 });
    return {
      access: accessToken,
      expiresAt: asked + expiresIn * 1000,
      obtainedAt: asked,
      ...(cookies ? {} : { refresh: refreshToken }),
      user: answer.user ?? before?.user ?? null,
    };
  }

  /**
   * Take over the session of a login.
   *
   * @param {any} answer
   * @param {number} asked
   */
  async function begin(answer, asked) {
    const tokens = tokensOf(answer, asked, null);
    isKept = !cookies;
    await holder.put(tokens, "login");
  }

  /** Return an access token that is good for a while, or null when logged out. */
  async function accessToken() {
    const held = await holder.current();
    if (held === null) return null;
    if (held && left(held) >= SPARE_MS) return held.access;
    try {
      return (await renew(held?.access))?.access ?? null;
    } catch (error) {
      // It will do once more; perhaps the network is back next time.
      if (held && left(held) > 0 && isPassing(error)) return held.access;
      throw error;
    }
  }

  /**
   * Do something as the person, and once more with new tokens where those are refused.
   *
   * @template T
   * @param {(bearer: string) => Promise<T>} work
   */
  async function asPerson(work) {
    const token = await accessToken();
    if (!token) throw new AuthError("not_logged_in", { status: 401 });
    try {
      return await work(token);
    } catch (error) {
      if (!isRefused(error)) throw error;
      const tokens = await renew(token);
      if (!tokens) throw error;
      return work(tokens.access);
    }
  }

  /**
   * Call one of the service's own routes as the person.
   *
   * @param {string} path
   * @param {import("./caller.js").Call} [options]
   */
  function callAs(path, options) {
    return asPerson((bearer) => call(path, { ...options, bearer }));
  }

  /**
   * Call a route that wants to see the newest refresh token, too, and gives a new
   * session for it. No tab renews the old one meanwhile.
   *
   * @param {string} path
   * @param {object} fields
   */
  function exchange(path, fields) {
    return asPerson((bearer) =>
      exclusively(async () => {
        const held = await holder.current();
        // In cookie mode the browser shows it.
        const json = { ...fields, refresh_token: held?.refresh };
        const asked = now();
        const answer = await call(path, {
          json,
          bearer: held?.access ?? bearer,
          timeout: EXCHANGE_MS,
        });
        await begin(answer, asked);
        return answer;
      }),
    );
  }

  /** End this session. Whatever token is left, or the cookie, is enough for that. */
  function logout() {
    return ending(() =>
      exclusively(async () => {
        const held = await holder.current();
        if (held === null) return;
        const json = held?.refresh ? { refresh_token: held.refresh } : undefined;
        await call("/api/logout", { bearer: held?.access, json }).catch((error) => {
          if (!isRefused(error)) throw error; // It ended before.
        });
      }),
    );
  }

  /** End all sessions of the person. */
  function logoutAll() {
    return ending(async () => {
      if (await accessToken()) await callAs("/api/logout-all");
    });
  }

  /** @param {() => Promise<void>} work */
  async function ending(work) {
    try {
      await work();
    } catch (error) {
      // Only the service can take its cookie back, so that page stays logged in, and
      // says so. A token this page holds itself it can forget, whatever happens.
      if (!cookies) await holder.put(null, "logout");
      throw error;
    }
    await holder.put(null, "logout");
  }

  /** @param {unknown} error */
  function isOver(error) {
    const isGone = error instanceof AuthError && error.code === "invalid_grant";
    return isGone || isWithoutCookie(error);
  }

  /** @param {unknown} error */
  function isWithoutCookie(error) {
    const fields = cookies && error instanceof AuthError ? error.fields : [];
    return fields.some((it) => it.field === "refresh_token");
  }

  return { accessToken, renew, callAs, exchange, begin, logout, logoutAll };
}

/** @param {unknown} error */
const isRefused = (error) =>
  error instanceof AuthError && error.code === "invalid_token";
/** @param {unknown} error */
const isLost = (error) =>
  error instanceof NetworkError || (error instanceof AuthError && error.status >= 500);
/** @param {unknown} error */
const isPassing = (error) =>
  isLost(error) || (error instanceof AuthError && error.status === 429);
