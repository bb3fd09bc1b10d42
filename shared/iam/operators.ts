import { compileArn, isArn, splitArn } from "./arn.ts";
import { compareDecimals, readDecimal } from "./decimal.ts";
import { compareDates, readDate } from "./date.ts";
import { type ErrorCode, quote } from "./finding.ts";
import { compileGlob } from "./glob.ts";
import { InvalidValue } from "./invalid-value.ts";
import { holdsAddress, readAddress, readCidr } from "./ip.ts";
import { rememberLast } from "./remember.ts";
import { hasVariable, type Part, type Pattern, parsePattern, resolveVariables } from "./pattern.ts";

/**
 * A condition operator, without its `IfExists` and set qualifier.
 * Source of all of them: IAM User Guide, "IAM JSON policy elements: Condition operators".
 */
export type Operator = {
  readonly name: string;
  /** Holds when the request's value matches none of the listed ones. */
  readonly negated: boolean;
  /**
   * Compiles one listed value.
   * @throws InvalidValue for a value the operator does not take
   */
  readonly compile: (value: string, variables: boolean) => Pattern;
  /** Whether a request's value is of the kind this operator compares; left out where any text is. */
  readonly reads?: (value: string) => boolean;
};

/** Compares texts, wildcards and variables allowed as `toPattern` says. */
function text(
  name: string,
  negated: boolean,
  wildcards: boolean,
  toPattern: (parts: Part[], value: string) => Pattern,
): Operator {
  return {
    name,
    negated,
    compile: (value, variables) => toPattern(parsePattern(value, { wildcards, variables }), value),
  };
}

/** What an operator takes, with its article, and what it is called when a value is none. */
type Kind = { readonly code: ErrorCode; readonly kind: string };

const NUMBER: Kind = { code: "invalid-number", kind: "a number" };
const DATE: Kind = { code: "invalid-date", kind: "a date, as `2024-05-26T12:00:00Z` or in epoch seconds" };
const BOOLEAN: Kind = { code: "invalid-boolean", kind: "`true` or `false`" };
const BINARY: Kind = { code: "invalid-binary", kind: "base64" };
const IP: Kind = { code: "invalid-ip", kind: "an IP address or CIDR block" };

/** Compares values of a type. */
function typed<Listed, Given>(
  name: string,
  negated: boolean,
  { code, kind }: Kind,
  readListed: (value: string) => Listed | undefined,
  readGiven: (value: string) => Given | undefined,
  holds: (given: Given, listed: Listed) => boolean,
): Operator {
  return {
    name,
    negated,
    compile: (value) => {
      const listed = readListed(value);
      if (value.includes("${")) {
        throw new InvalidValue(
          "variable-not-allowed",
          `must be ${kind}, without a variable: ${quote(value)}`,
        );
      }
      if (listed === undefined) throw new InvalidValue(code, `must be ${kind}: ${quote(value)}`);
      return (candidate) => {
        const given = readGiven(candidate);
        return given !== undefined && holds(given, listed);
      };
    },
    reads: (value) => readGiven(value) !== undefined,
  };
}

const RELATIONS = [
  { suffix: "Equals", negated: false, holds: (order: number) => order === 0 },
  { suffix: "NotEquals", negated: true, holds: (order: number) => order === 0 },
  { suffix: "LessThan", negated: false, holds: (order: number) => order < 0 },
  { suffix: "LessThanEquals", negated: false, holds: (order: number) => order <= 0 },
  { suffix: "GreaterThan", negated: false, holds: (order: number) => order > 0 },
  { suffix: "GreaterThanEquals", negated: false, holds: (order: number) => order >= 0 },
] as const;

/** The six relations over an ordered type: `NumericEquals`, `DateLessThan`, ... */
function ordered<T>(
  prefix: string,
  kind: Kind,
  read: (value: string) => T | undefined,
  compare: (a: T, b: T) => number,
): Operator[] {
  const readOnce = rememberLast(read);
  return RELATIONS.map(({ suffix, negated, holds }) =>
    typed(prefix + suffix, negated, kind, read, readOnce, (given, listed) => holds(compare(given, listed))),
  );
}

/** Ignores case, in what variables stand for as well. */
function ignoreCase(parts: Part[]): Pattern {
  const compileLowered = (some: readonly Part[]) =>
    // Stryker disable next-line ConditionalExpression: for the types; what is resolved, or has no variable, is text
    compileGlob(some.map((part) => (typeof part === "string" ? part.toLowerCase() : part)));
  // Stryker disable next-line ConditionalExpression,BlockStatement: compiled once where that is possible
  if (!hasVariable(parts)) {
    const matches = compileLowered(parts);
    return (value, context) => matches(value.toLowerCase(), context);
  }
  return (value, context) => {
    const resolved = resolveVariables(parts, context);
    return resolved && compileLowered(resolved)(value.toLowerCase(), context);
  };
}

function arn(name: string, negated: boolean): Operator {
  const toPattern = (parts: Part[], text: string): Pattern => {
    const matches = compileArn(parts, text);
    return (value, context) => {
      const given = splitArnOnce(value);
      return isArn(given) && matches(given, context);
    };
  };
  return { ...text(name, negated, true, toPattern), reads: (value) => isArn(splitArnOnce(value)) };
}

const readBoolean = (value: string) =>
  // Stryker disable next-line ConditionalExpression,LogicalOperator: the usual spelling, without more ado
  value === "true" || value === "false"
    ? value
    : /^(?:true|false)$/i.test(value)
      ? value.toLowerCase()
      : undefined;
const readBase64 = (value: string) =>
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)
    ? Buffer.from(value, "base64").toString("latin1")
    : undefined;
/** A request's value is compared with many listed ones in a row. */
const readAddressOnce = rememberLast(readAddress);
const splitArnOnce = rememberLast(splitArn);
const same = (given: string, listed: string) => given === listed;

const OPERATORS: readonly Operator[] = [
  text("StringEquals", false, false, compileGlob),
  text("StringNotEquals", true, false, compileGlob),
  text("StringEqualsIgnoreCase", false, false, ignoreCase),
  text("StringNotEqualsIgnoreCase", true, false, ignoreCase),
  text("StringLike", false, true, compileGlob),
  text("StringNotLike", true, true, compileGlob),
  ...ordered("Numeric", NUMBER, readDecimal, compareDecimals),
  ...ordered("Date", DATE, readDate, compareDates),
  typed("Bool", false, BOOLEAN, readBoolean, readBoolean, same),
  typed("BinaryEquals", false, BINARY, readBase64, readBase64, same),
  typed("IpAddress", false, IP, readCidr, readAddressOnce, (given, listed) => holdsAddress(listed, given)),
  typed("NotIpAddress", true, IP, readCidr, readAddressOnce, (given, listed) => holdsAddress(listed, given)),
  arn("ArnEquals", false),
  arn("ArnLike", false),
  arn("ArnNotEquals", true),
  arn("ArnNotLike", true),
  typed("Null", false, BOOLEAN, readBoolean, readBoolean, same),
];

const BY_NAME = new Map(OPERATORS.map((operator) => [operator.name, operator]));

/** The operator of that exact name. */
export function findOperator(name: string): Operator | undefined {
  return BY_NAME.get(name);
}

/** As a condition block may write them, by their letters without case and `s`. */
const BY_LETTERS = new Map(
  ["", "ForAllValues:", "ForAnyValue:"]
    .flatMap((qualifier) => OPERATORS.map(({ name }) => qualifier + name))
    .flatMap((use) => (use.endsWith("Null") ? [use] : [use, `${use}IfExists`]))
    .map((use) => [lettersOf(use), use]),
);

/** How an operator is written, qualifier and `IfExists` included, that was written in another case, or with an `s` too many or too few. */
export function operatorMeantBy(text: string): string | undefined {
  return BY_LETTERS.get(lettersOf(text));
}

function lettersOf(text: string): string {
  return text.trim().toLowerCase().replaceAll("s", "");
}
