import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { test } from "node:test";

import { chooseLock, leaseLock } from "../../../clients/js/locks.js";
import { CODE, FakeBrowser, FakeClock, FakeService, login, open } from "./fakes.js";

function tabs(service, count, options = {}) {
  const browser = new FakeBrowser();
  const clock = new FakeClock();
  const shared = { now: clock.now, lock: browser.lock };
  const open_ = () =>
    open(service, {
      ...shared,
      ...(options.mode === "cookie" ? {} : { storage: browser.storage }),
      channel: browser.channel(),
      ...options,
    });
  return { browser, clock, all: Array.from({ length: count }, open_) };
}

test("no tab renews a session while another exchanges it", async () => {
  const service = new FakeService();
  const { clock, all } = tabs(service, 2);
  await login(all[0]);
  await pause(20);
  await all[0].send({ phone: "+15550100002", purpose: "change" });
  // It takes long, and meanwhile the other tab's token gets old.
  let renewing;
  service.fault("/api/me/phone", async () => {
    clock.advance(580);
    renewing = all[1].accessToken();
    await pause(20);
  });

  await all[0].changePhone(CODE);
  assert.equal(await renewing, await all[0].accessToken());

  assert.equal(service.count("/api/me/phone"), 1);
  const asked = service.calls.filter((it) => it.path === "/api/token");
  assert.deepEqual(
    asked.map((it) => new URLSearchParams(it.body).get("refresh_token")),
    ["refresh-2"],
  );
});

test("cookie mode: a tab after a reload makes no other forget whose it is", async () => {
  const service = new FakeService();
  const { browser, clock, all } = tabs(service, 1, { mode: "cookie" });
  const { user } = await login(all[0]);
  const changes = [];
  all[0].onChange((change) => changes.push(change));
  const { lock } = browser;
  const shared = { lock, now: clock.now, channel: browser.channel() };
  const reloaded = open(service, { mode: "cookie", ...shared });
  // As the service says it to who did not ask for scope phone.
  const masked = { ...user, phone: "+1 *** 01" };
  service.fault("/api/me", { status: 200, body: { user: masked } });

  assert.deepEqual(await reloaded.restore(), masked);
  await pause(20);

  assert.deepEqual(all[0].user, user);
  assert.equal(await all[0].accessToken(), await reloaded.accessToken());
  assert.deepEqual(changes, []);
});

for (const mode of ["token", "cookie"]) {
  test(`${mode} mode: tabs that need a token at once make one refresh`, async () => {
    const service = new FakeService();
    const { clock, all } = tabs(service, 4, { mode });
    await login(all[0]);
    clock.advance(600);

    const asked = all.flatMap((tab) =>
      Array.from({ length: 5 }, () => tab.accessToken()),
    );

    assert.deepEqual([...new Set(await Promise.all(asked))], ["access-2"]);
    assert.equal(service.count("/api/token"), 1);
  });

  test(`${mode} mode: a login and a logout are seen in all tabs`, async () => {
    const { all } = tabs(new FakeService(), 2, { mode });
    const changes = [];
    all[1].onChange(({ loggedIn, reason }) => changes.push([loggedIn, reason]));

    await login(all[0]);
    await pause(20);
    assert.equal(all[1].user?.id, "subject");
    await all[1].logout();
    await pause(20);

    assert.equal(all[0].loggedIn, false);
    assert.equal(await all[0].accessToken(), null);
    assert.deepEqual(changes, [
      [true, "other_tab"],
      [false, "logout"],
    ]);
  });

  test(`${mode} mode: a session that ended is over in all tabs`, async () => {
    const service = new FakeService();
    const { clock, all } = tabs(service, 3, { mode });
    await login(all[0]);
    await pause(20);
    service.alive = false;
    clock.advance(600);

    const tokens = await Promise.all(all.map((tab) => tab.accessToken()));
    await pause(20);

    assert.deepEqual(tokens, [null, null, null]);
    assert.deepEqual(
      all.map((tab) => tab.loggedIn),
      [false, false, false],
    );
    assert.equal(service.count("/api/token"), 1);
  });
}

test("a tab opened later is logged in by the storage", async () => {
  const service = new FakeService();
  const { browser, clock, all } = tabs(service, 1);
  await login(all[0]);

  const options = { storage: browser.storage, now: clock.now, lock: browser.lock };
  const later = open(service, options);

  assert.equal((await later.restore()).id, "subject");
  assert.equal(service.count("/api/token"), 0);
});

test("a tab that asked without the lock takes the other's tokens", async () => {
  const service = new FakeService();
  const { all } = tabs(service, 2, { lock: (_, work) => work() });
  await login(all[0]);
  await pause(20);

  const tokens = await Promise.all(all.map((tab) => tab.refresh()));

  assert.deepEqual(tokens, ["access-2", "access-2"]);
  assert.equal(all[0].loggedIn && all[1].loggedIn, true);
});

test("a token refused because another tab was faster is no logout", async () => {
  const service = new FakeService();
  const { all } = tabs(service, 2, { lock: (_, work) => work() });
  const [fast, slow] = all;
  await login(fast);
  await slow.restore();
  const refused = { status: 400, body: { code: "invalid_grant" } };
  const changes = [];
  slow.onChange(({ loggedIn }) => changes.push(loggedIn));

  service.fault("/api/token", async () => {
    await fast.refresh();
    return refused;
  });

  assert.equal(await slow.refresh(), "access-2");
  assert.deepEqual(changes, []);
});

test("cookie mode and memory leave nothing in the storage", async () => {
  const browser = new FakeBrowser();
  const service = new FakeService();
  for (const options of [{ mode: "cookie", storage: browser.storage }, {}]) {
    await login(open(service, { ...options, channel: browser.channel() }));
  }

  assert.deepEqual(browser.texts, []);
});

test("junk in the storage is nobody's login", async () => {
  for (const junk of ["", "{", "null", "[]", '{"access":1}', '{"access":"a"}']) {
    const storage = { getItem: () => junk, setItem() {}, removeItem() {} };
    assert.equal(await open(new FakeService(), { storage }).accessToken(), null);
  }
});

test("a storage that refuses leaves this page logged in", async () => {
  const refuse = () => {
    throw new Error("QuotaExceededError");
  };
  const storage = { getItem: () => null, setItem: refuse, removeItem: refuse };
  const auth = open(new FakeService(), { storage });

  await login(auth);

  assert.equal(await auth.accessToken(), "access-1");
});

test("a storage may be asynchronous", async () => {
  const { storage } = new FakeBrowser();
  const slow = Object.fromEntries(
    Object.entries(storage).map(([name, act]) => [
      name,
      async (...given) => act(...given),
    ]),
  );
  const service = new FakeService();
  await login(open(service, { storage: slow }));

  assert.equal((await open(service, { storage: slow }).restore()).id, "subject");
});

test("a lease lets one in at a time, and outlives a tab that died with it", async () => {
  const { storage } = new FakeBrowser();
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await pause(10);
    inside -= 1;
  };
  const dead = JSON.stringify({ owner: "dead", until: Date.now() + 60 });
  storage.setItem("name:lease", dead);

  await Promise.all([1, 2, 3].map(() => leaseLock(storage)("name", work)));

  assert.equal(most, 1);
  assert.equal(storage.getItem("name:lease"), null);
});

test("Web Locks are preferred, and what fails inside is not done twice", async () => {
  const names = [];
  const locks = {
    request: async (name, _, work) => {
      names.push(name);
      return work();
    },
  };
  const lock = chooseLock({ locks, storage: new FakeBrowser().storage });
  let runs = 0;
  const fail = async () => {
    runs += 1;
    throw new Error("inside");
  };

  await assert.rejects(lock("name", fail), /inside/);
  assert.deepEqual([names, runs], [["name"], 1]);
});

test("a lock that nobody gives back is not waited for for ever", async () => {
  const locks = { request: () => Promise.reject(new DOMException("", "TimeoutError")) };

  assert.equal(await chooseLock({ locks })("name", async () => "done"), "done");
});
