import { describe, expect, test } from "vitest";
import { decide } from "../../shared/decision/decide.ts";
import { Context } from "../../shared/iam/context.ts";
import { compilePolicy } from "../../shared/iam/policy.ts";
import { readRequest } from "../../shared/iam/request.ts";
import { countWork } from "./count-work.ts";
import { Chance, seedOf } from "./random-cases.ts";

const ARN = "arn:aws:s3:::";

/** Each place where a pattern meets a text, with what else the request says. */
const PLACES: {
  [place: string]: (pattern: string, text: string) => { element: object; resource: string; context: object };
} = {
  "a resource": (pattern, text) => ({
    element: { Resource: ARN + pattern },
    resource: ARN + text,
    context: {},
  }),
  NotResource: (pattern, text) => ({
    element: { NotResource: ARN + pattern },
    resource: ARN + text,
    context: {},
  }),
  StringLike: (pattern, text) => ({
    element: { Resource: "*", Condition: { StringLike: { "aws:username": pattern } } },
    resource: "*",
    context: { "aws:username": text },
  }),
  StringNotLike: (pattern, text) => ({
    element: { Resource: "*", Condition: { StringNotLike: { "aws:username": pattern } } },
    resource: "*",
    context: { "aws:username": text },
  }),
  ArnLike: (pattern, text) => ({
    element: { Resource: "*", Condition: { ArnLike: { "aws:PrincipalArn": ARN + pattern } } },
    resource: "*",
    context: { "aws:PrincipalArn": ARN + text },
  }),
};

/** The work of one decision, without that of reading the document. */
function workOf({
  element,
  resource,
  context,
}: {
  element: object;
  resource: string;
  context: object;
}): number {
  const document = { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", ...element } };
  const policy = compilePolicy(document);
  const facts = {
    accountOwner: false,
    policies: [{ name: "policy", policy }],
    unreadable: [],
    selfManagement: false,
  };
  return countWork(() =>
    decide(facts, readRequest("s3:GetObject", resource, new Context(Object.entries(context)))),
  ).work;
}

/** What a decision costs however short pattern and text are. */
const ALWAYS = 1000;

const HOSTILE: { [kind: string]: string } = {
  "*a*a*a...*c": `${"*a".repeat(500)}*c*`,
  "*a?*a?...": `${"*a?".repeat(300)}*c*`,
  "?*?*...": `${"?*".repeat(500)}c*`,
  "*aaa...b*": `*${"a".repeat(500)}b*`,
  "*a?aaa...b*": `*a?${"a".repeat(500)}b*`,
  "*?aaa...b*": `*?${"a".repeat(500)}b*`,
};

describe("the work of one decision", () => {
  for (const [place, ask] of Object.entries(PLACES)) {
    test(`is at most pattern length x text length, for ${place} at random`, () => {
      for (let index = 0; index < 400; index += 1) {
        const chance = new Chance(seedOf(11, index));
        const letters = chance.of([["a"], ["a", "b"], ["a", "b", "/"]]);
        const pieces = [...letters, ...letters, "*", "*", "?"];
        const pattern = chance.list(1, 400, () => chance.of(pieces)).join("");
        const text = chance.list(0, chance.of([20, 1700, 3900]), () => chance.of(letters)).join("");
        const work = workOf(ask(pattern, text));
        expect(work, JSON.stringify({ pattern, text })).toBeLessThanOrEqual(
          2 * pattern.length * text.length + 10 * (pattern.length + text.length) + ALWAYS,
        );
      }
    });

    test.each(Object.entries(HOSTILE))(`is at most that for ${place} with %s`, (_kind, pattern) => {
      for (const letters of ["a", "ab", "aab"]) {
        const text = letters.repeat(2000 / letters.length);
        expect(workOf(ask(pattern, text))).toBeLessThanOrEqual(2 * pattern.length * text.length + ALWAYS);
      }
    });

    test(`is linear in the text for ${place} with *a*a*a...`, () => {
      const [shorter = 0, longer = 0] = [100_000, 200_000].map((length) =>
        workOf(ask(`${"*a".repeat(500)}*b*`, "a".repeat(length))),
      );
      expect(shorter).toBeLessThan(10 * 100_000);
      expect(longer / shorter).toBeGreaterThan(1.8);
      expect(longer / shorter).toBeLessThan(2.2);
    });
  }

  test("is at most that with variables whose values have 4,096 characters", () => {
    const value = "a".repeat(4096);
    const variables = `${"*${aws:username}".repeat(20)}*b*`;
    for (const place of ["Resource", "NotResource"] as const) {
      const work = workOf({
        element: { [place]: ARN + variables },
        resource: `${ARN}${"a".repeat(2000)}`,
        context: { "aws:username": value },
      });
      expect(work).toBeLessThan(20 * 4096 * 20);
    }
    for (const operator of ["StringLike", "StringNotEqualsIgnoreCase", "StringEquals"]) {
      const work = workOf({
        element: { Resource: "*", Condition: { [operator]: { "aws:PrincipalTag/a": variables } } },
        resource: "*",
        context: { "aws:username": value, "aws:PrincipalTag/a": value },
      });
      expect(work).toBeLessThan(20 * 4096 * 20);
    }
  });

  test("grows with the number of values times the number of listed ones", () => {
    const work = (count: number): number =>
      workOf({
        element: {
          Resource: "*",
          Condition: {
            "ForAllValues:StringNotLike": {
              "aws:TagKeys": Array.from({ length: count }, (_, index) => `*b${index}*`),
            },
          },
        },
        resource: "*",
        context: { "aws:TagKeys": Array.from({ length: count }, () => "a".repeat(100)) },
      });
    expect(work(100) / work(50)).toBeLessThan(4.5);
    expect(work(100)).toBeLessThan(100 * 100 * 500);
  });

  test("is counted whatever method reads the text", () => {
    const text = "a".repeat(1000);
    expect(countWork(() => text.includes("b")).work).toBeGreaterThanOrEqual(1000);
    expect(countWork(() => Array.from(text)).work).toBeGreaterThanOrEqual(1000);
    expect(countWork(() => [...text.matchAll(/a/g)]).work).toBeGreaterThanOrEqual(1000);
    expect(countWork(() => /b/.test(text)).work).toBeGreaterThanOrEqual(1000);
    expect(countWork(() => text.split("")).work).toBeGreaterThanOrEqual(1000);
    expect(countWork(() => text.indexOf("b", 990)).work).toBeLessThan(20);
    expect(countWork(() => text.charCodeAt(5)).work).toBe(1);
    expect(() => countWork(() => JSON.parse("{"))).toThrow(SyntaxError);
    expect(countWork(() => "").work).toBe(0);
  });
});
