/**
 * Logins to a country whose sends must come with a solved challenge. AUTH_URL says
 * where the service is, VENDOR_URL where its simulated vendors are.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { solveChallenge } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/pbkdf2";

import { createAuth } from "../../../clients/js/index.js";

const { AUTH_URL, VENDOR_URL } = process.env;

/** As the README shows it. */
async function solve(challenge) {
  const solution = await solveChallenge({ challenge, deriveKey });
  return btoa(JSON.stringify({ challenge, solution }));
}

/** The code of the last text to a phone. */
async function codeOf(phone) {
  const query = new URLSearchParams({ to: phone });
  const response = await fetch(`${VENDOR_URL}/_simulator/messages?${query}`);
  const { messages } = await response.json();
  return /\b\d{6}\b/.exec(messages.at(-1).text)[0];
}

test("a login with a solved challenge", async () => {
  const phone = "+919876543210";
  const solved = [];
  const auth = createAuth({
    baseUrl: AUTH_URL,
    solveChallenge: (challenge) => {
      solved.push(challenge.type);
      return solve(challenge);
    },
  });

  await auth.send({ phone: "98765 43210", country: "IN" });
  const { user } = await auth.verify(await codeOf(phone));

  assert.equal(user.phone, phone);
  assert.deepEqual(solved, ["altcha"]);
});

test("without a solver the page is told what to solve", async () => {
  const auth = createAuth({ baseUrl: AUTH_URL });

  const error = await auth.send({ phone: "+919812345678" }).catch((it) => it);

  assert.deepEqual([error.code, error.status], ["challenge_required", 403]);
  assert.equal(error.challenge.type, "altcha");
  assert.equal(auth.waits.sms.allowed, true);
});
