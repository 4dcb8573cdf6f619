/** The mutation corpus, as `python -m tests.corpus` prints it: CORPUS names the file. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { createVerifier } from "../../../clients/js/verifier.js";

const corpus = JSON.parse(readFileSync(process.env.CORPUS, "utf-8"));

function verifier() {
  return createVerifier({
    issuer: corpus.issuer,
    audience: corpus.audience,
    now: () => corpus.now * 1000,
    fetch: async () => new Response(JSON.stringify(corpus.jwks)),
  });
}

const KINDS = [
  ["access token", corpus.access, corpus.bad_access, "verify"],
  ["verification token", corpus.receipt, corpus.bad_receipts, "verifyReceipt"],
];

for (const [kind, good, bad, check] of KINDS) {
  test(`no mutation of an ${kind} is taken`, async () => {
    const { [check]: verify } = verifier();
    const taken = [];
    for (const { name, token } of bad) {
      const outcome = await verify(token).then(
        () => "taken",
        (error) => `${error.code} ${error.status}`,
      );
      if (outcome !== "invalid_token 401") taken.push(`${name}: ${outcome}`);
    }

    assert.deepEqual(taken, []);
    assert.ok(bad.length > 200);
    assert.ok((await verify(good)).subject);
  });
}

test("a service's own token is taken where it is asked for", async () => {
  const name = "a service's token for this audience";
  const { token } = corpus.bad_access.find((it) => it.name === name);

  const service = await verifier().verify(token, { allowService: true });

  assert.equal(service.isService, true);
  assert.equal(service.sessionId, null);
});
