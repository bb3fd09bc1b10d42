import { arnCovers, arnFields, globCovers, isMultivalued, type Reading, signsOf } from "./plain-text.ts";
import {
  compareExact,
  rangeHolds,
  readAddress,
  readBool,
  readBytes,
  readDate,
  readNumber,
  readRange,
} from "./plain-values.ts";

type Family = "String" | "Numeric" | "Date" | "Bool" | "Binary" | "Ip" | "Arn" | "Null";

type Test = {
  family: Family;
  negated: boolean;
  /** Whether one value of the request meets one value of the policy, the negation left aside. */
  meets: (asked: string, listed: string, reading: Reading) => boolean;
};

/** A value that the negated operators of its family cannot judge. */
class MalformedValue extends Error {}

const same = (asked: string, listed: string, reading: Reading): boolean => literal(listed, reading) === asked;
const sameIgnoringCase = (asked: string, listed: string, reading: Reading): boolean =>
  literal(listed, reading)?.toLowerCase() === asked.toLowerCase();

function literal(listed: string, reading: Reading): string | undefined {
  return signsOf(listed, false, reading)
    ?.map((sign) => (sign.kind === "letter" ? sign.letter : ""))
    .join("");
}

function like(asked: string, listed: string, reading: Reading): boolean {
  const signs = signsOf(listed, true, reading);
  return signs !== undefined && globCovers(signs, asked);
}

function arnLike(asked: string, listed: string, reading: Reading): boolean {
  const signs = signsOf(listed, true, reading);
  return signs !== undefined && isArn(asked) && arnCovers(signs, asked);
}

export function isArn(text: string): boolean {
  return arnFields(text).length === 6 && text.startsWith("arn:");
}

function numbers(accepts: (order: number) => boolean): Test["meets"] {
  return (asked, listed) => {
    const [left, right] = [readNumber(asked), readNumber(listed)];
    return left !== undefined && right !== undefined && accepts(compareExact(left, right));
  };
}

function dates(accepts: (order: number) => boolean): Test["meets"] {
  return (asked, listed) => {
    const [left, right] = [readDate(asked), readDate(listed)];
    return left !== undefined && right !== undefined && accepts(compareExact(left, right));
  };
}

function inRange(asked: string, listed: string): boolean {
  const [address, range] = [readAddress(asked), readRange(listed)];
  return address !== undefined && range !== undefined && rangeHolds(range, address);
}

function sameBool(asked: string, listed: string): boolean {
  return readBool(asked) !== undefined && readBool(asked) === readBool(listed);
}

function sameBytes(asked: string, listed: string): boolean {
  return readBytes(asked) !== undefined && readBytes(asked) === readBytes(listed);
}

const equal = (order: number): boolean => order === 0;

export const TESTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["StringEquals", { family: "String", negated: false, meets: same }],
  ["StringNotEquals", { family: "String", negated: true, meets: same }],
  ["StringEqualsIgnoreCase", { family: "String", negated: false, meets: sameIgnoringCase }],
  ["StringNotEqualsIgnoreCase", { family: "String", negated: true, meets: sameIgnoringCase }],
  ["StringLike", { family: "String", negated: false, meets: like }],
  ["StringNotLike", { family: "String", negated: true, meets: like }],
  ["NumericEquals", { family: "Numeric", negated: false, meets: numbers(equal) }],
  ["NumericNotEquals", { family: "Numeric", negated: true, meets: numbers(equal) }],
  ["NumericLessThan", { family: "Numeric", negated: false, meets: numbers((order) => order < 0) }],
  ["NumericLessThanEquals", { family: "Numeric", negated: false, meets: numbers((order) => order <= 0) }],
  ["NumericGreaterThan", { family: "Numeric", negated: false, meets: numbers((order) => order > 0) }],
  ["NumericGreaterThanEquals", { family: "Numeric", negated: false, meets: numbers((order) => order >= 0) }],
  ["DateEquals", { family: "Date", negated: false, meets: dates(equal) }],
  ["DateNotEquals", { family: "Date", negated: true, meets: dates(equal) }],
  ["DateLessThan", { family: "Date", negated: false, meets: dates((order) => order < 0) }],
  ["DateLessThanEquals", { family: "Date", negated: false, meets: dates((order) => order <= 0) }],
  ["DateGreaterThan", { family: "Date", negated: false, meets: dates((order) => order > 0) }],
  ["DateGreaterThanEquals", { family: "Date", negated: false, meets: dates((order) => order >= 0) }],
  ["Bool", { family: "Bool", negated: false, meets: sameBool }],
  ["BinaryEquals", { family: "Binary", negated: false, meets: sameBytes }],
  ["IpAddress", { family: "Ip", negated: false, meets: inRange }],
  ["NotIpAddress", { family: "Ip", negated: true, meets: inRange }],
  ["ArnEquals", { family: "Arn", negated: false, meets: arnLike }],
  ["ArnLike", { family: "Arn", negated: false, meets: arnLike }],
  ["ArnNotEquals", { family: "Arn", negated: true, meets: arnLike }],
  ["ArnNotLike", { family: "Arn", negated: true, meets: arnLike }],
]);

/** `ForAnyValue:StringLikeIfExists` in its three parts. */
export function readOperator(name: string): { set: string | undefined; base: string; ifExists: boolean } {
  const [, set, base = "", ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(name) ?? [];
  return { set, base, ifExists: ifExists !== undefined };
}

function isWellFormed(family: Family, value: string): boolean {
  if (family === "Numeric") return readNumber(value) !== undefined;
  if (family === "Date") return readDate(value) !== undefined;
  if (family === "Ip") return readAddress(value) !== undefined;
  if (family === "Arn") return isArn(value);
  return true;
}

/** Intake: a value that a negated operator cannot judge refuses the whole request. */
export function refuseMalformed(operator: string, key: string, reading: Reading): void {
  const test = TESTS.get(readOperator(operator).base);
  const asked = reading.context.get(key.toLowerCase());
  if (!test?.negated || asked === undefined) return;
  for (const value of typeof asked === "string" ? [asked] : asked) {
    if (!isWellFormed(test.family, value)) throw new MalformedValue(`${operator} ${key}: ${value}`);
  }
}

/** One operator on one key. */
export function holds(operator: string, key: string, listed: readonly string[], reading: Reading): boolean {
  const { set, base, ifExists } = readOperator(operator);
  const asked = reading.context.get(key.toLowerCase());
  if (base === "Null") {
    if (set !== undefined) return set === "ForAllValues";
    const absent = typeof asked !== "string" && (asked ?? []).length === 0;
    return listed.some((value) => readBool(value) === absent);
  }
  const test = TESTS.get(base);
  if (!test) throw new Error(`no operator ${operator}`);
  const meetsSome = (value: string): boolean => listed.some((one) => test.meets(value, one, reading));
  const passes = (value: string): boolean => meetsSome(value) !== test.negated;

  if (asked === undefined) {
    if (ifExists) return true;
    if (set !== undefined) return set === "ForAllValues";
    return test.negated;
  }
  const values = typeof asked === "string" ? [asked] : asked;
  if (set === "ForAllValues") return values.every(passes);
  if (set === "ForAnyValue") return values.some(passes);
  if (typeof asked !== "string" || isMultivalued(key)) return false;
  return passes(asked);
}
