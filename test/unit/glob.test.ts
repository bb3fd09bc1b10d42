import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileArn, splitArn } from "../../shared/iam/arn.ts";
import { Context } from "../../shared/iam/context.ts";
import { compileGlob } from "../../shared/iam/glob.ts";
import { parsePattern } from "../../shared/iam/pattern.ts";

const NOTHING = new Context([]);

function matches(pattern: string, text: string): boolean | undefined {
  return compileGlob(parsePattern(pattern, { wildcards: true, variables: false }))(text, NOTHING);
}

/** Slow and plain: row by row, whether the pattern so far matches each beginning of the text. */
function matchesPlainly(pattern: string, text: string): boolean {
  const characters = Array.from(text);
  let reached = [true, ...characters.map(() => false)];
  for (const piece of pattern) {
    const next = reached.map(() => false);
    for (const at of next.keys()) {
      const before = at > 0 && (reached[at - 1] ?? false);
      if (piece === "*") next[at] = (reached[at] ?? false) || (at > 0 && (next[at - 1] ?? false));
      else next[at] = before && (piece === "?" || piece === characters[at - 1]);
    }
    reached = next;
  }
  return reached.at(-1) ?? false;
}

const Letters = fc.constantFrom("a", "b", "é", "\n", "😀");
const Text = fc.array(Letters, { maxLength: 8 }).map((letters) => letters.join(""));
const Pattern = fc
  .array(fc.oneof({ weight: 3, arbitrary: Letters }, { weight: 3, arbitrary: fc.constantFrom("*", "?") }), {
    maxLength: 6,
  })
  .map((pieces) => pieces.join(""));

/** A pattern made from the text it is matched with, so that about half of them match. */
const PatternOfText = fc.array(Letters, { maxLength: 8 }).chain((letters) =>
  fc
    .array(fc.constantFrom("keep", "keep", "keep", "?", "*", "drop"), {
      minLength: letters.length,
      maxLength: letters.length,
    })
    .map((edits) => ({
      text: letters.join(""),
      pattern: letters
        .map((letter, at) => ({ keep: letter, "?": "?", "*": "*", drop: "" })[edits[at] ?? "keep"])
        .join(""),
    })),
);

describe("the matcher", () => {
  test("agrees with a plain one on texts and patterns at random", () => {
    fc.assert(
      fc.property(Pattern, Text, (pattern, text) => {
        expect(matches(pattern, text)).toBe(matchesPlainly(pattern, text));
      }),
      { numRuns: 3000 },
    );
  });

  test("agrees with a plain one on patterns made from the text", () => {
    let matched = 0;
    const numRuns = 3000;
    fc.assert(
      fc.property(PatternOfText, ({ pattern, text }) => {
        const expected = matchesPlainly(pattern, text);
        if (expected) matched += 1;
        expect(matches(pattern, text)).toBe(expected);
      }),
      { numRuns },
    );
    expect(matched / numRuns).toBeGreaterThan(0.15);
    expect(matched / numRuns).toBeLessThan(0.85);
  });

  test.each([
    ["", "", true],
    ["", "a", false],
    ["*", "", true],
    ["**", "", true],
    ["?", "", false],
    ["*?", "", false],
    ["?*", "a", true],
    ["*?*", "a", true],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["ab*bc", "abc", false],
    ["*ab*ab*", "abab", true],
    ["*ab*ab*", "aba", false],
    ["*a?b*", "aabxb", true],
    ["*a?b", "ab", false],
    ["?", "😀", true],
    ["??", "😀", false],
    ["*?", "😀", true],
    ["*??", "😀", false],
    ["😀*?", "😀😀", true],
    ["*😀?", "😀a😀b", true],
    ["a*\n", "a\r\n", true],
    ["[ab]", "a", false],
    [".*", "ab", false],
    ["a.c", "abc", false],
    ["^a$", "a", false],
    ["\\*", "*", false],
    ["a**b", "ab", true],
    ["?", "\uffff", true],
    ["*?", "\uffffa", true],
    ["a*😀b", "b", false],
  ])("%j on %j: %s", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
    expect(matchesPlainly(pattern, text)).toBe(expected);
  });

  const hostile = [
    ["*a*a*a*a*b", "a"],
    ["*a*a*a*a*c*", "a"],
    [`${"*a".repeat(500)}*b`, "a"],
    [`${"*a?".repeat(200)}*b*`, "a"],
    [`*${"a".repeat(200)}b*`, "a"],
    [`${"?*".repeat(500)}b`, "a"],
    ["*ab*ab*ab*ac*", "ab"],
    ["*?b*?b*?c*", "ab"],
  ] as const;
  test.each(hostile)("does not backtrack on %.40s against a long run of %s", (pattern, letters) => {
    for (const length of [1_000, 10_000, 100_000]) {
      expect(matches(pattern, letters.repeat(length / letters.length))).toBe(false);
    }
  });

  test("reads a pattern of any length in one pass", () => {
    for (const length of [1_000, 100_000, 1_000_000]) {
      const unclosed = `\${${" ".repeat(length)}a${" ".repeat(length)}`;
      expect(() => parsePattern(unclosed, { wildcards: true, variables: true })).toThrow(
        "no policy variable",
      );
      const unquoted = `\${a${" ".repeat(length)},${" ".repeat(length)}`;
      expect(() => parsePattern(unquoted, { wildcards: true, variables: true })).toThrow(
        "no policy variable",
      );
    }
  });
});

describe("a variable", () => {
  const context = new Context([
    ["name", "jane"],
    ["none", ""],
    ["star", "*"],
  ]);

  test.each([
    ["${name}", "jane", true],
    ["${NAME}", "jane", true],
    ["${ name }", "jane", true],
    ["${name}", "${name}", false],
    ["a${name}b*", "ajanebc", true],
    ["*${name}${name}*", "janejanejane", true],
    ["*${none}e*", "jane", true],
    ["${none}", "", true],
    ["${star}", "*", true],
    ["${star}", "jane", false],
    ["${unknown}", "jane", undefined],
    ["${unknown,'jane'}", "jane", true],
    ["${unknown,  'jane'  }", "jane", true],
    ["${unknown, ''}", "", true],
    ["${name, 'john'}", "jane", true],
    ["${*}${?}${$}", "*?$", true],
    ["${*}", "jane", false],
    ["${*}${name}", "*jane", true],
  ])("%s on %j: %s", (pattern, text, expected) => {
    const parts = parsePattern(pattern, { wildcards: true, variables: true });
    expect(compileGlob(parts)(text, context)).toBe(expected);
  });

  test.each([
    "${",
    "${}",
    "${ }",
    "${name",
    "${name,}",
    "${name,john}",
    "${name, 'john' 'jim'}",
    "${**,}",
    "${a${b}}",
  ])("is not %s", (pattern) => {
    expect(() => parsePattern(pattern, { wildcards: true, variables: true })).toThrow(
      `has a \`\${\` that is no policy variable, so write it as \`\${aws:username}\`: \`${pattern}\``,
    );
  });
});

describe("an ARN", () => {
  test.each([
    ["", [""], [0]],
    ["arn", ["arn"], [0]],
    [":aws", ["", "aws"], [0, 1]],
    ["arn:aws:s3", ["arn", "aws", "s3"], [0, 4, 8]],
    ["arn:aws:s3:::a:b", ["arn", "aws", "s3", "", "", "a:b"], [0, 4, 8, 11, 12, 13]],
  ])("%j is split at its first five colons", (text, fields, starts) => {
    expect(splitArn(text)).toEqual({ text, fields, starts });
  });

  test.each([
    ["arn:aws:s3:::a", "arn:aws:s3:::a", true],
    ["arn:aws:s3:::a", "arn:aws:s3:::ab", false],
    ["arn:aws:s3:::a*", "arn:aws:s3:::a/b:c", true],
    ["arn:aws:s*:::a", "arn:aws:s3:::a", true],
    ["arn:aws:s*:::a", "arn:aws:sns:::a", true],
    ["arn:aws:s?:::a", "arn:aws:sns:::a", false],
    ["arn:aws:?:::a", "arn:aws:a:::a", true],
    ["arn:aws:?:::a", "arn:aws:ab:::a", false],
    ["arn:aws:s3:::a*", "arn:aws:s3:us-east-1::a", false],
    ["arn:*:s3:::a", "arn:aws:s3:::a", true],
    ["arn:*:s3:::a", "arn:aws:x:s3:::a", false],
    ["arn:*:s3:::${name}", "arn:aws:s3:::jane", true],
    ["arn:*:s3:::${name}", "arn:aws:x:s3:::jane", false],
    ["arn:aws:${name}:::a", "arn:aws:jane:::a", true],
    ["arn:aws:${name}:::a", "arn:aws:s3:::a", false],
    ["arn:aws:s3:::${unknown}", "arn:aws:s3:::jane", undefined],
    ["${arn}", "arn:aws:s3:::a", true],
    ["${arn}", "arn:aws:s3:::b", false],
    ["*", "jane", true],
    ["arn:*", "arn:aws", true],
    ["arn:*", "arn", false],
    ["arn:aws:*:*:*:*b", "arn:aws:b", false],
    ["arn:aws:*:*:*:*b", "arn:aws:s3:::ab", true],
  ])("%s covers %s: %s", (pattern, text, expected) => {
    const context = new Context([
      ["name", "jane"],
      ["arn", "arn:aws:s3:::a"],
    ]);
    const parts = parsePattern(pattern, { wildcards: true, variables: true });
    expect(compileArn(parts, pattern)(splitArn(text), context)).toBe(expected);
  });

  test.each(["jane", "arn*:aws:s3:::a", "arm:aws:${name}:::a", "?", "*arn:aws:s3:::a"])(
    "is not %s",
    (pattern) => {
      const parts = parsePattern(pattern, { wildcards: true, variables: true });
      expect(() => compileArn(parts, pattern)).toThrow(`must begin with \`arn:\`: \`${pattern}\``);
    },
  );
});
