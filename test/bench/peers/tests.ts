import { type Attributes, blockOf, like, secondsOf, type Test, unknownTest, type Value } from "./rules.ts";

type Check = (value: Value | undefined) => boolean;

/** A condition as a function over typed attributes, for peers whose own language has no such operator. */
export function compileTests(tests: readonly Test[]): (attributes: Attributes) => boolean {
  const checks = tests.map((test) => ({ key: test.key, check: compileTest(test) }));
  return (attributes) => checks.every(({ key, check }) => check(attributes[key]));
}

function compileTest(test: Test): Check {
  const { operator, values } = test;
  const [value = ""] = values;
  switch (operator) {
    case "Bool":
      return (given) => given === (value === "true");
    case "BoolIfExists":
      return (given) => given === undefined || given === (value === "true");
    case "StringEquals":
      return (given) => typeof given === "string" && values.includes(given);
    case "StringLike": {
      const pattern = like(value);
      return (given) => typeof given === "string" && pattern.test(given);
    }
    case "NumericLessThan":
      return lessThan(Number(value));
    case "NumericGreaterThan":
      return greaterThan(Number(value));
    case "DateLessThan":
      return lessThan(secondsOf(value));
    case "DateGreaterThan":
      return greaterThan(secondsOf(value));
    case "IpAddress":
      return inBlocks(values);
    case "NotIpAddress": {
      const inside = inBlocks(values);
      return (given) => !inside(given);
    }
    default:
      throw unknownTest(test);
  }
}

function lessThan(bound: number): Check {
  return (given) => typeof given === "number" && given < bound;
}

function greaterThan(bound: number): Check {
  return (given) => typeof given === "number" && given > bound;
}

function inBlocks(cidrs: readonly string[]): Check {
  const blocks = cidrs.map(blockOf);
  return (given) =>
    typeof given === "number" && blocks.some(({ first, last }) => given >= first && given <= last);
}
