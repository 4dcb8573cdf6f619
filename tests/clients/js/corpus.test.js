/** The mutation corpus, as `python -m tests.corpus` prints it: CORPUS names the file. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { createVerifier } from "../../../clients/js/verifier.js";

const corpus = JSON.parse(readFileSync(process.env.CORPUS, "utf-8"));

/** A verifier that knows the keys of all algorithms. */
function verifier() {
  return createVerifier({
    issuer: corpus.issuer,
    audience: corpus.audience,
    now: () => corpus.now * 1000,
    fetch: async () => new Response(JSON.stringify(corpus.jwks)),
  });
}

const KINDS = [
  ["an access token", "access", "bad_access", "verify"],
  ["a verification token", "receipt", "bad_receipts", "verifyReceipt"],
];

for (const key of corpus.keys) {
  for (const [kind, good, bad, check] of KINDS) {
    test(`no mutation of ${kind} of ${key.algorithm} is taken`, async () => {
      const { [check]: verify } = verifier();
      const taken = [];
      for (const { name, token } of key[bad]) {
        const outcome = await verify(token).then(
          () => "taken",
          (error) => `${error.code} ${error.status}`,
        );
        if (outcome !== "invalid_token 401") taken.push(`${name}: ${outcome}`);
      }

      assert.deepEqual(taken, []);
      assert.ok(key[bad].length > 200);
      assert.ok((await verify(key[good])).subject);
    });
  }

  test(`a service's own token of ${key.algorithm} is taken if asked for`, async () => {
    const name = "a service's token for this audience";
    const { token } = key.bad_access.find((it) => it.name === name);

    const service = await verifier().verify(token, { allowService: true });

    assert.equal(service.isService, true);
    assert.equal(service.sessionId, null);
  });
}

test("there is a key of each algorithm", () => {
  const found = corpus.keys.map((it) => it.algorithm);

  assert.deepEqual(found.sort(), ["ES256", "EdDSA", "RS256"]);
});
