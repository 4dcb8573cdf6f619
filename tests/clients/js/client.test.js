import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { AuthError, NetworkError } from "../../../clients/js/index.js";
import { BASE, CODE, FakeClock, FakeService, PHONE, login, open } from "./fakes.js";

test("a code logs in, and the page learns who it is", async () => {
  const auth = open(new FakeService());
  const changes = [];
  auth.onChange((change) => changes.push(change));

  const sent = await auth.send({ phone: PHONE });
  const won = await auth.verify(CODE);

  assert.equal(sent.attemptsLeft, 5);
  assert.equal(won.user.id, "subject");
  assert.equal(auth.loggedIn, true);
  assert.deepEqual(changes, [{ loggedIn: true, user: won.user, reason: "login" }]);
});

test("a wrong code is an error with everything a page shows", async () => {
  const auth = open(new FakeService());
  await auth.send({ phone: PHONE });

  const error = await auth.verify("000000").catch((it) => it);

  assert.ok(error instanceof AuthError);
  assert.equal(error.code, "wrong_code");
  assert.equal(error.status, 400);
  assert.equal(error.attemptsLeft, 4);
  assert.equal(error.requestId, "req-1");
  assert.equal(error.next.voice.retryIn, 60);
  assert.equal((await auth.verify(CODE)).verified, true);
});

test("a resend is about the same verification", async () => {
  const service = new FakeService();
  const auth = open(service);
  const sent = await auth.send({ phone: PHONE, purpose: "login" });

  const again = await auth.resend({ channel: "voice" });

  const body = JSON.parse(service.calls[1].init.body);
  assert.equal(again.verificationId, sent.verificationId);
  assert.deepEqual(body, {
    phone: PHONE,
    channel: "voice",
    verification_id: sent.verificationId,
  });
});

test("nothing is verified before a code was sent", async () => {
  const service = new FakeService();

  await assert.rejects(open(service).verify(CODE), /send a code first/);
  assert.equal(service.calls.length, 0);
});

test("waits count down from the last answer, refusals included", async () => {
  const clock = new FakeClock();
  const service = new FakeService();
  const auth = open(service, { now: clock.now });
  assert.equal(auth.waits, null);
  await auth.send({ phone: PHONE });

  clock.advance(12.5);

  assert.deepEqual(auth.waits.sms, { allowed: true, retryIn: 18 });
  assert.deepEqual(auth.waits.whatsapp, { allowed: false, retryIn: null });
  clock.advance(60);
  assert.deepEqual(auth.waits.voice, { allowed: true, retryIn: 0 });
  await auth.verify("000000").catch(() => {});
  assert.deepEqual(auth.waits.sms, { allowed: true, retryIn: 30 });
});

test("a limit says how long to wait, by body or by header", async () => {
  const service = new FakeService();
  const body = { code: "rate_limited", limit: "sends_per_phone" };
  service.fault("/api/send-otp", {
    status: 429,
    body,
    headers: { "Retry-After": "17" },
  });

  const error = await open(service)
    .send({ phone: PHONE })
    .catch((it) => it);

  assert.equal(error.code, "rate_limited");
  assert.equal(error.retryAfter, 17);
  assert.equal(error.limit, "sends_per_phone");
});

test("no answer is a NetworkError, and nonsense an AuthError", async () => {
  const service = new FakeService();
  service.fault("/api/send-otp", "offline");
  service.fault("/api/send-otp", { status: 502, body: "<html>" });
  service.fault("/api/send-otp", { status: 200, body: "<html>" });
  const auth = open(service);

  await assert.rejects(auth.send({ phone: PHONE }), NetworkError);
  for (const status of [502, 200]) {
    const expected = { code: "unexpected_answer", status };
    await assert.rejects(auth.send({ phone: PHONE }), expected);
  }
});

test("an access token is renewed when less than 30 s are left", async () => {
  const clock = new FakeClock();
  const service = new FakeService();
  const auth = open(service, { now: clock.now });
  await login(auth);

  clock.advance(570);
  assert.equal(await auth.accessToken(), "access-1");
  clock.advance(1);

  assert.equal(await auth.accessToken(), "access-2");
  assert.equal(service.count("/api/token"), 1);
});

test("20 calls at once make one refresh", async () => {
  const clock = new FakeClock();
  const service = new FakeService();
  const auth = open(service, { now: clock.now });
  await login(auth);
  clock.advance(600);
  const changes = [];
  auth.onChange((change) => changes.push(change));

  const tokens = await Promise.all(
    Array.from({ length: 20 }, () => auth.accessToken()),
  );

  assert.deepEqual([...new Set(tokens)], ["access-2"]);
  assert.deepEqual(changes, []);
  assert.equal(service.count("/api/token"), 1);
});

test("a lost answer is asked for again with the same token", async () => {
  const service = new FakeService();
  const auth = open(service);
  await login(auth);
  service.fault("/api/token", "lose");

  assert.equal(await auth.refresh(), "access-2");

  const asked = service.calls.filter((it) => it.path === "/api/token");
  assert.equal(asked.length, 2);
  assert.equal(asked[0].init.body, asked[1].init.body);
  assert.equal(auth.loggedIn, true);
});

test("a refresh that fails for a while logs nobody out", async () => {
  const clock = new FakeClock();
  const service = new FakeService();
  const auth = open(service, { now: clock.now });
  await login(auth);
  clock.advance(580);
  const down = { status: 503, body: { code: "store_unavailable", retry_after: 1 } };
  for (let it = 0; it < 6; it += 1) service.fault("/api/token", down);

  // 20 s are left: the old token will do.
  assert.equal(await auth.accessToken(), "access-1");
  clock.advance(20);
  const error = await auth.accessToken().catch((it) => it);

  assert.equal(error.code, "store_unavailable");
  assert.equal(auth.loggedIn, true);
  assert.equal(await auth.accessToken(), "access-2");
});

test("a refresh that is limited is not repeated", async () => {
  const service = new FakeService();
  const auth = open(service);
  await login(auth);
  service.fault("/api/token", { status: 429, body: { code: "rate_limited" } });

  await assert.rejects(auth.refresh(), { code: "rate_limited" });
  assert.equal(service.count("/api/token"), 1);
});

test("a session that ended logs out once, and nobody asks again", async () => {
  const service = new FakeService();
  const auth = open(service);
  await login(auth);
  const changes = [];
  auth.onChange(({ loggedIn, reason }) => changes.push([loggedIn, reason]));
  service.alive = false;

  assert.equal(await auth.refresh(), null);
  assert.equal(await auth.accessToken(), null);
  assert.equal(await auth.refresh(), null);

  assert.deepEqual(changes, [[false, "ended"]]);
  assert.equal(service.count("/api/token"), 1);
  await assert.rejects(auth.me(), { code: "not_logged_in" });
});

test("a clock that was set back makes the token old", async () => {
  const clock = new FakeClock();
  const auth = open(new FakeService(), { now: clock.now });
  await login(auth);

  clock.advance(-3600);

  assert.equal(await auth.accessToken(), "access-2");
  assert.equal(await auth.accessToken(), "access-2");
});

test("the life of a token counts from before it was asked for", async () => {
  const clock = new FakeClock();
  const service = new FakeService();
  const slow = async (...request) => {
    const response = await service.fetch(...request);
    clock.advance(300);
    return response;
  };
  const auth = open(service, { now: clock.now, fetch: slow });
  await login(auth);

  clock.advance(271);

  assert.equal(await auth.accessToken(), "access-2");
});

test("a route of the service is asked again when the token is refused", async () => {
  const service = new FakeService();
  const auth = open(service);
  await login(auth);
  service.fault("/api/me", { status: 401, body: { code: "invalid_token" } });

  assert.equal((await auth.me()).user.id, "subject");
  assert.equal(service.count("/api/me"), 2);
  assert.equal(service.count("/api/token"), 1);
});

test("a logout forgets the tokens, even when the service is not reached", async () => {
  const service = new FakeService();
  const auth = open(service);
  await login(auth);
  service.fault("/api/logout", "offline");

  await assert.rejects(auth.logout(), NetworkError);

  assert.equal(auth.loggedIn, false);
  assert.equal(await auth.accessToken(), null);
});

test("a logout while a refresh is under way stays a logout", async () => {
  const service = new FakeService();
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const slow = async (url, init) => {
    const response = await service.fetch(url, init);
    if (url.endsWith("/api/token")) await held;
    return response;
  };
  const auth = open(service, { fetch: slow });
  await login(auth);

  const refreshing = auth.refresh();
  await pause(10);
  await auth.logout();
  release();

  assert.equal(await refreshing, null);
  assert.equal(auth.loggedIn, false);
  assert.equal(await auth.accessToken(), null);
});

test("logging out twice is no error", async () => {
  const service = new FakeService();
  const auth = open(service);
  await login(auth);

  await auth.logout();
  await auth.logout();

  assert.equal(service.count("/api/logout"), 1);
});

test("token mode sends no cookies, and no header of cookie mode", async () => {
  const service = new FakeService();
  await login(open(service));

  for (const { init, headers } of service.calls) {
    assert.equal(init.credentials, "omit");
    assert.equal(init.redirect, "error");
    assert.equal(headers.get("X-Requested-With"), null);
  }
});

test("cookie mode holds no refresh token and restores by the cookie", async () => {
  const service = new FakeService();
  const first = open(service, { mode: "cookie" });
  await login(first);
  const reloaded = open(service, { mode: "cookie" });

  const user = await reloaded.restore();

  assert.equal(user.id, "subject");
  const asked = service.calls.find((it) => it.path === "/api/token");
  assert.equal(asked.init.body, "grant_type=refresh_token");
  assert.equal(asked.init.credentials, "include");
  assert.equal(asked.headers.get("X-Requested-With"), "QuickCart");
  assert.equal(JSON.parse(service.calls[1].init.body).session, "cookie");
});

test("cookie mode: a browser that keeps no cookie is a clear error", async () => {
  const service = new FakeService();
  const auth = open(service, { mode: "cookie" });
  await login(auth);
  service.cookie = false;

  await assert.rejects(auth.refresh(), { code: "no_cookie", message: /same site/ });
  assert.equal(auth.loggedIn, false);
  assert.equal(await auth.accessToken(), null);
});

test("cookie mode: a cookie that is gone after it was seen is a logout", async () => {
  const service = new FakeService();
  const auth = open(service, { mode: "cookie" });
  await login(auth);
  await auth.refresh();
  service.cookie = false;

  assert.equal(await auth.refresh(), null);
  assert.equal(auth.loggedIn, false);
});

test("no answer names what may be wrong", async () => {
  const service = new FakeService();
  service.fault("/api/send-otp", "offline");

  await assert.rejects(open(service).send({ phone: PHONE }), /STOREFRONT_ORIGINS/);
});

test("cookie mode without a cookie is logged out, and is asked once", async () => {
  const service = new FakeService();
  const auth = open(service, { mode: "cookie" });

  assert.equal(await auth.restore(), null);
  assert.equal(await auth.accessToken(), null);
  assert.equal(service.count("/api/token"), 1);
});

test("a cookie that could not be taken back stays a login", async () => {
  const service = new FakeService();
  const auth = open(service, { mode: "cookie" });
  await login(auth);
  service.fault("/api/logout", "offline");

  await assert.rejects(auth.logout(), NetworkError);
  assert.equal(auth.loggedIn, true);
  await auth.logout();
  assert.equal(auth.loggedIn, false);
});

const OTHER_PHONE = "+15550100002";

async function move(auth) {
  await auth.send({ phone: OTHER_PHONE, purpose: "change" });
  return auth.changePhone(CODE);
}

const bodiesOf = (service, path) =>
  service.calls.filter((it) => it.path === path).map((it) => JSON.parse(it.body));

test("a phone is changed with the refresh token shown, and a new session", async () => {
  const service = new FakeService();
  const auth = open(service);
  await login(auth);
  const changes = [];
  auth.onChange((change) => changes.push(change));

  const { user } = await move(auth);

  assert.equal(user.phone, OTHER_PHONE);
  assert.equal(auth.user.phone, OTHER_PHONE);
  assert.deepEqual(changes, [{ loggedIn: true, user, reason: "login" }]);
  assert.deepEqual(bodiesOf(service, "/api/me/phone"), [
    {
      verification_id: "verification-2",
      phone: OTHER_PHONE,
      otp: CODE,
      refresh_token: "refresh-1",
    },
  ]);
  assert.equal(await auth.accessToken(), "access-2");
  assert.equal(await auth.refresh(), "access-3");
});

test("a phone is changed with the newest refresh token, after a refusal", async () => {
  const service = new FakeService();
  const auth = open(service);
  await login(auth);
  service.fault("/api/me/phone", { status: 401, body: { code: "invalid_token" } });

  assert.equal((await move(auth)).user.phone, OTHER_PHONE);

  const shown = bodiesOf(service, "/api/me/phone").map((it) => it.refresh_token);
  assert.deepEqual(shown, ["refresh-1", "refresh-2"]);
});

test("a wrong code changes no phone and ends no session", async () => {
  const auth = open(new FakeService());
  await login(auth);
  await auth.send({ phone: OTHER_PHONE, purpose: "change" });

  await assert.rejects(auth.changePhone("000000"), { code: "wrong_code" });

  assert.equal(auth.user.phone, PHONE);
  assert.equal((await auth.changePhone(CODE)).user.phone, OTHER_PHONE);
});

test("cookie mode: the cookie is what is shown to change a phone", async () => {
  const service = new FakeService();
  const auth = open(service, { mode: "cookie" });
  await login(auth);

  assert.equal((await move(auth)).user.phone, OTHER_PHONE);

  const asked = service.calls.find((it) => it.path === "/api/me/phone");
  assert.equal(asked.init.credentials, "include");
  assert.equal(asked.headers.get("X-Requested-With"), "QuickCart");
  assert.deepEqual(Object.keys(JSON.parse(asked.body)), [
    "verification_id",
    "phone",
    "otp",
  ]);
});

test("the address of the service may have a path", async () => {
  const service = new FakeService();
  const auth = open(service, { baseUrl: `${BASE}/auth/` });

  await auth.send({ phone: PHONE }).catch(() => {});

  assert.equal(service.calls[0].path, "/auth/api/send-otp");
});
