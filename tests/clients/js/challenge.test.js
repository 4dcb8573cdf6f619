/** What the service wants solved first, and what shows that a device is known. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { createChallenge, solveChallenge, verifySolution } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/pbkdf2";

import { AuthError } from "../../../clients/js/index.js";
import { CODE, FakeBrowser, FakeService, PHONE, login, open, problem } from "./fakes.js";

const CHALLENGE = {
  type: "turnstile",
  site_key: "site-key",
  action: "send_otp",
  cdata: "1800000600_mac",
};
const wanted = (challenge = CHALLENGE) => ({
  status: 403,
  body: { code: "challenge_required", challenge },
});

/** What was sent with each send. */
function sent(service) {
  return service.calls
    .filter((it) => it.path === "/api/send-otp")
    .map((it) => JSON.parse(it.init.body));
}

/** A service that gives device tokens, and knows those it gave. */
class KnowingService extends FakeService {
  tokens = new Set();
  fetch = ((inner) => async (input, init) => {
    const { device_token } = input.endsWith("/api/send-otp") ? JSON.parse(init.body) : {};
    const answered = await inner(input, init);
    if (device_token && !this.tokens.has(device_token)) {
      return problem(422, "device_token_invalid");
    }
    if (!input.endsWith("/api/verify-otp") || !answered.ok) return answered;
    const device = `device-${this.count("/api/verify-otp")}`;
    this.tokens.add(device);
    const body = { ...(await answered.json()), device_token: device };
    return new Response(JSON.stringify(body), { status: 200 });
  })(this.fetch);
}

test("what the page solves goes into the next send", async () => {
  const service = new FakeService();
  service.fault("/api/send-otp", wanted());
  const seen = [];
  const auth = open(service, {
    solveChallenge: async (challenge) => {
      seen.push(challenge);
      return "a token";
    },
  });

  const answer = await auth.send({ phone: PHONE, country: "US" });

  assert.ok(answer.verificationId);
  // To the letter: what is signed must not be renamed.
  assert.deepEqual(seen, [CHALLENGE]);
  assert.deepEqual(sent(service), [
    { phone: PHONE, country: "US" },
    { phone: PHONE, country: "US", challenge_solution: "a token" },
  ]);
});

test("a resend may be asked for a solution, too", async () => {
  const service = new FakeService();
  const auth = open(service, { solveChallenge: () => "a token" });
  const { verificationId } = await auth.send({ phone: PHONE });
  service.fault("/api/send-otp", wanted());

  const again = await auth.resend();

  assert.equal(again.verificationId, verificationId);
  assert.equal(sent(service).at(-1).verification_id, verificationId);
  assert.equal(sent(service).at(-1).challenge_solution, "a token");
});

test("a solution that is not taken is not tried for ever", async () => {
  const service = new FakeService();
  service.fault("/api/send-otp", wanted());
  service.fault("/api/send-otp", wanted({ ...CHALLENGE, cdata: "another" }));
  const auth = open(service, { solveChallenge: () => "a token" });

  const error = await auth.send({ phone: PHONE }).catch((it) => it);

  assert.ok(error instanceof AuthError);
  assert.equal(error.code, "challenge_required");
  assert.equal(error.challenge.cdata, "another");
  assert.equal(service.count("/api/send-otp"), 2);
});

test("a page that solves nothing is told what is wanted", async () => {
  for (const solveChallenge of [undefined, () => null, async () => null]) {
    const service = new FakeService();
    service.fault("/api/send-otp", wanted());

    const error = await open(service, { solveChallenge })
      .send({ phone: PHONE })
      .catch((it) => it);

    assert.equal(error.code, "challenge_required");
    assert.deepEqual(error.challenge, CHALLENGE);
    assert.equal(service.count("/api/send-otp"), 1);
  }
});

test("what goes wrong while solving is the page's to hear", async () => {
  const service = new FakeService();
  service.fault("/api/send-otp", wanted());
  const solveChallenge = () => Promise.reject(new Error("widget closed"));

  const sending = open(service, { solveChallenge }).send({ phone: PHONE });

  await assert.rejects(sending, /widget closed/);
});

test("other refusals solve nothing", async () => {
  const service = new FakeService();
  service.fault("/api/send-otp", { status: 429, body: { code: "rate_limited" } });
  let asked = 0;
  const auth = open(service, { solveChallenge: () => (asked += 1) });

  await assert.rejects(auth.send({ phone: PHONE }), { code: "rate_limited" });
  assert.equal(asked, 0);
});

test("altcha-lib solves a proof of work as it comes through the kit", async () => {
  const secrets = { hmacSignatureSecret: "secret", hmacKeySignatureSecret: "another" };
  const made = await createChallenge({
    algorithm: "PBKDF2/SHA-256",
    cost: 10,
    counter: 20,
    deriveKey,
    data: { ticket: "1800000600_mac", snake_case: 1 },
    ...secrets,
  });
  const service = new FakeService();
  service.fault("/api/send-otp", wanted({ type: "altcha", expires_in: 600, ...made }));
  const auth = open(service, { solveChallenge: solve });

  await auth.send({ phone: PHONE });

  const payload = JSON.parse(atob(sent(service)[1].challenge_solution));
  const checked = await verifySolution({ ...payload, deriveKey, ...secrets });
  assert.equal(checked.verified, true);
});

test("a device that logged a phone in says so at its next send", async () => {
  const browser = new FakeBrowser();
  const service = new KnowingService();
  for (const mode of ["token", "cookie"]) {
    const auth = open(service, { mode, storage: browser.storage });
    await login(auth);
    await auth.logout();
  }

  // Another page, later.
  const auth = open(service, { storage: browser.storage });
  await auth.send({ phone: "+1 (555) 010-0001" });
  await auth.send({ phone: "+15550100002" });

  const tokens = sent(service).map((it) => it.device_token);
  assert.deepEqual(tokens, [undefined, "device-1", "device-2", undefined]);
  assert.ok(!browser.texts.join().includes("5550100001"));
});

test("what an app calls its device and its platform goes along", async () => {
  const service = new FakeService();
  const auth = open(service);

  await auth.send({ phone: PHONE, deviceId: "6F1A-22", platform: "ios" });

  const [asked] = sent(service);
  assert.deepEqual([asked.device_id, asked.platform], ["6F1A-22", "ios"]);
});

test("without a storage a page remembers for itself", async () => {
  const service = new KnowingService();
  const auth = open(service);
  await login(auth);

  await auth.send({ phone: PHONE });

  assert.equal(sent(service)[1].device_token, "device-1");
});

test("a token that the service does not know is forgotten", async () => {
  const browser = new FakeBrowser();
  const service = new KnowingService();
  await login(open(service, { storage: browser.storage }));
  service.tokens.clear();
  const auth = open(service, { storage: browser.storage });

  const answer = await auth.send({ phone: PHONE });
  await auth.send({ phone: PHONE });

  assert.ok(answer.verificationId);
  const tokens = sent(service).map((it) => it.device_token);
  assert.deepEqual(tokens, [undefined, "device-1", undefined, undefined]);
});

test("five phones are remembered, the last ones", async () => {
  const browser = new FakeBrowser();
  const service = new KnowingService();
  const auth = open(service, { storage: browser.storage });
  const phones = [1, 2, 3, 4, 5, 6].map((it) => `+1555010000${it}`);
  for (const phone of phones) {
    await auth.send({ phone });
    await auth.verify(CODE);
  }

  for (const phone of phones) await auth.send({ phone });

  const tokens = sent(service).slice(6).map((it) => it.device_token);
  assert.deepEqual(tokens, [undefined, ...[2, 3, 4, 5, 6].map((it) => `device-${it}`)]);
});

test("a storage full of rubbish costs a known device, and no login", async () => {
  for (const text of ["{", "{}", "[1]", '[["a"]]', '[["a", 1]]', "null"]) {
    const storage = { getItem: () => text, setItem() {}, removeItem() {} };
    const auth = open(new KnowingService(), { storage, mode: "cookie" });

    assert.equal((await login(auth)).verified, true);
  }
  const broken = () => {
    throw new Error("forbidden");
  };
  const storage = { getItem: broken, setItem: broken, removeItem: broken };
  const service = new KnowingService();
  const auth = open(service, { storage, mode: "cookie" });
  await login(auth);
  await auth.send({ phone: PHONE });
  assert.equal(sent(service)[1].device_token, "device-1");
});

/** As the README shows it. */
async function solve(challenge) {
  const solution = await solveChallenge({ challenge, deriveKey });
  return btoa(JSON.stringify({ challenge, solution }));
}
