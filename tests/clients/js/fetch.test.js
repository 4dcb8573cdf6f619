import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";

import { BASE, FakeClock, FakeService, login, open } from "./fakes.js";

const SHOP = "https://api.shop.example";

async function loggedIn(options = {}) {
  const clock = new FakeClock();
  const service = new FakeService();
  const auth = open(service, {
    now: clock.now,
    audienceOrigins: [BASE, SHOP],
    ...options,
  });
  await login(auth);
  clock.advance(10);
  service.calls.length = 0;
  return { auth, clock, service };
}

const bearers = (service) => service.calls.map((it) => it.headers.get("Authorization"));

test("the token goes to the hosts that may see it", async () => {
  const { auth, service } = await loggedIn();

  await auth.fetch(`${SHOP}/orders`);
  await auth.fetch(new URL(`${BASE}/api/me`));
  await auth.fetch(new Request(`${SHOP}/orders`));

  assert.deepEqual(bearers(service), [
    "Bearer access-1",
    "Bearer access-1",
    "Bearer access-1",
  ]);
});

test("the token goes nowhere else", async () => {
  const { auth, service } = await loggedIn();
  const elsewhere = [
    "https://evil.example/",
    "https://api.shop.example.evil.example/",
    "https://api.shop.example:8443/",
    "http://api.shop.example/",
    "https://api.shop.example@evil.example/",
    "https://evil.example/?https://api.shop.example",
    new Request("https://evil.example/"),
  ];

  for (const url of elsewhere) await auth.fetch(url);

  assert.deepEqual(
    bearers(service),
    elsewhere.map(() => null),
  );
  assert.equal(JSON.stringify(service.calls).includes("access-1"), false);
});

test("by default only the service itself sees the token outside browsers", async () => {
  const { auth, service } = await loggedIn({ audienceOrigins: undefined });

  await auth.fetch(`${SHOP}/orders`);
  await auth.fetch(`${BASE}/api/me`);

  assert.deepEqual(bearers(service), [null, "Bearer access-1"]);
});

test("a redirect does not carry the token away", async () => {
  const seen = [];
  const thief = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end();
  }).listen(0, "127.0.0.1");
  const shop = createServer((_, response) => {
    const location = `http://127.0.0.1:${thief.address().port}/`;
    response.writeHead(302, { Location: location }).end();
  }).listen(0, "127.0.0.1");
  await Promise.all([once(thief, "listening"), once(shop, "listening")]);
  const origin = `http://127.0.0.1:${shop.address().port}`;
  const service = new FakeService();
  const routed = (url, init) =>
    String(url).startsWith(BASE) ? service.fetch(url, init) : fetch(url, init);
  const auth = open(service, { fetch: routed, audienceOrigins: [origin] });
  await login(auth);

  await assert.rejects(auth.fetch(`${origin}/orders`), TypeError);

  assert.deepEqual(seen, []);
  for (const server of [thief, shop]) {
    server.closeAllConnections();
    server.close();
  }
});

test("a refused token is renewed, once, and the request sent again", async () => {
  const { auth, service } = await loggedIn();
  service.fault("/orders", { status: 401, body: "" });

  const init = { method: "POST", body: "{}", headers: { "X-Shop": "1" } };
  const response = await auth.fetch(`${SHOP}/orders`, init);

  assert.equal(response.status, 200);
  const orders = service.calls.filter((it) => it.path === "/orders");
  assert.deepEqual(
    orders.map((it) => [
      it.body,
      it.headers.get("X-Shop"),
      it.headers.get("Authorization"),
    ]),
    [
      ["{}", "1", "Bearer access-1"],
      ["{}", "1", "Bearer access-2"],
    ],
  );
  assert.equal(service.count("/api/token"), 1);
});

test("a second refusal is the answer", async () => {
  const { auth, service } = await loggedIn();
  for (let it = 0; it < 3; it += 1)
    service.fault("/orders", { status: 401, body: "no" });

  const response = await auth.fetch(`${SHOP}/orders`);

  assert.equal(response.status, 401);
  assert.equal(await response.text(), "no");
  assert.equal(service.count("/orders"), 2);
});

test("a token refused right after it was made is not renewed", async () => {
  const { auth, service } = await loggedIn();
  await auth.refresh();
  for (let it = 0; it < 3; it += 1) service.fault("/orders", { status: 401, body: "" });

  for (let it = 0; it < 3; it += 1) await auth.fetch(`${SHOP}/orders`);

  assert.equal(service.count("/api/token"), 1);
});

test("a body that flows only once is not sent again", async () => {
  const { auth, service } = await loggedIn();
  service.fault("/orders", { status: 401, body: "" });
  const body = new Blob(["{}"]).stream();

  const response = await auth.fetch(`${SHOP}/orders`, {
    method: "POST",
    body,
    duplex: "half",
  });

  assert.equal(response.status, 401);
  assert.equal(service.count("/orders"), 1);
});

test("a Request with a body is sent again whole", async () => {
  const { auth, service } = await loggedIn();
  service.fault("/orders", { status: 401, body: "" });
  const headers = { "X-Shop": "1" };
  const request = new Request(`${SHOP}/orders`, {
    method: "POST",
    body: "order",
    headers,
  });

  const response = await auth.fetch(request);

  assert.equal(response.status, 200);
  const orders = service.calls.filter((it) => it.path === "/orders");
  assert.deepEqual(
    orders.map((it) => [
      it.body,
      it.headers.get("X-Shop"),
      it.headers.get("Authorization"),
    ]),
    [
      ["order", "1", "Bearer access-1"],
      ["order", "1", "Bearer access-2"],
    ],
  );
});

test("an Authorization of the caller's own is left alone", async () => {
  const { auth, service } = await loggedIn();

  await auth.fetch(`${SHOP}/orders`, { headers: { Authorization: "Basic abc" } });

  assert.deepEqual(bearers(service), ["Basic abc"]);
});

test("without a login requests go as they are", async () => {
  const service = new FakeService();
  const auth = open(service, { audienceOrigins: [SHOP] });

  const response = await auth.fetch(`${SHOP}/orders`);

  assert.equal(response.status, 401);
  assert.deepEqual(bearers(service), [null]);
  assert.equal(service.calls[0].init.redirect, undefined);
});
