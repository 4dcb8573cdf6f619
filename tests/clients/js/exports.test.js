import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const KIT = new URL("../../../clients/js/", import.meta.url);
const read = (name) => readFileSync(new URL(name, KIT), "utf-8");

for (const name of ["index", "verifier"]) {
  test(`${name}.d.ts declares what ${name}.js exports, and no more`, async () => {
    const module = await import(new URL(`${name}.js`, KIT));

    const types = read(`${name}.d.ts`);
    const declared = [...types.matchAll(/^export declare (?:function|class) (\w+)/gm)];

    assert.deepEqual(declared.map((it) => it[1]).sort(), Object.keys(module).sort());
  });
}

test("the objects have what their types say", async () => {
  const { createAuth } = await import(new URL("index.js", KIT));
  const { createVerifier } = await import(new URL("verifier.js", KIT));
  const url = "https://auth.shop.example";
  const made = {
    Auth: [createAuth({ baseUrl: url }), read("index.d.ts")],
    Verifier: [createVerifier({ issuer: url, audience: "a" }), read("verifier.d.ts")],
  };

  for (const [name, [object, types]] of Object.entries(made)) {
    const body = types.split(`export interface ${name} {`)[1].split("\n}")[0];
    const members = [...body.matchAll(/^ {2}(?:readonly )?(\w+)[(:]/gm)].map(
      (it) => it[1],
    );
    assert.deepEqual(members.sort(), Object.keys(object).sort());
  }
});

test("the kit depends on nothing, and runs in browsers", () => {
  const { dependencies, files } = JSON.parse(read("package.json"));
  const sources = readdirSync(KIT).filter((it) => it.endsWith(".js"));

  const imported = sources.flatMap((name) =>
    [...read(name).matchAll(/(?:from|import\() ?"([^"]+)"/g)].map(
      (it) => it[1],
    ),
  );

  assert.equal(dependencies, undefined);
  assert.ok(files.includes("*.js"));
  assert.ok(imported.length > 10);
  assert.deepEqual(
    imported.filter((it) => !it.startsWith("./")),
    [],
  );
});
