/**
 * The kit in front of the service itself. AUTH_URL, ISSUER, AUDIENCE, CLIENT_ID and
 * CLIENT_SECRET say where it is; its test numbers take CODE.
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

import { createRemoteJWKSet, jwtVerify } from "jose";

import { AuthError, createAuth } from "../../../clients/js/index.js";
import { createVerifier } from "../../../clients/js/verifier.js";
import { FakeBrowser } from "./fakes.js";

const { AUTH_URL, ISSUER, AUDIENCE, CLIENT_ID, CLIENT_SECRET, CODE, ADMIN_PHONE } =
  process.env;
const introspection = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET };
const verifier = createVerifier({
  issuer: ISSUER,
  audience: AUDIENCE,
  baseUrl: AUTH_URL,
  introspection: { ...introspection, cacheSeconds: 0 },
});

let phones = 0;
const newPhone = () => `+155501001${String((phones += 1)).padStart(2, "0")}`;

/** Counts calls by path. */
function counting(inner = fetch) {
  const counts = {};
  const counted = (url, init) => {
    const { pathname } = new URL(url);
    counts[pathname] = (counts[pathname] ?? 0) + 1;
    return inner(url, init);
  };
  return Object.assign(counted, { counts });
}

async function login(auth, phone = newPhone()) {
  await auth.send({ phone });
  return auth.verify(CODE, { deviceName: "Node" });
}

const open = (options = {}) => createAuth({ baseUrl: AUTH_URL, ...options });

test("a login, who I am, my sessions, a logout", async () => {
  const auth = open();
  const phone = newPhone();

  const { user } = await login(auth, phone);

  assert.equal(user.phone, phone);
  assert.equal(user.firstLogin, true);
  assert.equal((await auth.me()).user.id, user.id);
  const [own] = await auth.sessions();
  assert.deepEqual([own.device, own.current], ["Node", true]);
  const token = await auth.accessToken();
  assert.ok(await verifier.verify(token, { live: true }));

  await auth.logout();

  assert.equal(await auth.accessToken(), null);
  const invalid = { code: "invalid_token", status: 401 };
  await assert.rejects(verifier.verify(token, { live: true }), invalid);
  assert.ok(await verifier.verify(token));
});

test("a wrong code says how many guesses are left, a resend keeps the code", async () => {
  const auth = open();
  const sent = await auth.send({ phone: newPhone() });

  const error = await auth.verify("000000").catch((it) => it);
  const again = await auth.resend();

  assert.ok(error instanceof AuthError);
  assert.deepEqual([error.code, error.attemptsLeft], ["wrong_code", 4]);
  assert.equal(error.next.check.allowed, true);
  assert.equal(auth.waits.check.allowed, true);
  assert.ok(error.requestId);
  assert.equal(again.verificationId, sent.verificationId);
  assert.equal((await auth.status()).state, "pending");
  assert.equal((await auth.verify(CODE)).verified, true);
});

test("a field that is wrong is named", async () => {
  const error = await open()
    .send({ phone: newPhone(), locale: "?" })
    .catch((it) => it);

  assert.equal(error.code, "invalid_request");
  assert.equal(error.fields[0].field, "locale");
});

test("a refresh gives a new token of the same session", async () => {
  const auth = open();
  await login(auth);
  const first = await verifier.verify(await auth.accessToken());

  const second = await verifier.verify(await auth.refresh(), { live: true });

  assert.equal(second.sessionId, first.sessionId);
  assert.notEqual(second.claims.jti, first.claims.jti);
});

test("20 calls at once in two tabs make one refresh", async () => {
  let late = 0;
  const browser = new FakeBrowser();
  const counted = counting();
  const tab = () =>
    open({
      fetch: counted,
      storage: browser.storage,
      lock: browser.lock,
      channel: browser.channel(),
      now: () => Date.now() + late,
    });
  const tabs = [tab(), tab()];
  await login(tabs[0]);
  late = 600_000;

  const all = Array.from({ length: 20 }, (_, it) => tabs[it % 2].accessToken());
  const tokens = new Set(await Promise.all(all));

  assert.equal(tokens.size, 1);
  assert.equal(counted.counts["/api/token"], 1);
  assert.ok(await verifier.verify([...tokens][0], { live: true }));
});

test("a lost answer is no logout", async () => {
  let lost = 0;
  const losing = async (url, init) => {
    const response = await fetch(url, init);
    if (!url.endsWith("/api/token") || lost > 0) return response;
    lost += 1;
    throw new TypeError("fetch failed");
  };
  const auth = open({ fetch: losing, retryDelays: [1] });
  await login(auth);

  assert.ok(await verifier.verify(await auth.refresh(), { live: true }));
  assert.ok(await auth.refresh());
  assert.equal(lost, 1);
});

test("a copied refresh token ends the session for both", async () => {
  const browser = new FakeBrowser();
  const auth = open({ storage: browser.storage });
  await login(auth);
  const thief = open({ storage: browser.copy().storage });
  await auth.refresh();
  await auth.refresh();
  const reasons = [];
  auth.onChange(({ reason }) => reasons.push(reason));

  assert.equal(await thief.refresh(), null);

  assert.equal(await auth.refresh(), null);
  assert.deepEqual(reasons, ["ended"]);
});

test("a logout everywhere ends the other session, too", async () => {
  const [phone, other, here] = [newPhone(), open(), open()];
  await login(other, phone);
  await login(here, phone);
  assert.equal((await here.sessions()).length, 2);

  await here.logoutAll();

  assert.equal(await other.refresh(), null);
  assert.equal(other.loggedIn, false);
});

test("one session of mine can be ended from another", async () => {
  const [phone, other, here] = [newPhone(), open(), open()];
  await login(other, phone);
  await login(here, phone);
  const { id } = (await here.sessions()).find((it) => !it.current);

  await here.endSession(id);

  assert.equal(await other.refresh(), null);
  assert.equal((await here.sessions()).length, 1);
});

for (const mode of ["token", "cookie"]) {
  test(`${mode} mode: an account moves to another number and stays`, async () => {
    const auth = open({ mode, fetch: mode === "cookie" ? withJar() : fetch });
    const { user } = await login(auth);
    const phone = newPhone();

    await auth.send({ phone, purpose: "change" });
    const moved = await auth.changePhone(CODE);

    assert.deepEqual([moved.user.id, moved.user.phone], [user.id, phone]);
    assert.equal((await auth.me()).user.id, user.id);
    assert.equal(auth.user.phone, phone);
    assert.ok(await auth.refresh());
  });
}

/** fetch with a jar for one cookie, as a browser keeps it. */
function withJar() {
  const jar = { cookie: null, seen: [] };
  const send = async (url, init) => {
    const headers = new Headers(init.headers);
    if (jar.cookie && init.credentials === "include") headers.set("Cookie", jar.cookie);
    const response = await fetch(url, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      jar.seen.push(line);
      const [pair] = line.split(";");
      jar.cookie = /Max-Age=0(;|$)/.test(line) ? null : pair;
    }
    return response;
  };
  return Object.assign(send, { jar });
}

test("cookie mode: the refresh token is in the cookie alone", async () => {
  const send = withJar();
  const texts = [];
  const listening = async (url, init) => {
    const response = await send(url, init);
    texts.push(await response.clone().text());
    return response;
  };
  const auth = open({ mode: "cookie", fetch: listening });

  const { user } = await login(auth);
  const reloaded = open({ mode: "cookie", fetch: listening });

  assert.equal((await reloaded.restore()).id, user.id);
  const first = send.jar.cookie;
  assert.ok(await reloaded.refresh());
  assert.notEqual(send.jar.cookie, first);
  assert.match(
    send.jar.seen[0],
    /^__Host-.*; Secure; HttpOnly; Path=\/; SameSite=Strict/,
  );
  assert.equal(texts.join().includes("qcr_"), false);

  await reloaded.logout();

  assert.equal(send.jar.cookie, null);
  assert.equal(await open({ mode: "cookie", fetch: listening }).restore(), null);
});

test("cookie mode: the cookie alone, without our header, is worth nothing", async () => {
  const send = withJar();
  await login(open({ mode: "cookie", fetch: send }));
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };

  const response = await send(`${AUTH_URL}/api/token`, {
    method: "POST",
    credentials: "include",
    body: "grant_type=refresh_token",
    headers,
  });

  assert.ok(response.status >= 400 && response.status < 500);
  assert.equal((await response.text()).includes("access_token"), false);
});

test("jose verifies the token by the JWKS alone", async () => {
  const auth = open();
  const { user } = await login(auth);
  const keys = createRemoteJWKSet(new URL(`${AUTH_URL}/.well-known/jwks.json`));

  const { payload } = await jwtVerify(await auth.accessToken(), keys, {
    issuer: ISSUER,
    audience: AUDIENCE,
    typ: "at+jwt",
    requiredClaims: ["sub", "sid", "auth_time", "roles"],
  });

  assert.equal(payload.sub, user.id);
});

test("a receipt of purpose verify says which phone, and logs nobody in", async () => {
  const auth = open();
  const phone = newPhone();
  await auth.send({ phone, purpose: "verify" });

  const won = await auth.verify(CODE);

  assert.equal(auth.loggedIn, false);
  const receipt = await verifier.verifyReceipt(won.verificationToken, {
    phone,
    maxAgeSeconds: 60,
  });
  assert.equal(receipt.purpose, "verify");
  await assert.rejects(verifier.verify(won.verificationToken), {
    code: "invalid_token",
  });
});

/** Have the operator's client do something. */
async function administer(operation, body) {
  const basic = Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString("base64");
  const token = await fetch(`${AUTH_URL}/api/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "client_credentials", scope: "admin" }),
    headers: { Authorization: `Basic ${basic}` },
  });
  const { access_token } = await token.json();
  const response = await fetch(`${AUTH_URL}/api/admin/${operation}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: {
      Authorization: `Bearer ${access_token}`,
      "Content-Type": "application/json",
    },
  });
  assert.equal(response.status, 200, await response.text());
}

let example;
after(() => example?.kill());

async function startExample() {
  const script = new URL("../../../clients/js/examples/service.js", import.meta.url);
  const env = { ...process.env, PORT: "0" };
  example = spawn(process.execPath, [fileURLToPath(script)], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(example.stdout, "data");
  return `http://127.0.0.1:${Number(line)}`;
}

test("the example: nobody 401, a customer in, admins asked for, the frozen out", async () => {
  const url = await startExample();
  const call = async (auth, path) => {
    const send = auth ? auth.fetch : fetch;
    return (await send(url + path)).status;
  };
  const options = { audienceOrigins: [url] };
  const [customer, admin] = [open(options), open(options)];
  const { user } = await login(customer);
  await login(admin, ADMIN_PHONE);

  assert.equal(await call(null, "/orders"), 401);
  assert.equal(await call(customer, "/orders"), 200);
  assert.equal(await call(customer, "/admin"), 403);
  assert.equal(await call(admin, "/admin"), 200);

  await administer("freeze", { sub: user.id, reason: "stolen phone" });

  assert.equal(await call(customer, "/pay"), 401);
  assert.equal(await call(admin, "/pay"), 200);
  assert.equal(await customer.refresh(), null);
  const refused = await login(customer, user.phone).catch((it) => it);
  assert.equal(refused.code, "subject_frozen");
});
