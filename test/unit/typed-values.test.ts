import { describe, expect, test } from "vitest";
import { Context } from "../../shared/iam/context.ts";
import { checkContext } from "../../shared/iam/evaluate.ts";
import { readDate } from "../../shared/iam/date.ts";
import { findOperator } from "../../shared/iam/operators.ts";
import { compilePolicy } from "../../shared/iam/policy.ts";

describe("a listed value of the wrong kind", () => {
  test.each([
    ["NumericEquals", "must be a number: `x`"],
    ["DateEquals", "must be a date, as `2024-05-26T12:00:00Z` or in epoch seconds: `x`"],
    ["Bool", "must be `true` or `false`: `x`"],
    ["BinaryEquals", "must be base64: `x`"],
    ["IpAddress", "must be an IP address or CIDR block: `x`"],
  ])("under %s: %s", (name, message) => {
    expect(() => findOperator(name)?.compile("x", true)).toThrow(message);
  });
});

describe("a request's value that a negated operator cannot read", () => {
  const policyOf = (operator: string) => ({
    name: "P",
    policy: compilePolicy({
      Version: "2012-10-17",
      Statement: {
        Effect: "Allow",
        Action: "*",
        Resource: "*",
        Condition: { [operator]: { "aws:Key": "1" } },
      },
    }),
  });

  test("is named with its key and operator, at no more than 80 characters", () => {
    const check = (value: string | string[]) => () => {
      checkContext(policyOf("NumericNotEquals"), new Context([["aws:Key", value]]));
    };
    const fault = '`context["aws:key"]` cannot be compared by `NumericNotEquals`: ';
    expect(check("ten")).toThrow(`${fault}\`ten\``);
    expect(check(["1", "ten"])).toThrow(`${fault}\`ten\``);
    expect(check("x".repeat(81))).toThrow(`${fault}\`${"x".repeat(80)}\``);
    expect(check("10")).not.toThrow();
    expect(check(["1", "2"])).not.toThrow();
  });

  test("may be anything where texts are compared", () => {
    expect(() => {
      checkContext(policyOf("StringNotEquals"), new Context([["aws:Key", "ten"]]));
    }).not.toThrow();
  });
});

describe("a date", () => {
  /** Some 128 days, so that every part of a date changes. */
  const STEP = 11_103_827_000;

  test("is the second that JavaScript reads, from the year 0 to the year 9999", () => {
    const end = Date.parse("9999-12-31T23:59:59Z");
    for (let time = Date.parse("0000-01-01T00:00:00Z"); time <= end; time += STEP) {
      const text = new Date(time).toISOString().replace(".000Z", "Z");
      if (readDate(text) !== time / 1000) expect.fail(text);
    }
  });
});

describe("a context", () => {
  test("names a key that is there twice, in different case", () => {
    const twice = [
      ["aws:First", "1"],
      ["aws:Key", "2"],
      ["AWS:KEY", "3"],
    ] as const;
    expect(() => new Context(twice)).toThrow('`context["AWS:KEY"]` is there twice, in different case');
    const many = Array.from({ length: 70 }, (_, number) => [`aws:Key${number}`, "1"] as const);
    expect(() => new Context([...many, ["aws:key7", "2"]])).toThrow(
      '`context["aws:key7"]` is there twice, in different case',
    );
  });

  test("names what was asked for and absent once, in order", () => {
    const context = new Context([["aws:There", "1"]]);
    expect(context.absent).toEqual([]);
    for (const key of ["aws:there", "aws:b", "aws:a", "aws:b"]) context.ask(key);
    expect(context.absent).toEqual(["aws:a", "aws:b"]);
  });

  test("has every value under its key, however many sets of keys there were before", () => {
    for (let number = 0; number < 3000; number += 1) {
      const context = new Context([
        ["aws:Kept", "1"],
        [`aws:Key${number}`, `${number}`],
      ]);
      expect(context.get(`aws:key${number}`)).toBe(`${number}`);
      expect(context.get("aws:kept")).toBe("1");
      expect(context.get(`aws:key${number + 1}`)).toBeUndefined();
    }
  });
});
