import { describe, expect, test } from "vitest";
import { share } from "./compare.ts";
import { fuzzDocuments, noFuzzFigures } from "./fuzz-documents.ts";
import { fuzzPatterns, noPatternFigures } from "./fuzz-patterns.ts";

const SEED = 20_130_218;

describe("what is put in at random", () => {
  test("a document gone wrong is read or refused, as plainly", { timeout: 60_000 }, () => {
    const figures = noFuzzFigures();
    fuzzDocuments(SEED, 0, 4000, [], figures);
    expect(figures.faults).toEqual([]);
    expect(share(figures.accepted, figures.documents)).toBeGreaterThan(0.2);
    expect(share(figures.refused, figures.documents)).toBeGreaterThan(0.4);
  });

  test("a pattern covers what it covers plainly, letter by letter", { timeout: 60_000 }, () => {
    const figures = noPatternFigures();
    fuzzPatterns(SEED, 0, 20_000, figures);
    expect(figures.differences).toEqual([]);
    expect(share(figures.covered, figures.matches)).toBeGreaterThan(0.2);
  });
});
