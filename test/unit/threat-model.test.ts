import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/threat-model.md", root), "utf8");

/** `test/api/x.test.ts`, and the titles of the tests in it: `: "a title", "another"`. */
const CLAIM = /`(test\/[\w/-]+\.test\.ts)`(?:: ((?:"[^"]+"(?:, )?)+))?/g;

test("every claim of the threat model names tests that are there", () => {
  const claims = [...page.matchAll(CLAIM)];
  expect(claims.length).toBeGreaterThan(20);
  for (const [, file = "", titles = ""] of claims) {
    const text = readFileSync(new URL(file, root), "utf8");
    for (const [quoted] of titles.matchAll(/"[^"]+"/g)) expect(text, file).toContain(quoted.slice(1, -1));
  }
});
