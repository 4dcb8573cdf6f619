/** The client of a storefront: codes, the session that follows, and requests with it. */

import { createCaller } from "./caller.js";
import { createDevices } from "./devices.js";
import { AuthError } from "./errors.js";
import { createFetch } from "./fetcher.js";
import { createHolder } from "./holder.js";
import { chooseLock } from "./locks.js";
import { createSession } from "./session.js";

const RETRY_DELAYS = [200, 800, 2_000];

// Only there do tabs share a storage, and processes of a server must not talk.
const IN_BROWSER = "document" in globalThis || "WorkerGlobalScope" in globalThis;

/**
 * @param {import("./index.js").AuthOptions} options
 * @returns {import("./index.js").Auth}
 */
export function createAuth(options) {
  const { baseUrl, clientId = "", mode = "token", now = Date.now } = options;
  if (!["token", "cookie"].includes(mode)) throw new TypeError(`no mode ${mode}`);
  const cookies = mode === "cookie";
  const storage = cookies ? null : (options.storage ?? null);
  const service = new URL(baseUrl, globalThis.location?.href);
  const name = `quickcart-auth:${service.href.replace(/\/+$/, "")}:${clientId}`;
  const shared = cookies || storage !== null;
  // Looked up at each call, so that a page may wrap fetch later.
  const fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  const channel = options.channel ?? (shared && IN_BROWSER ? openChannel(name) : null);
  const lock = options.lock ?? chooseLock(shared && IN_BROWSER ? sharedLocks() : {});
  const origins = new Set(
    options.audienceOrigins?.map((it) => new URL(it).origin) ??
      [service.origin, globalThis.location?.origin].filter((it) => it && it !== "null"),
  );

  const call = createCaller({ baseUrl: service.href, fetch, cookies });
  const holder = createHolder({ name, storage, channel, cookies });
  const session = createSession({
    call,
    holder,
    lock,
    name,
    clientId,
    cookies,
    now,
    retryDelays: options.retryDelays ?? RETRY_DELAYS,
  });
  const codes = createCodes({
    call,
    now,
    devices: createDevices({ name, storage: options.storage ?? null }),
    solveChallenge: options.solveChallenge,
  });

  /** @type {import("./index.js").Auth["verify"]} */
  async function verify(code, { deviceName, scope, verificationId, phone } = {}) {
    const asked = now();
    const answer = await codes.check(
      {
        verification_id: verificationId,
        phone,
        otp: code,
        device_name: deviceName,
        scope,
        session: cookies ? "cookie" : undefined,
      },
      (json) => call("/api/verify-otp", { json }),
    );
    if (!answer.accessToken) {
      const { verificationToken, expiresIn } = answer;
      return { verified: true, user: null, verificationToken, expiresIn };
    }
    await session.begin(answer, asked);
    return { verified: true, user: answer.user };
  }

  /** @type {import("./index.js").Auth["changePhone"]} */
  async function changePhone(code, { verificationId, phone } = {}) {
    const answer = await codes.check(
      { verification_id: verificationId, phone, otp: code },
      (json) => session.exchange("/api/me/phone", json),
    );
    return { verified: true, user: answer.user };
  }

  async function me() {
    const answer = await session.callAs("/api/me", { method: "GET" });
    holder.learn(answer.user);
    return answer;
  }

  /** @type {import("./index.js").Auth["restore"]} */
  async function restore() {
    holder.forget();
    await session.accessToken();
    return (await holder.current()) ? (holder.last?.user ?? (await me()).user) : null;
  }

  return {
    send: codes.send,
    resend: codes.resend,
    status: codes.status,
    verify,
    changePhone,
    restore,
    me,
    accessToken: session.accessToken,
    async refresh() {
      const held = await holder.current();
      return (await session.renew(held?.access))?.access ?? null;
    },
    logout: session.logout,
    logoutAll: session.logoutAll,
    async sessions() {
      return (await session.callAs("/api/sessions", { method: "GET" })).sessions;
    },
    async endSession(id) {
      const path = `/api/sessions/${encodeURIComponent(id)}`;
      await session.callAs(path, { method: "DELETE" });
    },
    fetch: createFetch({ session, holder, fetch, origins, now }),
    onChange: holder.onChange,
    close: () => channel?.close(),
    get user() {
      return holder.last?.user ?? null;
    },
    get loggedIn() {
      return Boolean(holder.last);
    },
    get waits() {
      return codes.waits();
    },
    get verification() {
      return codes.pending();
    },
  };
}

/**
 * Codes: one verification at a time, and what the service said may be done next.
 *
 * @param {{ call: ReturnType<typeof createCaller>, now: () => number,
 *   devices: ReturnType<typeof createDevices>,
 *   solveChallenge: import("./index.js").AuthOptions["solveChallenge"] }} options
 */
function createCodes({ call, now, devices, solveChallenge }) {
  /** @type {import("./index.js").Verification | null} */
  let pending = null;
  /** @type {{ next: import("./index.js").Next, at: number } | null} */
  let heard = null;

  /** @param {Promise<any>} answering */
  async function listen(answering) {
    const note = (/** @type {any} */ it) => {
      if (it?.next) heard = { next: it.next, at: now() };
    };
    try {
      const answer = await answering;
      note(answer);
      return answer;
    } catch (error) {
      note(error);
      throw error;
    }
  }

  function needed() {
    if (!pending) throw new Error("send a code first");
    return pending;
  }

  /**
   * Ask for a code; once more where the page can solve what the service wants first.
   *
   * @param {{ phone: string, country?: string, device_token?: string,
   *   device_id?: string, challenge_solution?: string }} json
   * @returns {Promise<any>}
   */
  async function ask(json) {
    try {
      return await call("/api/send-otp", { json });
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      if (error.code === "device_token_invalid" && json.device_token) {
        // The service has other keys now; to it this is a new device.
        await devices.forget(json.phone, json.country);
        return ask({ ...json, device_token: undefined });
      }
      const { challenge } = error;
      if (!challenge || !solveChallenge || json.challenge_solution) throw error;
      const challenge_solution = await solveChallenge(challenge);
      if (!challenge_solution) throw error;
      return ask({ ...json, challenge_solution });
    }
  }

  /**
   * @param {import("./index.js").SendRequest & { verification_id?: string }} request
   * @returns {Promise<import("./index.js").Sent>}
   */
  async function send({ phone, country, deviceId, ...fields }) {
    const client = IN_BROWSER ? "web" : undefined;
    const device_token = await devices.tokenOf(phone, country);
    const answer = await listen(
      ask({ client, ...fields, phone, country, device_token, device_id: deviceId }),
    );
    pending = { verificationId: answer.verificationId, phone, country };
    return answer;
  }

  return {
    send,
    /** @type {import("./index.js").Auth["resend"]} */
    async resend({ channel, locale } = {}) {
      const { verificationId, phone, country } = needed();
      return send({ phone, country, channel, locale, verification_id: verificationId });
    },
    /** @type {import("./index.js").Auth["status"]} */
    async status() {
      const { verificationId } = needed();
      const path = `/api/otp-status/${encodeURIComponent(verificationId)}`;
      return listen(call(path, { method: "GET" }));
    },
    /**
     * @param {Record<string, string | undefined>} fields
     * @param {(json: object) => Promise<any>} submit
     */
    async check(fields, submit) {
      const ours = fields.verification_id && fields.phone ? null : needed();
      const json = {
        ...fields,
        verification_id: fields.verification_id ?? ours?.verificationId,
        phone: fields.phone ?? ours?.phone,
        country: ours?.country,
      };
      const answer = await listen(submit(json));
      pending = null;
      if (typeof answer.deviceToken === "string") {
        await devices.keep(String(json.phone), json.country, answer.deviceToken);
      }
      return answer;
    },
    pending: () => pending,
    waits() {
      if (!heard) return null;
      const spent = (now() - heard.at) / 1000;
      const turns = Object.entries(heard.next).map(([step, { allowed, retryIn }]) => [
        step,
        { allowed, retryIn: retryIn && Math.max(0, Math.ceil(retryIn - spent)) },
      ]);
      return Object.fromEntries(turns);
    },
  };
}

/** @param {string} name */
function openChannel(name) {
  return "BroadcastChannel" in globalThis ? new BroadcastChannel(name) : null;
}

function sharedLocks() {
  let storage;
  try {
    storage = globalThis.localStorage;
  } catch {
    // Forbidden; there is nothing to share then.
  }
  return { locks: globalThis.navigator?.locks, storage };
}
