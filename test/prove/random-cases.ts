import { readOperator, TESTS } from "./plain-conditions.ts";
import type { Case, Context, More } from "./plain-evaluator.ts";
import { DEPLOY, MANAGE, POLICY_ONLY, SHOW } from "./plain-evaluator.ts";
import { rawNumber } from "./raw-numbers.ts";

/** Seeded choices: the same seed gives the same cases (mulberry32). */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  is(share: number): boolean {
    return this.next() < share;
  }

  of<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    return item as Item;
  }

  list<Item>(least: number, most: number, item: () => Item): Item[] {
    return Array.from({ length: least + this.below(most - least + 1) }, item);
  }
}

/** The seed of one case of a run. */
export function seedOf(run: number, index: number): number {
  return Math.imul(run, 0x9e3779b1) + Math.imul(index, 0x85ebca6b);
}

export type RandomCase = { asked: Case; more: More };

const STACKS = ["2f18b4cb-4de5-4429-a149-ff7da9f0d8ee", "2f18b4cb-4de5-4429-a149-ff7da9f0d8ef"].map(
  (id) => `arn:aws:opsworks:us-east-1:111122223333:stack/${id}/`,
);

const RESOURCES = [
  ...STACKS,
  "arn:aws:opsworks:us-east-1:111122223333:stack/ab",
  "arn:aws:opsworks:eu-west-1:111122223333:stack/ab/",
  "arn:aws:opsworks:us-east-1:111122223333:stack/*/",
  "arn:aws:iam::111122223333:role/svc",
  "arn:aws:iam::111122223333:user/bob",
  "arn:aws:s3:::b/bob",
  "arn:aws:s3:::b/a*b",
  "arn:aws:s3:::b/aab:ab/",
  "arn:aws:s3:::b/\u{1f600}",
  "arn:aws-cn:s3:::b/",
  "*",
];

const ACTIONS = [
  ...[
    ...SHOW,
    ...DEPLOY,
    ...MANAGE,
    ...POLICY_ONLY,
    "DescribeMyUserProfile",
    "UpdateMyUserProfile",
    "NoSuch",
  ].map((name) => `opsworks:${name}`),
  "s3:GetObject",
  "s3:GetObjectAcl",
  "iam:PassRole",
  "stackwarden:CheckAuthorization",
];

const FREQUENT = [
  "opsworks:DescribeStacks",
  "opsworks:DescribePermissions",
  "opsworks:DescribeMyUserProfile",
  "opsworks:GrantAccess",
  "opsworks:CreateDeployment",
  "opsworks:CreateStack",
  "opsworks:StopInstance",
  "stackwarden:CheckAuthorization",
];

const TEXTS = [
  "bob",
  "Bob",
  "bo*",
  "b?b",
  "a",
  "ab",
  "aab",
  "a*b",
  "",
  "\u00e9",
  "\u00c9",
  "\u{1f600}b",
  "a\nb",
  "a:b",
  "a/b",
  "${aws:username}",
  "7",
  "true",
];
const NUMBERS = [
  "0",
  "-0",
  "7",
  "7.0",
  "007",
  "7.5",
  "-7.5",
  "9007199254740992",
  "9007199254740993",
  "9007199254740992.5",
  "123456789012345678901234567890",
  "0.1",
  "0.10000000000000000001",
];
const DATES = [
  "2026-01-01T00:00:00Z",
  "2026-01-01T02:00:00+02:00",
  "2025-12-31T19:30:00-04:30",
  "2026-01-01T00:00:00",
  "2026-01-01",
  "1767225600",
  "1767225601",
  "2026-01-01T00:00:01Z",
  "2026-01-01T00:00:00.5Z",
  "2026-01-01T00:00:00.500Z",
  "2024-02-29T23:59:59Z",
  "2026-01-01T00:00Z",
  "2026-01",
  "2026-01-01T05:30:00+0530",
];
const ADDRESSES = [
  "192.0.2.1",
  "192.0.2.254",
  "192.0.3.1",
  "::ffff:192.0.2.1",
  "::ffff:c000:201",
  "2001:db8::1",
  "2001:DB8:0:0:0:0:0:1",
  "2001:db8:1::1",
  "0.0.0.0",
  "255.255.255.255",
  "::",
  "::1",
];
const RANGES = [
  ...ADDRESSES.filter((address) => !address.startsWith("::ffff")),
  "0.0.0.0/0",
  "::/0",
  "192.0.2.0/24",
  "192.0.2.7/24",
  "192.0.2.0/23",
  "192.0.2.0/25",
  "192.0.2.1/32",
  "2001:db8::/32",
  "2001:db8::/47",
  "2001:db8:1::/48",
  "2001:db8::1/128",
  "128.0.0.0/1",
  "192.0.2.1/0",
  "::ffff:192.0.2.1",
  "::ffff:192.0.2.0/120",
  "::ffff:0:0/96",
];
const BYTES = ["QQ==", "QUI=", "QUJD", "QUJE", "", "+/+/", "qq=="];
const BOOLS = ["true", "false", "True", "FALSE"];
const ARNS = RESOURCES.filter((resource) => resource !== "*").concat(
  "arn:aws:sns:us-east-1:111122223333:a:b",
);

type Kind = "text" | "account" | "number" | "date" | "address" | "bytes" | "bool" | "arn";

const POOLS: { [kind in Kind]: readonly string[] } = {
  text: TEXTS,
  account: ["111122223333", "111122223333", "*", "", "111122223333:role/svc", "us-east-1:111122223333"],
  number: NUMBERS,
  date: DATES,
  address: ADDRESSES,
  bytes: BYTES,
  bool: BOOLS,
  arn: ARNS,
};

const KEYS: readonly (readonly [string, Kind])[] = [
  ["aws:username", "text"],
  ["aws:PrincipalTag/team", "text"],
  ["aws:ResourceTag/stage", "text"],
  ["iam:PassedToService", "text"],
  ["aws:PrincipalAccount", "account"],
  ["aws:TagKeys", "text"],
  ["aws:CalledVia", "text"],
  ["s3:max-keys", "number"],
  ["s3:signatureAge", "number"],
  ["aws:CurrentTime", "date"],
  ["aws:EpochTime", "date"],
  ["aws:SourceIp", "address"],
  ["aws:VpcSourceIp", "address"],
  ["aws:SecureTransport", "bool"],
  ["aws:MultiFactorAuthPresent", "bool"],
  ["aws:PrincipalArn", "arn"],
  ["aws:SourceArn", "arn"],
  ["s3:bytes", "bytes"],
];

const LISTS = ["aws:TagKeys", "aws:CalledVia"];

const KIND_OF: { [family: string]: Kind } = {
  String: "text",
  Numeric: "number",
  Date: "date",
  Ip: "address",
  Bool: "bool",
  Binary: "bytes",
  Arn: "arn",
};

export function randomCase(seed: number): RandomCase {
  const chance = new Chance(seed);
  const action = chance.of(chance.is(0.5) ? FREQUENT : ACTIONS);
  const resource = chance.of(chance.is(0.55) ? STACKS : RESOURCES);
  const context = randomContext(chance);
  const request: Case["request"] = {
    action: chance.is(0.1) ? swapCase(chance, action) : action,
    resource,
    context,
  };
  if (chance.is(0.05)) {
    request.principalArn = chance.of([
      "arn:aws:iam::111122223333:root",
      "arn:aws:iam::444455556666:root",
      "arn:aws:iam::111122223333:user/bob",
      "arn:aws-cn:iam::111122223333:root",
    ]);
  }
  const about: About = { action, resource, context };
  const effects = chance.is(0.3) ? 0.1 : 0.35;
  const asked: Case = {
    policies: chance.list(0, 3, () => randomDocument(chance, about, effects, 0.75)),
    request,
  };
  if (chance.is(0.2)) asked.boundary = randomDocument(chance, about, 0.1, 0.92);
  if (chance.is(0.15)) asked.sessionPolicy = randomDocument(chance, about, 0.1, 0.92);
  if (chance.is(0.6))
    asked.level = chance.of(["deny", "iam_only", "show", "deploy", "manage", "manage"] as const);
  if (chance.is(0.3)) asked.selfManagement = chance.is(0.7);
  if (chance.is(0.02)) spoil(chance, asked);
  return { asked, more: request.principalArn === undefined ? randomMore(chance) : {} };
}

function randomMore(chance: Chance): More {
  const more: More = {};
  if (chance.is(0.03)) more.unreadable = true;
  if (chance.is(0.05)) more.allowSsh = chance.is(0.5);
  if (chance.is(0.1)) more.mustPassRole = "arn:aws:iam::111122223333:role/svc";
  return more;
}

type About = { action: string; resource: string; context: Context };

function randomContext(chance: Chance): Context {
  const context: Context = {};
  for (const [key, kind] of KEYS) {
    if (chance.is(0.35)) continue;
    const value = (): string =>
      chance.is(0.003) ? chance.of(["no", "1e3", "7abc", "300.0.0.1"]) : chance.of(POOLS[kind]);
    const isList = chance.is(LISTS.includes(key) ? 0.9 : 0.04);
    context[chance.is(0.1) ? swapCase(chance, key) : key] = isList ? chance.list(0, 3, value) : value();
  }
  return context;
}

/** `aim` is how likely each element is made to fit the request. */
function randomDocument(chance: Chance, about: About, denies: number, aim: number): unknown {
  const version = chance.of(["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", undefined]);
  const statements = chance.list(1, 3, () => randomStatement(chance, about, denies, aim, version));
  return {
    ...(version === undefined ? {} : { Version: version }),
    ...(chance.is(0.05) ? { Id: "any" } : {}),
    Statement: statements.length === 1 && chance.is(0.5) ? statements[0] : statements,
  };
}

function randomStatement(
  chance: Chance,
  about: About,
  denies: number,
  aim: number,
  version: string | undefined,
): unknown {
  const [notAction, notResource] = [chance.is(0.12), chance.is(0.12)];
  const actions = chance.list(1, 3, () => actionPattern(chance, about.action, notAction ? 0.15 : aim));
  const resources = chance.list(1, 3, () =>
    resourcePattern(chance, about, notResource ? 0.15 : aim, version === "2012-10-17"),
  );
  return {
    Effect: chance.is(denies) ? "Deny" : "Allow",
    [notAction ? "NotAction" : "Action"]: bare(chance, actions),
    [notResource ? "NotResource" : "Resource"]: bare(chance, resources),
    ...(chance.is(0.02) ? { Condition: {} } : {}),
    ...(chance.is(0.6)
      ? { Condition: randomConditions(chance, about.context, aim, version === "2012-10-17") }
      : {}),
  };
}

function bare(chance: Chance, list: readonly unknown[]): unknown {
  return list.length === 1 && chance.is(0.5) ? list[0] : list;
}

function actionPattern(chance: Chance, action: string, aim: number): string {
  if (chance.is(0.06)) return chance.of(["*", "*:*"]);
  const meant = chance.is(aim) ? action : chance.of(ACTIONS);
  const [service = "", name = ""] = meant.split(":");
  const pattern = `${service}:${chance.is(0.5) ? name : globbed(chance, name, false)}`;
  return chance.is(0.2) ? swapCase(chance, pattern) : pattern;
}

/** A text with a few wildcards in it, which mostly still covers it; `near` may spoil one letter. */
function globbed(chance: Chance, text: string, near: boolean): string {
  const letters = Array.from(text);
  for (let times = chance.below(3); times > 0; times -= 1) {
    const at = chance.below(letters.length + 1);
    if (chance.is(0.3)) letters.splice(at, 1, "?");
    else letters.splice(at, chance.below(letters.length + 1 - at), "*");
  }
  if (near && chance.is(0.08))
    letters.splice(chance.below(letters.length + 1), 1, chance.of(["a", "b", "/", "?", "*"]));
  const pattern = letters
    .map((letter) => ((letter.codePointAt(0) ?? 0) > 0xff || letter < " " ? "?" : letter))
    .join("");
  return pattern === "" ? "*" : pattern;
}

function swapCase(chance: Chance, text: string): string {
  return Array.from(text)
    .map((letter) => (chance.is(0.5) ? letter.toUpperCase() : letter.toLowerCase()))
    .join("");
}

function resourcePattern(chance: Chance, about: About, aim: number, variables: boolean): string {
  if (chance.is(about.resource === "*" ? 0.6 : 0.12)) return "*";
  const meant = chance.is(aim) ? about.resource : chance.of(RESOURCES);
  return arnPattern(chance, meant === "*" ? chance.of(ARNS) : meant, about.context, variables);
}

function arnPattern(chance: Chance, arn: string, context: Context, variables: boolean): string {
  const [, partition = "", service = "", region = "", account = "", ...parts] = arn.split(":");
  const rest = parts.join(":");
  const early = [partition, service, region, account].map((field, index) => {
    if (index === 2 && service === "iam") return field;
    if (chance.is(0.75)) return field;
    if (index > 0 && chance.is(0.06)) return chance.of(["${aws:PrincipalAccount}", "${iam:PassedToService}"]);
    return chance.is(0.6) || field === "" ? "*" : globbed(chance, field, true);
  });
  if (chance.is(0.06))
    return `arn:${early
      .slice(0, chance.below(4))
      .map((field) => `${field}:`)
      .join("")}*`;
  if (chance.is(0.03))
    return `arn:${early[0]}:${service.slice(0, 2)}*${chance.is(0.5) ? legible(rest.slice(0, 3)) : ""}*`;
  const tail = chance.is(0.4) ? rest : globbed(chance, rest, true);
  const text = chance.is(0.25) ? withVariable(chance, tail, context, variables) : tail;
  return `arn:${early.join(":")}:${legible(text)}`;
}

/** What a document may hold: no line breaks in an ARN, nothing beyond U+00FF. */
function legible(text: string): string {
  return text.replaceAll(/[^\n\u0020-\u00ff]+/g, "?");
}

/** A variable put in where its value stands, if it does, else anywhere. */
function withVariable(chance: Chance, text: string, context: Context, variables: boolean): string {
  if (!variables && chance.is(0.5)) return text;
  const key = chance.of([
    "aws:username",
    "aws:username",
    "aws:PrincipalTag/team",
    "aws:TagKeys",
    "aws:TagKeys",
    "aws:CalledVia",
    "s3:max-keys",
  ]);
  const spelled = chance.is(0.2) ? swapCase(chance, key) : key;
  const standard = chance.is(0.3) ? `, '${chance.of(["bob", "", "a", "*", "a:b", "a, b"])}'` : "";
  const variable = chance.is(0.12) ? chance.of(["${*}", "${?}", "${$}"]) : `\${${spelled}${standard}}`;
  const value = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1];
  if (typeof value === "string" && value !== "" && text.includes(value))
    return text.replace(value, () => variable);
  if (variable === "${*}" && text.includes("*")) return text.replace("*", () => variable);
  if (chance.is(0.5)) return text.replace(/bob|ab?/, () => variable);
  const at = chance.is(0.5) ? text.length : text.lastIndexOf("/") + 1;
  return text.slice(0, at) + variable + (chance.is(0.5) ? text.slice(at) : "");
}

const OPERATORS = [...TESTS.keys(), "Null"];

function randomConditions(chance: Chance, context: Context, aim: number, variables: boolean): unknown {
  const condition: { [operator: string]: { [key: string]: unknown } } = {};
  for (let blocks = chance.is(0.7) ? 1 : 2; blocks > 0; blocks -= 1) {
    const base = chance.of(OPERATORS);
    const set = chance.of(["", "", "", "ForAllValues:", "ForAnyValue:"]);
    const ifExists = base !== "Null" && chance.is(0.25) ? "IfExists" : "";
    const keys = (condition[`${set}${base}${ifExists}`] ??= {});
    for (const key of chance.list(1, chance.is(0.8) ? 1 : 2, () => keyFor(chance, base, set !== ""))) {
      const used = Object.keys(keys).some((other) => other.toLowerCase() === key.toLowerCase());
      if (used) continue;
      const spelled = chance.is(0.15) ? swapCase(chance, key) : key;
      const asked = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1];
      const values = chance.list(1, 3, () =>
        conditionValue(chance, base, [asked ?? []].flat(), aim, context, variables),
      );
      keys[spelled] = bare(chance, values);
    }
  }
  return condition;
}

/** Mostly a key whose values the operator can judge; for a set operator mostly one with a list. */
function keyFor(chance: Chance, operator: string, set: boolean): string {
  const family = TESTS.get(operator)?.family;
  const negatedTyped = TESTS.get(operator)?.negated === true && family !== "String";
  const fitting = KEYS.filter(([, kind]) => family === undefined || kind === KIND_OF[family]);
  const [key] = chance.of(chance.is(negatedTyped ? 0.997 : 0.93) ? fitting : KEYS);
  if (operator === "Null" && chance.is(0.3)) return chance.of(LISTS);
  if (set && family === "String" && chance.is(0.7)) return chance.of(LISTS);
  return !set && LISTS.includes(key) && chance.is(0.7) ? "aws:username" : key;
}

function conditionValue(
  chance: Chance,
  operator: string,
  asked: readonly string[],
  aim: number,
  context: Context,
  variables: boolean,
): unknown {
  const { base } = readOperator(operator);
  const family = TESTS.get(base)?.family ?? "Bool";
  const hit = asked.length > 0 && chance.is(aim * 0.7) ? chance.of(asked) : undefined;
  switch (family) {
    case "Numeric": {
      const text = hit !== undefined && NUMBERS.includes(hit) ? hit : chance.of(NUMBERS);
      return text !== "007" && chance.is(0.3) ? rawNumber(text) : text;
    }
    case "Date": {
      const text = hit !== undefined && DATES.includes(hit) ? hit : chance.of(DATES);
      return /^\d+$/.test(text) && chance.is(0.3) ? rawNumber(text) : text;
    }
    case "Ip":
      return hit !== undefined && RANGES.includes(hit) ? hit : chance.of(RANGES);
    case "Bool":
    case "Null":
      return chance.is(0.25) ? chance.is(0.5) : chance.of(BOOLS);
    case "Binary":
      return chance.of(hit !== undefined && BYTES.includes(hit) ? [hit] : BYTES);
    case "Arn": {
      const arn = hit !== undefined && ARNS.includes(hit) ? hit : chance.of(ARNS);
      if (variables && chance.is(0.05)) return "${aws:PrincipalArn}";
      return chance.is(0.05) ? "*" : arnPattern(chance, arn, context, variables);
    }
    case "String":
      return textValue(chance, base, hit, context, variables);
    default:
      throw new Error(`no values for ${operator}`);
  }
}

function textValue(
  chance: Chance,
  base: string,
  hit: string | undefined,
  context: Context,
  variables: boolean,
): unknown {
  if (chance.is(0.03)) return chance.is(0.5) ? rawNumber(chance.of(["7", "7.0", "7.50"])) : chance.is(0.5);
  const text = hit ?? chance.of(TEXTS);
  const pattern =
    base.includes("Like") && !text.includes("${") && chance.is(0.6) ? globbed(chance, text, true) : text;
  const cased = base.includes("IgnoreCase") || chance.is(0.05) ? swapCase(chance, pattern) : pattern;
  return legible(chance.is(0.25) ? withVariable(chance, cased, context, variables) : cased);
}

type Loose = { [element: string]: unknown };

/** One fault that the door refuses. */
function spoil(chance: Chance, asked: Case): void {
  const fault = chance.of<Loose>([
    { Effect: "allow" },
    { Effect: null },
    { Action: [] },
    { Action: "ops*:DescribeStacks" },
    { Action: "*", NotAction: "s3:GetObject" },
    { Resource: [] },
    { Resource: "arn:aws:s3:::b", NotResource: "arn:aws:s3:::b" },
    { Resource: "arn:aws:s3" },
    { Resource: "b/bob" },
    { Resource: "arn:aws:iam:us-east-1:111122223333:role/svc" },
    { Resource: "arn:aws:s3:::b/${aws:username" },
    { Principal: "*" },
    { Sid: "not one" },
    { Unknown: "x" },
    { Condition: null },
    { Condition: { StringEqual: { "aws:username": "bob" } } },
    { Condition: { NullIfExists: { "aws:username": "true" } } },
    { Condition: { StringEquals: { "aws:username": [] } } },
    { Condition: { StringEquals: { "aws:username": null } } },
    { Condition: { StringEquals: { "aws:username": "bob", "AWS:username": "bob" } } },
    { Condition: { StringEquals: { "aws:username": "${aws:username" } } },
    { Condition: { NumericEquals: { "s3:max-keys": "1e3" } } },
    { Condition: { NumericLessThan: { "s3:max-keys": "${aws:username}" } } },
    { Condition: { DateLessThan: { "aws:CurrentTime": "2026-13-01T00:00:00Z" } } },
    { Condition: { DateLessThan: { "aws:CurrentTime": "soon" } } },
    { Condition: { Bool: { "aws:SecureTransport": "${aws:username}" } } },
    { Condition: { IpAddress: { "aws:SourceIp": "192.0.2.0/33" } } },
    { Condition: { NotIpAddress: { "aws:SourceIp": "192.0.2" } } },
    { Condition: { ArnLike: { "aws:SourceArn": "arn:aws:s3" } } },
    { Condition: { "ForSomeValues:StringEquals": { "aws:TagKeys": "a" } } },
  ]);
  const statement = { Effect: "Allow", Action: "*", Resource: "*", ...fault };
  asked.policies.push({ Version: "2012-10-17", Statement: [statement] });
}
