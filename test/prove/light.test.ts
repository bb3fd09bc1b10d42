import { expect, test } from "vitest";
import { compareCases, noFigures } from "./compare.ts";
import { fuzzDocuments, noFuzzFigures } from "./fuzz-documents.ts";
import { fuzzPatterns, noPatternFigures } from "./fuzz-patterns.ts";

/** Small enough to be run for every mutant of `npm run mutate`; the others here are its larger shares. */
const SEED = 20_131_218;

test("random cases are decided as plainly", () => {
  const figures = noFigures();
  compareCases(SEED, 0, 1500, figures);
  expect(figures.differences).toEqual([]);
});

test("random documents gone wrong are read or refused as plainly", () => {
  const figures = noFuzzFigures();
  fuzzDocuments(SEED, 0, 800, [], figures);
  expect(figures.faults).toEqual([]);
});

test("random patterns cover what they cover plainly", () => {
  const figures = noPatternFigures();
  fuzzPatterns(SEED, 0, 3000, figures);
  expect(figures.differences).toEqual([]);
});
