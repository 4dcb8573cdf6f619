import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, test } from "node:test";

import { SignJWT, exportJWK, generateKeyPair } from "jose";

import { TokenError, createVerifier } from "../../../clients/js/verifier.js";
import { FakeClock, answer } from "./fakes.js";

const ISSUER = "https://auth.shop.example";
const AUDIENCE = "quickcart";
const servers = [];
after(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function newKey(alg, kid = "key-1") {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return {
    alg,
    kid,
    privateKey,
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" },
  };
}

async function tokenOf(key, clock, { typ = "at+jwt", ...claims } = {}) {
  const seconds = Math.floor(clock.now() / 1000);
  const own = {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "person",
    sid: "session",
    client_id: "direct",
    iat: seconds,
    exp: seconds + 600,
    auth_time: seconds,
    roles: ["customer"],
    scope: "",
    ...claims,
  };
  return new SignJWT(own)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ })
    .sign(key.privateKey);
}

/** An issuer with one key; `answers` are given out before the keys. */
async function issuer(options = {}) {
  const clock = new FakeClock();
  const key = await newKey("ES256");
  const it = {
    clock,
    key,
    keys: [key.jwk],
    asked: [],
    answers: [],
    live: { active: true },
  };
  it.fetch = async (url, init) => {
    it.asked.push({ url, init });
    if (it.answers.length) return it.answers.shift()(url, init);
    if (url.endsWith("/introspect")) return answer(200, it.live);
    return answer(200, { keys: it.keys }, { "Cache-Control": "public, max-age=300" });
  };
  it.verifier = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    fetch: it.fetch,
    now: clock.now,
    ...options,
  });
  it.token = (claims) => tokenOf(key, clock, claims);
  return it;
}

const refusal = (code, status) => ({ name: "TokenError", code, status });

for (const alg of ["ES256", "EdDSA", "RS256"]) {
  test(`a token signed with ${alg} says who it is`, async () => {
    const it = await issuer();
    const key = await newKey(alg);
    it.keys = [key.jwk];
    const claims = { roles: ["customer", "admin"], scope: "phone", amr: ["sms"] };
    const phone = { phone_number: "+919876543210", phone_number_verified: true };

    const person = await it.verifier.verify(
      await tokenOf(key, it.clock, { ...claims, ...phone }),
    );

    assert.equal(person.subject, "person");
    assert.equal(person.sessionId, "session");
    assert.deepEqual(person.roles, ["customer", "admin"]);
    assert.deepEqual(person.scopes, ["phone"]);
    assert.equal(person.phone, "+919876543210");
    assert.equal(person.expiresAt - person.issuedAt, 600);
  });
}

test("keys that are no public signing keys of ours are not used", async () => {
  const it = await issuer();
  const { privateKey } = it.key;
  const bad = [
    { ...it.key.jwk, use: "enc" },
    { ...it.key.jwk, alg: "ES384" },
    { ...it.key.jwk, kid: "../key" },
    { kty: "oct", k: "c2VjcmV0", kid: "key-1", alg: "HS256" },
    { ...(await exportJWK(privateKey)), kid: "key-1", alg: "ES256" },
    { kty: "EC", crv: "P-256", x: "AA", y: "AA", kid: "key-1" },
    null,
    "key",
  ];
  for (const jwk of bad) {
    it.keys = [jwk];
    await assert.rejects(
      it.verifier.verify(await it.token()),
      refusal("auth_unavailable", 503),
    );
    it.clock.advance(5);
  }
});

test("an RSA key of 1024 bits is not used", async () => {
  const it = await issuer();
  const params = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 1024 };
  const publicExponent = new Uint8Array([1, 0, 1]);
  const pair = await crypto.subtle.generateKey({ ...params, publicExponent }, true, [
    "sign",
    "verify",
  ]);
  it.keys = [
    { ...(await crypto.subtle.exportKey("jwk", pair.publicKey)), kid: "key-1" },
  ];

  await assert.rejects(
    it.verifier.verify(await it.token()),
    refusal("auth_unavailable", 503),
  );
});

test("many checks ask for the keys once", async () => {
  const it = await issuer();
  const token = await it.token();

  await Promise.all(Array.from({ length: 20 }, () => it.verifier.verify(token)));
  it.clock.advance(200);
  await it.verifier.verify(token);

  assert.equal(it.asked.length, 1);
  assert.equal(it.asked[0].url, `${ISSUER}/.well-known/jwks.json`);
  assert.equal(it.asked[0].init.redirect, "error");
});

test("nobody waits while keys are renewed, or while the issuer is away", async () => {
  const it = await issuer();
  await it.verifier.verify(await it.token());
  const hang = () => new Promise(() => {});
  it.answers.push(() => answer(503, JSON.stringify({ keys: [] })), hang);

  // Old enough to look again; too old not to have asked, which fails; and once more.
  for (const [seconds, asked] of [
    [239, 1],
    [61.5, 2],
    [4.9, 2],
    [0.2, 3],
    [3_600, 3],
  ]) {
    it.clock.advance(seconds);
    assert.equal((await it.verifier.verify(await it.token())).subject, "person");
    assert.equal(it.asked.length, asked);
  }
});

test("keys are looked at again before they are too old", async () => {
  const it = await issuer();
  await it.verifier.verify(await it.token());
  it.answers.push(() => new Promise(() => {}));
  it.clock.advance(241);

  assert.ok(await it.verifier.verify(await it.token()));
  assert.equal(it.asked.length, 2);
});

test("after a day without news keys are not trusted", async () => {
  const it = await issuer();
  await it.verifier.verify(await it.token());
  it.clock.advance(86_401);
  it.answers.push(() => answer(503, ""));

  const unavailable = refusal("auth_unavailable", 503);
  await assert.rejects(it.verifier.verify(await it.token()), unavailable);
  it.clock.advance(5);
  assert.ok(await it.verifier.verify(await it.token()));
});

test("a withdrawn key is not trusted after the next look", async () => {
  const it = await issuer();
  await it.verifier.verify(await it.token());
  it.keys = [(await newKey("ES256", "key-2")).jwk];
  it.clock.advance(301);

  await assert.rejects(
    it.verifier.verify(await it.token()),
    refusal("invalid_token", 401),
  );
});

test("a new key is found at once, and invented ones cost a request in 30 s", async () => {
  const it = await issuer();
  await it.verifier.verify(await it.token());
  const second = await newKey("ES256", "key-2");
  it.keys.push(second.jwk);

  assert.ok(await it.verifier.verify(await tokenOf(second, it.clock)));
  const invented = await tokenOf({ ...second, kid: "key-3" }, it.clock);
  const all = Array.from({ length: 10 }, () => it.verifier.verify(invented));
  const outcomes = await Promise.allSettled(all);
  assert.equal(it.asked.length, 2);
  it.clock.advance(31);
  await assert.rejects(it.verifier.verify(invented), refusal("invalid_token", 401));

  assert.ok(outcomes.every((outcome) => outcome.reason.code === "invalid_token"));
  assert.equal(it.asked.length, 3);
});

test("junk asks for nothing", async () => {
  const it = await issuer();
  const big = `${"a".repeat(9_000)}.b.c`;

  for (const junk of [
    "",
    "a",
    "a.b",
    "a.b.c",
    "a.b.c.d",
    big,
    null,
    undefined,
    7,
    {},
  ]) {
    await assert.rejects(it.verifier.verify(junk), refusal("invalid_token", 401));
  }
  assert.equal(it.asked.length, 0);
});

test("without keys nobody is let in, and the issuer is not flooded", async () => {
  const it = await issuer();
  const token = await it.token();
  it.answers.push(
    () => answer(500, JSON.stringify({ keys: it.keys })),
    () => Promise.reject(new TypeError("refused")),
  );

  for (const count of [1, 2]) {
    const all = Array.from({ length: 5 }, () => it.verifier.verify(token));
    for (const outcome of await Promise.allSettled(all)) {
      assert.deepEqual(
        [outcome.reason.code, outcome.reason.status],
        ["auth_unavailable", 503],
      );
      assert.equal(outcome.reason.headers["Retry-After"], "1");
    }
    it.clock.advance(0.9);
    await assert.rejects(it.verifier.verify(token), refusal("auth_unavailable", 503));
    assert.equal(it.asked.length, count);
    it.clock.advance(0.2);
  }

  assert.ok(await it.verifier.verify(token));
});

async function serve(answering) {
  const server = createServer(answering).listen(0, "127.0.0.1");
  servers.push(server);
  await once(server, "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

test("keys behind a redirect, over 64 KiB or too slow are no keys", async () => {
  const it = await issuer();
  const keys = JSON.stringify({ keys: it.keys });
  const elsewhere = await serve((_, response) => response.end(keys));
  const bad = {
    redirect: (response) => response.writeHead(302, { Location: elsewhere }).end(),
    large: (response) => response.end(keys + " ".repeat(65_536)),
    slow: (response) => void response.write("{"),
  };
  const began = performance.now();

  const outcomes = Object.entries(bad).map(async ([name, respond]) => {
    const baseUrl = await serve((_, response) => respond(response));
    const slow = createVerifier({
      issuer: ISSUER,
      audience: AUDIENCE,
      baseUrl,
      now: it.clock.now,
    });
    return [name, await slow.verify(await it.token()).catch((error) => error.code)];
  });

  for (const [name, outcome] of await Promise.all(outcomes)) {
    assert.equal(outcome, "auth_unavailable", name);
  }
  assert.ok(performance.now() - began < 4_000);
  const good = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    baseUrl: elsewhere,
    now: it.clock.now,
  });
  assert.ok(await good.verify(await it.token()));
});

test("an issuer is asked by https, save on this machine", () => {
  for (const issuer of [
    "http://auth.shop.example",
    "ftp://auth.shop.example",
    "https://user:hunter2@auth.shop.example",
    "auth",
  ]) {
    assert.throws(() => createVerifier({ issuer, audience: AUDIENCE }), TypeError);
  }
  assert.throws(() => createVerifier({ issuer: ISSUER, audience: "" }), TypeError);
  assert.ok(createVerifier({ issuer: "http://localhost:5000", audience: AUDIENCE }));
});

test("plain http elsewhere has to be asked for", async () => {
  const it = await issuer();
  const options = { issuer: ISSUER, audience: AUDIENCE, baseUrl: "http://auth:5000" };
  const inside = { ...options, fetch: it.fetch, now: it.clock.now };

  assert.throws(() => createVerifier(inside), /https/);
  const verifier = createVerifier({ ...inside, allowHttp: true });

  assert.ok(await verifier.verify(await it.token()));
  assert.equal(it.asked[0].url, "http://auth:5000/.well-known/jwks.json");
});

test("a password in an address is not repeated", () => {
  const issuer = "https://user:hunter2@auth.shop.example";

  assert.throws(
    () => createVerifier({ issuer, audience: AUDIENCE }),
    (error) => error instanceof TypeError && !error.message.includes("hunter2"),
  );
});

test("roles, scopes and fresh logins are asked for", async () => {
  const it = await issuer();
  const now = Math.floor(it.clock.now() / 1000);
  const token = await it.token({
    roles: ["customer"],
    scope: "phone",
    auth_time: now - 301,
  });
  const verify = (wanted) => it.verifier.verify(token, wanted);

  assert.ok(await verify({ role: "customer", scope: "phone", maxAgeSeconds: 302 }));
  const bearer = (rest) => ({ "WWW-Authenticate": `Bearer ${rest}` });
  for (const [wanted, code, status, headers] of [
    [
      { role: "admin" },
      "insufficient_role",
      403,
      bearer('error="insufficient_scope"'),
    ],
    [
      { scope: "email" },
      "insufficient_scope",
      403,
      bearer('error="insufficient_scope", scope="email"'),
    ],
    [
      { maxAgeSeconds: 300 },
      "fresh_login_required",
      401,
      bearer(
        'error="insufficient_user_authentication", ' +
          'error_description="A fresh login is needed", max_age="300"',
      ),
    ],
  ]) {
    await assert.rejects(verify(wanted), { ...refusal(code, status), headers });
  }
});

test("a request's bearer token is found in any kind of headers", async () => {
  const it = await issuer();
  const token = await it.token();
  const good = [
    { headers: { authorization: `Bearer ${token}` } },
    { headers: { authorization: `bearer ${token}` } },
    new Request(ISSUER, { headers: { Authorization: `Bearer ${token}` } }),
  ];
  for (const request of good) assert.ok(await it.verifier.authorize(request));

  for (const authorization of [
    undefined,
    "",
    "Basic abc",
    "Bearer",
    "Bearer ",
    token,
  ]) {
    const error = await it.verifier
      .authorize({ headers: { authorization } })
      .catch((e) => e);
    assert.equal(error.code, "invalid_token");
    assert.equal(error.headers["WWW-Authenticate"], "Bearer");
  }
  const wrong = { headers: { authorization: `Bearer ${token}x` } };
  const error = await it.verifier.authorize(wrong).catch((e) => e);
  assert.ok(error instanceof TokenError);
  assert.equal(error.headers["WWW-Authenticate"], 'Bearer error="invalid_token"');
});

test("a receipt tells which phone was verified, and is no access token", async () => {
  const it = await issuer();
  const claims = {
    typ: "verification+jwt",
    aud: `${AUDIENCE}/verification`,
    phone_number: "+919876543210",
    phone_number_verified: true,
    purpose: "verify",
  };
  const token = await it.token(claims);
  const invalid = refusal("invalid_token", 401);

  const receipt = await it.verifier.verifyReceipt(token, {
    phone: "+919876543210",
    maxAgeSeconds: 60,
  });

  assert.equal(receipt.phone, "+919876543210");
  assert.equal(receipt.purpose, "verify");
  await assert.rejects(
    it.verifier.verifyReceipt(token, { phone: "+919876543211" }),
    invalid,
  );
  await assert.rejects(it.verifier.verify(token), invalid);
  await assert.rejects(it.verifier.verifyReceipt(await it.token()), invalid);
  for (const other of [{ phone_number_verified: "true" }, { purpose: "change" }]) {
    const wrong = await it.token({ ...claims, ...other });
    await assert.rejects(it.verifier.verifyReceipt(wrong), invalid);
  }
  it.clock.advance(61);
  const late = it.verifier.verifyReceipt(token, { maxAgeSeconds: 60 });
  await assert.rejects(late, invalid);
});

const introspection = { clientId: "svc-a:b", clientSecret: "qc s+ü" };

test("a live check sees a logout within 5 s, and today's roles", async () => {
  const it = await issuer({ introspection });
  const token = await it.token();
  const live = () => it.verifier.verify(token, { live: true });
  it.live = { active: true, sub: "person", roles: ["customer", "admin"] };

  const all = await Promise.all(Array.from({ length: 5 }, live));
  assert.deepEqual(all[4].roles, ["customer", "admin"]);
  assert.equal(it.asked.length, 2);
  it.live = { active: false, sub: "person" };
  it.clock.advance(4.9);
  assert.ok(await live());
  it.clock.advance(0.2);
  await assert.rejects(live(), refusal("invalid_token", 401));

  assert.ok(await it.verifier.verify(token));
  const { url, init } = it.asked[1];
  assert.equal(url, `${ISSUER}/api/token/introspect`);
  assert.equal(init.body, `token=${token}&token_type_hint=access_token`);
  const basic = Buffer.from("svc-a%3Ab:qc+s%2B%C3%BC").toString("base64");
  assert.equal(init.headers.Authorization, `Basic ${basic}`);
});

test("who cannot be asked about is not let in, and is asked about again", async () => {
  const it = await issuer({ introspection });
  const token = await it.token();
  await it.verifier.verify(token);
  const odd = [
    answer(401, "{}"),
    answer(503, "{}"),
    answer(200, "[]"),
    answer(200, "<html>"),
    answer(200, '{"active":true,"sub":"person","roles":"admin"}'),
    answer(200, '{"active":true,"sub":1}'),
  ];
  it.answers = odd.map((response) => () => response);

  for (const _ of odd) {
    const unavailable = refusal("auth_unavailable", 503);
    await assert.rejects(it.verifier.verify(token, { live: true }), unavailable);
    it.clock.advance(1);
  }
  assert.equal(it.answers.length, 0);
  it.live = { active: true, sub: "somebody else" };
  await assert.rejects(
    it.verifier.verify(token, { live: true }),
    refusal("invalid_token", 401),
  );
});

test("after a failure others do not wait for it too", async () => {
  const it = await issuer({ introspection });
  const token = await it.token();
  await it.verifier.verify(token);
  it.answers.push(() => answer(503, "{}"));
  it.live = { active: true, sub: "person" };
  const live = () => it.verifier.verify(token, { live: true });

  for (let turn = 0; turn < 5; turn += 1) {
    await assert.rejects(live(), refusal("auth_unavailable", 503));
  }
  assert.equal(it.asked.length, 2);
  it.clock.advance(1);

  assert.ok(await live());
});

test("who cannot be asked about gets in where the program says so", async () => {
  const onFailure = "accept_offline";
  const it = await issuer({ introspection: { ...introspection, onFailure } });
  const token = await it.token();
  await it.verifier.verify(token);
  it.answers.push(() => answer(503, "{}"));
  const live = () => it.verifier.verify(token, { live: true });

  assert.deepEqual((await live()).roles, ["customer"]);
  it.clock.advance(1);
  it.live = { active: false };
  await assert.rejects(live(), refusal("invalid_token", 401));
});

const bounded = { timeout: 5_000 };
test("a slow issuer holds one request of an unknown key", bounded, async () => {
  const it = await issuer();
  await it.verifier.verify(await it.token());
  let release;
  const slow = new Promise((resolve) => (release = resolve));
  const second = await newKey("ES256", "key-2");
  it.answers.push(async () => {
    await slow;
    return answer(200, { keys: [it.key.jwk, second.jwk] });
  });
  const token = await tokenOf(second, it.clock);

  const first = it.verifier.verify(token);

  // Nobody has let the answer through: that these come back is the proof.
  for (let turn = 0; turn < 5; turn += 1) {
    await assert.rejects(it.verifier.verify(token), refusal("invalid_token", 401));
  }
  assert.ok(await it.verifier.verify(await it.token()));
  release();
  assert.equal((await first).subject, "person");
});

test("logs are told why, and the caller is not", async () => {
  const it = await issuer();
  const now = Math.floor(it.clock.now() / 1000);
  const other = await newKey("ES256");
  const reasons = {
    malformed: "a.b.c",
    type: await it.token({ typ: "JWT" }),
    "unknown key": await tokenOf({ ...it.key, kid: "other" }, it.clock),
    signature: await tokenOf(other, it.clock),
    issuer: await it.token({ iss: "https://evil.example" }),
    audience: await it.token({ aud: "other" }),
    expired: await it.token({ exp: now - 31 }),
    "not yet valid": await it.token({ nbf: now + 31 }),
    claims: await it.token({ roles: "admin" }),
    service: await it.token({ sid: undefined }),
  };

  for (const [reason, token] of Object.entries(reasons)) {
    const error = await it.verifier.verify(token).catch((it) => it);
    assert.deepEqual([error.reason, error.message], [reason, "invalid_token"]);
  }
});

test("a refused client is no outage", async () => {
  const onFailure = "accept_offline";
  const it = await issuer({ introspection: { ...introspection, onFailure } });
  const token = await it.token();
  await it.verifier.verify(token);
  it.answers.push(() => answer(401, "{}"));

  for (let turn = 0; turn < 2; turn += 1) {
    const error = await it.verifier.verify(token, { live: true }).catch((it) => it);
    assert.deepEqual(
      [error.code, error.reason],
      ["auth_unavailable", "credentials"],
    );
    assert.match(error.cause.message, /refuses svc-a:b/);
    assert.equal(error.cause.message.includes(introspection.clientSecret), false);
  }
});

test("times that other readers would take for others are refused", async () => {
  const it = await issuer();

  for (const auth_time of [2 ** 53, 1e300, -1, 1.5, "1", null, true]) {
    const token = await it.token({ auth_time });
    await assert.rejects(it.verifier.verify(token), refusal("invalid_token", 401));
  }
});

test("a live check without credentials is a mistake in the program", async () => {
  const it = await issuer();

  await assert.rejects(it.verifier.verify(await it.token(), { live: true }), TypeError);
});
