/**
 * Where iam-simulate is known to answer differently from AWS's documentation, or from what is decided here where that is
 * silent, each by name with its reason. A statement whose answer hangs on one of them is left out of the comparison, on
 * both sides.
 */
import { holds, isArn, readOperator, TESTS } from "./plain-conditions.ts";
import { isObject, type Json, listOf, textOf } from "./plain-door.ts";
import { actionFits, type Case, readingOf, resourceFits } from "./plain-evaluator.ts";
import { arnFields, isMultivalued, type Reading } from "./plain-text.ts";
import { readAddress, readBool, readDate, readNumber, readRange } from "./plain-values.ts";

/** One pattern of Action, NotAction, Resource or NotResource, or one listed value, and what it is held against. */
type Entry = {
  listed: string;
  asked: string;
  /** Whether it covers it, by the plain evaluator. */
  covers: boolean;
  /** Of `NotAction`, `NotResource` and the negated operators. */
  negated: boolean;
  effect: unknown;
  /** Of a condition: its operator without `IfExists` and set operator. */
  operator: string;
  reading: Reading;
  /** Whether it would cover something else, or in another Version. */
  wouldCover: (other: { asked?: string; version?: string }) => boolean;
};

/** One key under one operator. */
type Key = {
  operator: string;
  set: string | undefined;
  ifExists: boolean;
  listed: readonly string[];
  asked: string | string[] | undefined;
  /** Whether it holds, by the plain evaluator. */
  fits: boolean;
};

type Divergence = {
  name: string;
  reason: string;
  inAction?: (entry: Entry) => boolean;
  inResource?: (entry: Entry) => boolean;
  inValue?: (entry: Entry) => boolean;
  inKey?: (key: Key) => boolean;
};

const family = (operator: string): string | undefined => TESTS.get(operator)?.family;
const isText = (operator: string): boolean => family(operator) === "String" || family(operator) === "Arn";

const NOTHING: Reading = { version: undefined, context: new Map() };

type Variable = { value: string | undefined; standard: string | undefined };

/** What is none in a document without variables (`${}`) has no value either. */
function variablesIn({ listed, reading }: Entry): Variable[] {
  return [...listed.matchAll(/\$\{(?![*?$]\})([^},]*)(?:,\s*'([^'}]*)'\s*)?[^}]*\}/g)].map(
    ([, key = "", standard]) => {
      const value = reading.context.get(key.trim().toLowerCase());
      return { value: typeof value === "string" && !isMultivalued(key.trim()) ? value : undefined, standard };
    },
  );
}

const hasVariable = ({ listed }: Entry): boolean => /\$\{[^}]*\}/.test(listed);
const takesVariables = ({ reading }: Entry): boolean => reading.version === "2012-10-17";
const hasNoValue = (entry: Entry): boolean =>
  takesVariables(entry) &&
  variablesIn(entry).some(({ value, standard }) => value === undefined && standard === undefined);
const isShort = (pattern: string): boolean => pattern !== "*" && pattern.split(":").length < 6;
const hasEarlyVariable = ({ listed }: Entry): boolean =>
  listed.split(":").slice(0, 5).join(":").includes("${");
const isSix = (address: string): boolean => address.includes(":");
const isEpoch = (date: string): boolean => /^\d+$/.test(date);
const doubleOf = (text: string): number =>
  text.includes(".") ? Number.parseFloat(text) : Number.parseInt(text, 10);

/** A wildcard or variable before the first `/` or `:` of the sixth field. */
function hasEarlyWildcard(pattern: string): boolean {
  const [, , service, region, account, resource = ""] = arnFields(pattern);
  if (service === "s3" && region === "" && account === "") return false;
  const end = resource.search(/[/:]/);
  return end >= 0 && /[*?$]/.test(resource.slice(0, end));
}

export const DIVERGENCES: readonly Divergence[] = [
  {
    name: "variables without Version 2012-10-17",
    reason: "it replaces `${...}` whatever the Version; the guide has variables in 2012-10-17 only",
    inResource: (entry) => isReplaced(entry),
    inValue: (entry) => isText(entry.operator) && isReplaced(entry),
  },
  {
    name: "a variable without a value under a negated operator",
    reason:
      "it lets the condition fail; a pattern that can match nothing is not matched, so that `Not...` holds",
    inValue: (entry) => isText(entry.operator) && entry.negated && hasNoValue(entry),
  },
  {
    name: "a variable without a value in NotResource",
    reason: "it never lets such a statement match; here a Deny then excepts nothing (decided)",
    inResource: (entry) => entry.negated && hasNoValue(entry),
  },
  {
    name: "a variable whose value is empty",
    reason: "it takes an empty value, and an empty default, for none; both are texts",
    inResource: (entry) => takesVariables(entry) && isEmpty(entry),
    inValue: (entry) => isText(entry.operator) && takesVariables(entry) && isEmpty(entry),
  },
  {
    name: "a default with a comma and a blank in it",
    reason: "it splits a variable at every `, `, quoted or not",
    inResource: (entry) => hasListLikeDefault(entry),
    inValue: (entry) => isText(entry.operator) && hasListLikeDefault(entry),
  },
  {
    name: "a variable before the fifth colon",
    reason: "it splits an ARN at the colons inside variables, too",
    inResource: (entry) => takesVariables(entry) && entry.negated && hasEarlyVariable(entry),
    inValue: (entry) =>
      family(entry.operator) === "Arn" && takesVariables(entry) && hasEarlyVariable(entry) && entry.covers,
  },
  {
    name: "a wildcard before the first / or : of the resource",
    reason: "it takes that part as literal text; IAM accepts it, and 39 of AWS's own policies have it",
    inResource: ({ listed, covers }) => covers && hasEarlyWildcard(listed),
  },
  {
    name: "a short ARN with another wildcard in its last field",
    reason: "it fills up with `*`, field by field; the last `*` covers everything after",
    inResource: ({ listed, covers }) =>
      covers && isShort(listed) && /[*?].*\*$/.test(listed.split(":").at(-1) ?? ""),
  },
  {
    name: "a short ARN in NotResource",
    reason: "it never lets such a statement match, whatever is asked for",
    inResource: ({ listed, covers, negated }) => !covers && negated && isShort(listed),
  },
  {
    name: "a request without a resource",
    reason: "it lets `*` meet every ARN of an Allow; here only what covers everything (decided)",
    inResource: ({ listed, asked, effect, negated }) =>
      asked === "*" && listed !== "*" && (effect === "Allow") !== negated,
  },
  {
    name: "a * in the resource that is asked for",
    reason: "it takes it for a pattern; a request names one resource, letter by letter",
    inResource: (entry) =>
      entry.asked !== "*" &&
      entry.asked.includes("*") &&
      !["*", entry.asked].includes(entry.listed) &&
      overlaps(entry),
  },
  {
    name: "*:* as an action",
    reason: "it knows `*` alone for every action; here both are (decided)",
    inAction: ({ listed }) => listed === "*:*",
  },
  {
    name: "${*}, ${?} and ${$} where there are no wildcards",
    reason: "it leaves them as they are written under `StringEquals` and its kin",
    inValue: ({ operator, listed, asked, covers }) =>
      /^String(Not)?Equals/.test(operator) && /\$\{[*?$]\}/.test(listed) && (covers || asked.includes("${")),
  },
  {
    name: "* or ? on a line break",
    reason: "its wildcards stop at a line break",
    inValue: ({ operator, listed, asked, covers }) =>
      covers && operator.endsWith("Like") && /[*?]/.test(listed) && /[\n\r]/.test(asked),
  },
  {
    name: "? on a character beyond U+FFFF",
    reason: "its `?` is half of a surrogate pair; a character is a code point",
    inResource: (entry) => isHalved(entry),
    inValue: (entry) => /Like$|^Arn/.test(entry.operator) && isHalved(entry),
  },
  {
    name: "a number that is no double",
    reason: "it compares doubles, and reads with `parseInt` what is no number",
    inValue: ({ operator, listed, asked, covers }) =>
      family(operator) === "Numeric" && covers !== meetsAsDouble(operator, doubleOf(asked), doubleOf(listed)),
  },
  {
    name: "epoch seconds and a date",
    reason: "it reads epoch seconds as milliseconds",
    inValue: ({ operator, listed, asked }) =>
      family(operator) === "Date" && isEpoch(listed) !== isEpoch(asked),
  },
  {
    name: "a date that is none of the guide's",
    reason: "it reads whatever `Date.parse` reads, `-0` and `.1` among it",
    inValue: ({ operator, asked }) =>
      family(operator) === "Date" && readDate(asked) === undefined && !Number.isNaN(Date.parse(asked)),
  },
  {
    name: "epoch beyond the calendar",
    reason: "it knows no greatest date; here epoch seconds beyond the year 9999 are none (decided)",
    inValue: ({ operator, listed, asked }) =>
      family(operator) === "Date" &&
      [listed, asked].some((date) => isEpoch(date) && Number(date) > 253_402_300_799),
  },
  {
    name: "an IPv4 block of every address",
    reason: "it reads `/0` of IPv4 as `/32`",
    inValue: ({ operator, listed, covers }) =>
      covers && family(operator) === "Ip" && !isSix(listed) && listed.endsWith("/0"),
  },
  {
    name: "NotIpAddress with a bare address of the other family",
    reason:
      "it lets the condition fail; an IPv6 caller is outside every IPv4 address, and the other way round",
    inValue: ({ operator, listed, asked }) =>
      operator === "NotIpAddress" && !listed.includes("/") && isSix(asked) !== isSix(listed),
  },
  {
    name: "a bare IPv6 address",
    reason: "it compares it as text; `2001:DB8:0:0:0:0:0:1` is `2001:db8::1`",
    inValue: ({ operator, listed, asked, covers }) =>
      covers && family(operator) === "Ip" && isSix(listed) && !listed.includes("/") && listed !== asked,
  },
  {
    name: "an IPv4-mapped address",
    reason: "it takes `::ffff:192.0.2.1` for IPv6; it is normalised at intake",
    inValue: ({ operator, listed, asked, covers }) =>
      family(operator) === "Ip" &&
      (isSix(listed) === isSix(asked)
        ? isMapped(readRange(listed), listed) || isMapped(readAddress(asked), asked)
        : covers),
  },
  {
    name: "* alone, or a short ARN, under an ARN operator",
    reason: "it takes it for no ARN, which matches nothing and fails `Not...`",
    inValue: ({ operator, listed, covers, negated }) =>
      family(operator) === "Arn" && listed.split(":").length < 6 && (covers || negated),
  },
  {
    name: "Null with a set operator",
    reason: "it does not look at the set operator: `ForAllValues` is always true, `ForAnyValue` always false",
    inKey: (key) => key.set !== undefined && isNullOtherwise(key),
  },
  {
    name: "Null on an empty list",
    reason: "it takes it for present; a list without values is no value (decided)",
    inKey: (key) => key.set === undefined && isNullOtherwise(key),
  },
  {
    name: "ForAnyValue with IfExists on a missing key",
    reason: "it lets `ForAnyValue` decide, which fails; here `IfExists` does, which holds (decided)",
    inKey: ({ set, ifExists, asked }) => set === "ForAnyValue" && ifExists && asked === undefined,
  },
];

/** Whether replacing a variable that is literal text changes what the pattern covers. */
function isReplaced(entry: Entry): boolean {
  if (takesVariables(entry) || !hasVariable(entry)) return false;
  const isUnresolved = variablesIn(entry).some(
    ({ value, standard }) => value === undefined && (standard === undefined || standard.includes(", ")),
  );
  return (
    (entry.negated && isUnresolved) ||
    entry.covers !== entry.wouldCover({ version: "2012-10-17" }) ||
    isEmpty(entry)
  );
}

/** Not when the two are sure to agree: as when the first five fields do not fit. */
function overlaps({ listed, asked, covers, effect, negated }: Entry): boolean {
  if (covers) return effect !== "Allow" || negated || listed.includes("${");
  if (!/[*?$]/.test(listed)) {
    return (effect === "Allow") !== negated && resourceFits({ Resource: asked }, listed, NOTHING);
  }
  const early = listed.split(":").slice(0, 5);
  return early.length < 5 || resourceFits({ Resource: `${early.join(":")}:*` }, asked, NOTHING);
}

function meetsAsDouble(operator: string, asked: number, listed: number): boolean {
  if (operator.endsWith("LessThan")) return asked < listed;
  if (operator.endsWith("LessThanEquals")) return asked <= listed;
  if (operator.endsWith("GreaterThan")) return asked > listed;
  if (operator.endsWith("GreaterThanEquals")) return asked >= listed;
  return asked === listed;
}

/** Whether it would hold otherwise if a key were absent exactly when it is not there. */
function isNullOtherwise({ operator, asked, listed, fits }: Key): boolean {
  return operator === "Null" && listed.some((value) => readBool(value) === (asked === undefined)) !== fits;
}

/** A pattern that it then takes to match nothing, if it does not take the default. */
function isEmpty(entry: Entry): boolean {
  return variablesIn(entry).some(
    ({ value, standard }) =>
      (value ?? standard) === "" && (entry.covers || standard !== undefined || !takesVariables(entry)),
  );
}

function hasListLikeDefault(entry: Entry): boolean {
  return (
    takesVariables(entry) &&
    (entry.covers || entry.negated) &&
    variablesIn(entry).some(({ value, standard }) => value === undefined && standard?.includes(", "))
  );
}

function isMapped(address: { bits: number } | undefined, text: string): boolean {
  return isSix(text) && address?.bits === 32;
}

/** Whether it would be answered otherwise if each half of a surrogate pair were a character. */
function isHalved(entry: Entry): boolean {
  if (!entry.listed.includes("?") || !/[\ud800-\udfff]/.test(entry.asked)) return false;
  const asked = entry.asked.replaceAll(/[\ud800-\udfff]/g, (half) =>
    String.fromCodePoint((half.codePointAt(0) ?? 0) + 0x800),
  );
  return hasVariable(entry) || entry.covers !== entry.wouldCover({ asked });
}

/** An Action, a Resource or one key of a Condition: whether it fits plainly, and which divergences that hangs on. */
type Element = { fits: boolean; names: string[] };

/** The divergences that the answer of a statement hangs on: those of its elements, if all its other elements fit. */
export function divergencesOf(document: unknown, statement: Json, request: Case["request"]): string[] {
  const context = new Map(
    Object.entries(request.context ?? {}).map(([key, value]) => [key.toLowerCase(), value]),
  );
  const reading = readingOf(document, context);
  const elements = [
    actionOf(statement, request.action, reading),
    resourceOf(statement, request.resource, reading),
    ...keysOf(statement, reading),
  ];
  if (elements.some(({ fits, names }) => !fits && names.length === 0)) return [];
  return [...new Set(elements.flatMap(({ names }) => names))];
}

/** A value that a negated operator cannot judge: the engine refuses such a request, the oracle decides. */
export function isRefused(statement: Json, context: NonNullable<Case["request"]["context"]>): boolean {
  const reads: { [family: string]: (value: string) => unknown } = {
    Numeric: readNumber,
    Date: readDate,
    Ip: readAddress,
    Arn: (value) => (isArn(value) ? value : undefined),
  };
  const values = new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), [value].flat()]));
  return conditionsOf(statement).some(({ operator, key }) => {
    const { base } = readOperator(operator);
    const read = reads[family(base) ?? ""];
    if (!TESTS.get(base)?.negated || !read) return false;
    return values.get(key.toLowerCase())?.some((value) => read(value) === undefined) ?? false;
  });
}

function actionOf(statement: Json, asked: string, reading: Reading): Element {
  const negated = "NotAction" in statement;
  const entries = listOf(negated ? statement["NotAction"] : statement["Action"]).map((one) =>
    judged("inAction", {
      listed: String(one),
      asked,
      negated,
      effect: statement["Effect"],
      operator: "",
      reading,
      covers: actionFits({ Action: one }, asked),
      wouldCover: () => false,
    }),
  );
  return elementOf(entries, negated);
}

function resourceOf(statement: Json, asked: string, reading: Reading): Element {
  const negated = "NotResource" in statement;
  const entries = listOf(negated ? statement["NotResource"] : statement["Resource"]).map((one) =>
    judged("inResource", {
      listed: String(one),
      asked,
      negated,
      effect: statement["Effect"],
      operator: "",
      reading,
      covers: resourceFits({ Resource: one }, asked, reading),
      wouldCover: (other) =>
        resourceFits({ Resource: one }, other.asked ?? asked, {
          ...reading,
          version: other.version ?? reading.version,
        }),
    }),
  );
  return elementOf(entries, negated);
}

function keysOf(statement: Json, reading: Reading): Element[] {
  return conditionsOf(statement).map(({ operator, key, listed }) => {
    const { base, set, ifExists } = readOperator(operator);
    const given = reading.context.get(key.toLowerCase());
    const asked = typeof given === "string" && isMultivalued(key) ? [given] : given;
    const fits = holds(operator, key, listed, reading);
    const names = DIVERGENCES.filter(({ inKey }) =>
      inKey?.({ operator: base, set, ifExists, listed, asked, fits }),
    ).map(({ name }) => name);
    const test = TESTS.get(base);
    if (names.length > 0 || !test || asked === undefined) return { fits, names };
    if (set === undefined && typeof asked !== "string") return { fits, names };
    const elements = [asked].flat().map((value) =>
      elementOf(
        listed.map((one) =>
          judged("inValue", {
            listed: one,
            asked: value,
            negated: test.negated,
            effect: statement["Effect"],
            operator: base,
            reading,
            covers: test.meets(value, one, reading),
            wouldCover: (other) =>
              test.meets(other.asked ?? value, one, {
                ...reading,
                version: other.version ?? reading.version,
              }),
          }),
        ),
        test.negated,
      ),
    );
    return { fits, names: elements.flatMap((element) => element.names) };
  });
}

function conditionsOf(statement: Json): { operator: string; key: string; listed: string[] }[] {
  const blocks = isObject(statement["Condition"]) ? Object.entries(statement["Condition"]) : [];
  return blocks.flatMap(([operator, keys]) =>
    Object.entries(isObject(keys) ? keys : {}).map(([key, values]) => ({
      operator,
      key,
      listed: listOf(values).map((value) => textOf(value) ?? ""),
    })),
  );
}

type Judged = { covers: boolean; names: string[] };

function judged(place: "inAction" | "inResource" | "inValue", entry: Entry): Judged {
  const found = DIVERGENCES.filter((divergence) => divergence[place]?.(entry));
  return { covers: entry.covers, names: found.map(({ name }) => name) };
}

/** One entry that covers it and has no divergence decides for both. */
function elementOf(entries: readonly Judged[], negated: boolean): Element {
  const isCovered = entries.some(({ covers }) => covers);
  const isSure = entries.some(({ covers, names }) => covers && names.length === 0);
  return { fits: isCovered !== negated, names: isSure ? [] : entries.flatMap(({ names }) => names) };
}
