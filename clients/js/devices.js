/** Device tokens: they show the service that this device logged a phone in before. */

// As many people share a device, and no more are remembered.
const MOST = 5;
const NAME_BYTES = 16;

/**
 * Phones are kept as hashes; a token is no login, and outlives a logout.
 *
 * @param {{ name: string, storage: import("./index.js").AuthStorage | null }} options
 */
export function createDevices({ name, storage }) {
  const key = `${name}:devices`;
  /** The newest last. @type {[string, string][]} */
  let held = [];

  async function current() {
    if (!storage) return held;
    try {
      held = read(await storage.getItem(key));
    } catch {
      // A browser that forbids storage; memory does.
    }
    return held;
  }

  /** @param {[string, string][]} tokens */
  async function put(tokens) {
    held = tokens.slice(-MOST);
    try {
      await storage?.setItem(key, JSON.stringify(held));
    } catch {
      // Full or forbidden: the next page is a new device.
    }
  }

  /**
   * @param {string} phone
   * @param {string | undefined} country
   */
  async function others(phone, country) {
    const named = await nameOf(phone, country);
    return { named, rest: (await current()).filter(([it]) => it !== named) };
  }

  return {
    /**
     * Return the token of a phone, spelled as it was when it logged in.
     *
     * @param {string} phone
     * @param {string} [country]
     */
    async tokenOf(phone, country) {
      const named = await nameOf(phone, country);
      return (await current()).find(([it]) => it === named)?.[1];
    },
    /**
     * @param {string} phone
     * @param {string | undefined} country
     * @param {string} token
     */
    async keep(phone, country, token) {
      const { named, rest } = await others(phone, country);
      if (named) await put([...rest, [named, token]]);
    },
    /**
     * @param {string} phone
     * @param {string} [country]
     */
    async forget(phone, country) {
      await put((await others(phone, country)).rest);
    },
  };
}

/**
 * @param {string} phone
 * @param {string} [country]
 */
async function nameOf(phone, country = "") {
  // Not there by http: then there is nothing to keep.
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const text = `${country}:${phone.replace(/[^+\d]/g, "")}`;
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(text));
  const bytes = new Uint8Array(digest).slice(0, NAME_BYTES);
  return Array.from(bytes, (it) => it.toString(16).padStart(2, "0")).join("");
}

/**
 * @param {string | null} text
 * @returns {[string, string][]}
 */
function read(text) {
  let found;
  try {
    found = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(found)) return [];
  return found.filter(
    (it) => Array.isArray(it) && it.length === 2 && it.every((x) => typeof x === "string"),
  );
}
