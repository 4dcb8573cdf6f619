/** Only one tab at a time: Web Locks, or a lease in localStorage, or just this page. */

// Longer than a refresh with its retries takes, so that only a dead tab loses it.
const LEASE_MS = 12_000;
// How long a write by another tab may take to be seen.
const SETTLE_MS = 40;
const POLL_MS = 100;

/** @typedef {<T>(name: string, work: () => Promise<T>) => Promise<T>} Lock */

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Return the best lock there is. Web Locks need https (or localhost).
 *
 * @param {{ locks?: LockManager, storage?: Storage }} here
 * @returns {Lock}
 */
export function chooseLock({ locks, storage }) {
  if (locks) return webLock(locks);
  return storage ? leaseLock(storage) : (_, work) => work();
}

/**
 * @param {LockManager} locks
 * @returns {Lock}
 */
function webLock(locks) {
  return async (name, work) => {
    let began = false;
    const begin = () => {
      began = true;
      return work();
    };
    try {
      return await locks.request(
        name,
        { signal: AbortSignal.timeout(LEASE_MS) },
        begin,
      );
    } catch (error) {
      // A tab that sleeps with the lock must not log the others out. Two refreshes at
      // once get the same successor.
      if (began) throw error;
      return begin();
    }
  };
}

/**
 * Not a perfect lock: localStorage has none. Two tabs that slip through at once ask with
 * the same token, and the service answers both with the same successor.
 *
 * @param {Storage} storage
 * @param {() => number} [now]
 * @returns {Lock}
 */
export function leaseLock(storage, now = Date.now) {
  return async (name, work) => {
    const key = `${name}:lease`;
    // randomUUID is for https alone, and there are Web Locks there.
    const me = crypto.getRandomValues(new Uint32Array(4)).join("-");
    const limit = now() + LEASE_MS;
    while (now() < limit && !(await take(storage, key, me, now))) await pause(POLL_MS);
    try {
      return await work();
    } finally {
      if (read(storage, key)?.owner === me) storage.removeItem(key);
    }
  };
}

/**
 * @param {Storage} storage
 * @param {string} key
 * @param {string} me
 * @param {() => number} now
 */
async function take(storage, key, me, now) {
  const held = read(storage, key);
  if (held && held.until > now() && held.until <= now() + LEASE_MS) return false;
  storage.setItem(key, JSON.stringify({ owner: me, until: now() + LEASE_MS }));
  await pause(SETTLE_MS);
  return read(storage, key)?.owner === me;
}

/**
 * @param {Storage} storage
 * @param {string} key
 */
function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}
