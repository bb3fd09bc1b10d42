import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);

/** `test/api/x.test.ts`, and the titles of the tests in it: `: "a title", "another"`. */
const CLAIM = /`(test\/[\w/-]+\.test\.ts)`(?:: ((?:"[^"]+"(?:, )?)+))?/g;

test.for([
  ["docs/threat-model.md", 20],
  ["docs/console.md", 20],
] as const)("every claim of %s names tests that are there", ([page, least]) => {
  const claims = [...readFileSync(new URL(page, root), "utf8").matchAll(CLAIM)];
  expect(claims.length).toBeGreaterThan(least);
  for (const [, file = "", titles = ""] of claims) {
    const text = readFileSync(new URL(file, root), "utf8");
    for (const [quoted] of titles.matchAll(/"[^"]+"/g)) expect(text, file).toContain(quoted.slice(1, -1));
  }
});
