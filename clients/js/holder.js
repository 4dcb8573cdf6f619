/** What this page knows of the session, and what tabs tell each other. */

/**
 * `refresh` is missing in cookie mode; times are the local clock's, in milliseconds.
 *
 * @typedef {{ access: string, expiresAt: number, obtainedAt: number, refresh?: string,
 *   user: import("./index.js").User | null }} Tokens
 * @typedef {import("./index.js").ChangeReason} Reason
 */

/**
 * Three states: tokens; null, logged out; undefined, nobody knows yet (cookie mode, where
 * only the service can read the cookie).
 *
 * @param {{ name: string, storage: import("./index.js").AuthStorage | null,
 *   channel: import("./index.js").AuthChannel | null, cookies: boolean }} options
 */
export function createHolder({ name, storage, channel, cookies }) {
  /** @type {Tokens | null | undefined} */
  let held = cookies ? undefined : null;
  /** Counts logouts, so that a refresh under way does not undo one. */
  let ends = 0;
  /** @type {Set<(change: import("./index.js").Change) => void>} */
  const listeners = new Set();

  /**
   * @param {Tokens | null} tokens
   * @param {Reason} reason
   */
  function take(tokens, reason) {
    // A tab that renewed after a reload does not know whose they are.
    if (tokens && !tokens.user && held) tokens = { ...tokens, user: held.user };
    const changed =
      reason === "login" ||
      Boolean(held) !== Boolean(tokens) ||
      held?.user?.id !== tokens?.user?.id;
    held = tokens;
    if (!tokens) ends += 1;
    if (!changed) return;
    for (const tell of [...listeners]) {
      tell({ loggedIn: tokens !== null, user: tokens?.user ?? null, reason });
    }
  }

  async function current() {
    if (!storage) return held;
    let stored;
    try {
      stored = read(await storage.getItem(name));
    } catch {
      return held; // A browser that forbids storage; memory does.
    }
    if (stored?.access !== held?.access) take(stored, "other_tab");
    return held;
  }

  /**
   * @param {Tokens | null} tokens
   * @param {Reason} reason
   */
  async function put(tokens, reason) {
    if (storage) {
      try {
        if (tokens) await storage.setItem(name, JSON.stringify(tokens));
        else await storage.removeItem(name);
      } catch {
        // Full or forbidden: this page stays logged in, the next one is not.
        storage = null;
      }
    }
    // Where there is a storage it has the tokens; the channel only says "look".
    channel?.postMessage(cookies ? { tokens } : {});
    take(tokens, reason);
  }

  if (channel) {
    channel.onmessage = ({ data }) => {
      if (!cookies) void current();
      else if (data?.tokens === null || isTokens(data?.tokens)) {
        take(data.tokens, "other_tab");
      }
    };
  }

  return {
    current,
    put,
    /** What was known last, without looking. */
    get last() {
      return held;
    },
    get ends() {
      return ends;
    },
    /**
     * Note whose tokens these are, for this page alone: other tabs may know more.
     *
     * @param {import("./index.js").User} user
     */
    learn(user) {
      if (held && !held.user) take({ ...held, user }, "refresh");
    },
    /** Ask the service about the cookie again. */
    forget() {
      if (cookies && held === null) held = undefined;
    },
    /** @param {(change: import("./index.js").Change) => void} listener */
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/**
 * @param {string | null} text
 * @returns {Tokens | null}
 */
function read(text) {
  if (!text) return null;
  try {
    const tokens = JSON.parse(text);
    return isTokens(tokens) && typeof tokens.refresh === "string" ? tokens : null;
  } catch {
    return null;
  }
}

/**
 * @param {any} value
 * @returns {value is Tokens}
 */
function isTokens(value) {
  return (
    typeof value?.access === "string" &&
    Number.isFinite(value.expiresAt) &&
    Number.isFinite(value.obtainedAt)
  );
}
