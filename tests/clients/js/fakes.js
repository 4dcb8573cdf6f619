/** Stand-ins that tests hand to the kit: a service, tabs, a clock. */

import { createAuth } from "../../../clients/js/index.js";

export const BASE = "https://auth.shop.example";
export const PHONE = "+15550100001";
export const CODE = "123456";
const NEXT = {
  sms: { allowed: true, retry_in: 30 },
  whatsapp: { allowed: false, retry_in: null },
  voice: { allowed: true, retry_in: 60 },
  check: { allowed: true, retry_in: 0 },
};

/** A clock that moves when told. */
export class FakeClock {
  ms = 1_800_000_000_000;
  now = () => this.ms;
  advance(seconds) {
    this.ms += seconds * 1000;
  }
}

/** The service as the kit meets it, with one session; `fetch` reaches it. */
export class FakeService {
  calls = [];
  alive = false;
  #turn = 0;
  #faults = [];

  /** Treat the next call of `path` so: lose, offline, an answer, or what is made then. */
  fault(path, fault) {
    this.#faults.push({ path, fault });
  }

  count(path) {
    return this.calls.filter((it) => it.path === path).length;
  }

  fetch = async (input, init = {}) => {
    const asked = input instanceof Request ? new Request(input, init) : null;
    const { origin, pathname: path } = new URL(asked?.url ?? input);
    const headers = new Headers(asked?.headers ?? init.headers);
    const body = asked ? await asked.text() : init.body;
    this.calls.push({ origin, path, init, headers, body });
    // As on a network: nobody is answered in the same instant.
    await new Promise((resolve) => setTimeout(resolve, 2));
    const at = this.#faults.findIndex((it) => it.path === path);
    let { fault } = at < 0 ? {} : this.#faults.splice(at, 1)[0];
    if (typeof fault === "function") fault = await fault();
    if (fault === "offline") throw new TypeError("fetch failed");
    if (fault && fault !== "lose")
      return answer(fault.status, fault.body, fault.headers);
    const made = this.#answer(path, init, headers);
    if (fault === "lose") throw new TypeError("fetch failed");
    return made;
  };

  #answer(path, init, headers) {
    if (path === "/api/send-otp") return this.#send(JSON.parse(init.body));
    if (path === "/api/verify-otp") return this.#verify(JSON.parse(init.body));
    if (path === "/api/token") return this.#refresh(init, headers);
    if (path === "/api/logout") {
      this.alive = false;
      return new Response(null, { status: 204 });
    }
    const token = headers.get("Authorization");
    if (!this.alive || token !== `Bearer access-${this.#turn}`) {
      return problem(401, "invalid_token");
    }
    if (path === "/api/logout-all") {
      this.alive = false;
      return new Response(null, { status: 204 });
    }
    if (path === "/api/me/phone") return this.#move(init, headers);
    return answer(200, { path, user: this.#user() });
  }

  #user() {
    return { id: "subject", phone: PHONE, roles: ["customer"] };
  }

  #send({ verification_id }) {
    const id = verification_id ?? `verification-${this.count("/api/send-otp")}`;
    return answer(202, {
      verification_id: id,
      phone: "+1 *** 01",
      expires_in: 300,
      attempts_left: 5,
      next: NEXT,
    });
  }

  #verify({ otp, session }) {
    if (otp !== CODE)
      return problem(400, "wrong_code", { attempts_left: 4, next: NEXT });
    this.alive = true;
    this.#turn += 1;
    this.cookie = session === "cookie";
    return answer(200, { verified: true, ...this.#tokens(), user: this.#user() });
  }

  /** The turn of a refresh token, or of the cookie; NaN where neither came. */
  #shown(token, init, headers) {
    if (token || !this.cookie) return Number(token?.split("-")[1]);
    const asked = headers.get("X-Requested-With") === "QuickCart";
    return asked && init.credentials === "include" ? this.#turn : NaN;
  }

  #move(init, headers) {
    const { phone, otp, refresh_token } = JSON.parse(init.body);
    if (this.#shown(refresh_token, init, headers) !== this.#turn) {
      return problem(401, "invalid_token");
    }
    if (otp !== CODE) return problem(400, "wrong_code", { attempts_left: 4 });
    this.#turn += 1;
    const user = { ...this.#user(), phone };
    return answer(200, { verified: true, ...this.#tokens(), user });
  }

  #refresh(init, headers) {
    const form = new URLSearchParams(init.body);
    const turn = this.#shown(form.get("refresh_token"), init, headers);
    if (Number.isNaN(turn)) {
      const errors = [{ field: "refresh_token", message: "Is missing" }];
      return problem(400, "bad_request", { error: "invalid_request", errors });
    }
    if (!this.alive || !(turn === this.#turn || turn === this.#turn - 1)) {
      this.alive = false;
      return answer(400, {
        error: "invalid_grant",
        code: "invalid_grant",
        status: 400,
      });
    }
    if (turn === this.#turn) this.#turn += 1;
    return answer(200, this.#tokens());
  }

  #tokens() {
    const tokens = {
      access_token: `access-${this.#turn}`,
      token_type: "Bearer",
      expires_in: 600,
    };
    return this.cookie ? tokens : { ...tokens, refresh_token: `refresh-${this.#turn}` };
  }
}

/** Several tabs of one browser: their storage, their locks, their channel. */
export class FakeBrowser {
  #items = new Map();
  #queue = Promise.resolve();
  #channels = new Set();

  storage = {
    getItem: (key) => this.#items.get(key) ?? null,
    setItem: (key, value) => void this.#items.set(key, value),
    removeItem: (key) => void this.#items.delete(key),
  };

  /** What somebody has who read this browser's storage once. */
  copy() {
    const copy = new FakeBrowser();
    for (const [key, value] of this.#items) copy.storage.setItem(key, value);
    return copy;
  }

  get texts() {
    return [...this.#items.values()];
  }

  lock = (name, work) => {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  };

  channel() {
    const all = this.#channels;
    const channel = {
      onmessage: null,
      postMessage: (data) => {
        for (const it of all) {
          // Later than the lock is free, as in a browser.
          if (it !== channel) setTimeout(() => it.onmessage?.({ data }), 10);
        }
      },
      close: () => all.delete(channel),
    };
    all.add(channel);
    return channel;
  }
}

/** The kit in front of a fake service, quick to repeat. */
export function open(service, options = {}) {
  return createAuth({
    baseUrl: BASE,
    fetch: service.fetch,
    retryDelays: [1, 1],
    ...options,
  });
}

export async function login(auth) {
  await auth.send({ phone: PHONE });
  return auth.verify(CODE);
}

export function answer(status, body, headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(text, { status, headers });
}

export function problem(status, code, more = {}) {
  return answer(status, {
    code,
    status,
    title: "A title",
    request_id: "req-1",
    ...more,
  });
}
