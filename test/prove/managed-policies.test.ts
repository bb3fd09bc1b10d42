import { describe, expect, test } from "vitest";
import { share } from "./compare.ts";
import { noProbeFigures, probeDocument, readManagedPolicies } from "./managed-policies.ts";
import { seedOf } from "./random-cases.ts";

const SEED = 20_130_218;

describe("AWS's own policies", () => {
  const documents = readManagedPolicies("current");

  test("are there", () => {
    expect(documents.length).toBeGreaterThan(1500);
    expect(documents.map(({ name }) => name)).toContainEqual(
      expect.stringMatching(/^AWSOpsWorks_FullAccess v\d+$/),
    );
  });

  test("parse, and are decided as the plain evaluator does on what they are about", {
    timeout: 60_000,
  }, () => {
    const figures = noProbeFigures();
    for (const [index, document] of documents.entries()) {
      probeDocument(document, seedOf(SEED, index), 2, figures);
    }
    expect(figures.differences).toEqual([]);
    expect(figures.documents).toBe(documents.length);
    expect(figures.probes).toBeGreaterThan(4 * figures.documents);
    expect(share(figures.hits, figures.probes)).toBeGreaterThan(0.4);
    expect(share(figures.hits, figures.probes)).toBeLessThan(0.7);
  });
});
