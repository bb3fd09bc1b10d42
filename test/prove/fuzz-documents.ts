/** Policy documents gone wrong in up to four places, as text: what the door must refuse, or read as the plain one does. */
import { InvalidPolicy } from "../../shared/iam/invalid-policy.ts";
import { MAX_POLICY_LENGTH, parsePolicy } from "../../shared/iam/policy.ts";
import { validatePolicy } from "../../shared/iam/validate.ts";
import { add } from "./compare.ts";
import { TESTS } from "./plain-conditions.ts";
import { faultOf, isObject } from "./plain-door.ts";
import { Chance, randomCase, seedOf } from "./random-cases.ts";
import { readDocuments, rawNumber } from "./raw-numbers.ts";

/** Where the reference page is silent and the two may answer differently, each by name with its reason. */
const EXCEPTIONS: readonly {
  name: string;
  reason: string;
  holds: (fault: string, text: string) => boolean;
}[] = [
  {
    name: "epoch beyond the calendar",
    reason: "the page names no greatest date: the engine takes more than twelve digits for no epoch seconds",
    holds: (fault, text) => fault.startsWith("refused") && /\d{13}/.test(text),
  },
];

export type FuzzFigures = {
  documents: number;
  accepted: number;
  refused: number;
  excepted: Map<string, number>;
  faults: { seed: number; text: string; fault: string }[];
};

export function noFuzzFigures(): FuzzFigures {
  return { documents: 0, accepted: 0, refused: 0, excepted: new Map(), faults: [] };
}

const MOST_FAULTS = 10;

/** @param others documents to start from, besides random ones */
export function fuzzDocuments(
  run: number,
  from: number,
  upTo: number,
  others: readonly unknown[],
  figures: FuzzFigures,
): void {
  const names = Object.getOwnPropertyNames(Object.prototype).join();
  for (let index = from; index < upTo && figures.faults.length < MOST_FAULTS; index += 1) {
    const seed = seedOf(run, index);
    const text = spoiltDocument(seed, others);
    const outcome = readBy(text);
    const plain = plainFaultOf(text);
    figures.documents += 1;
    figures[outcome === "accepted" ? "accepted" : "refused"] += 1;
    const fault =
      Object.getOwnPropertyNames(Object.prototype).join() === names
        ? faultBetween(outcome, plain)
        : "Object.prototype has changed";
    if (fault === undefined) continue;
    const exception = EXCEPTIONS.find(({ holds }) => holds(fault, text));
    if (exception) add(figures.excepted, exception.name);
    else figures.faults.push({ seed, text: text.slice(0, 4000), fault });
  }
}

function faultBetween(outcome: Outcome, plain: string | undefined): string | undefined {
  if (typeof outcome !== "string") return `it fails with ${outcome.failure}`;
  if (outcome === "accepted") return plain === undefined ? undefined : `accepted, plainly refused: ${plain}`;
  return plain === undefined ? "refused, plainly accepted" : undefined;
}

type Outcome = "accepted" | "refused" | { failure: string };

function readBy(text: string): Outcome {
  try {
    parsePolicy(text);
    const errors = validatePolicy(text, "identity").filter(({ severity }) => severity === "error");
    return errors.length === 0
      ? "accepted"
      : { failure: `accepted, with findings: ${JSON.stringify(errors)}` };
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) return { failure: String(error) };
    const isFound = validatePolicy(text, "identity").some(({ severity }) => severity === "error");
    if (!isFound) return { failure: "refused without a finding" };
    const isPlaced = error.path.startsWith("$") && error.message.startsWith(`${error.path}: `);
    return isPlaced ? "refused" : { failure: `a refusal without a place: ${error.message.slice(0, 200)}` };
  }
}

const UNSAFE = new Set(["__proto__", "constructor", "prototype"]);
const MAX_DEPTH = 24;
const MAX_STATEMENTS = 1000;

/** The first fault of a text, as the plain door sees it. */
function plainFaultOf(text: string): string | undefined {
  if (text.length > MAX_POLICY_LENGTH) return "too long";
  let value: unknown;
  try {
    value = readDocuments(text);
  } catch {
    return "no JSON";
  }
  const names = namesIn(value);
  if (membersOf(text) !== names.length) return "a name that is there twice";
  if (names.some((name) => UNSAFE.has(name))) return "an unsafe name";
  if (depthOf(value) > MAX_DEPTH) return "too deep";
  const statements = isObject(value) ? value["Statement"] : undefined;
  if (Array.isArray(statements) && statements.length > MAX_STATEMENTS) return "too many statements";
  return faultOf(value);
}

/** How many members a JSON text has: its colons, those in texts left aside. */
function membersOf(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/g, "").split(":").length - 1;
}

function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...namesIn(member)]);
}

function depthOf(value: unknown): number {
  if (!Array.isArray(value) && !isObject(value)) return 0;
  return 1 + Object.values(value).reduce((deepest: number, member) => Math.max(deepest, depthOf(member)), 0);
}

/** A document of a random case, or another, changed; now and then left as it is. */
function spoiltDocument(seed: number, others: readonly unknown[]): string {
  const chance = new Chance(seed);
  let document = others.length > 0 && chance.is(0.2) ? chance.of(others) : randomDocument(chance);
  for (let times = chance.below(4); times > 0; times -= 1) document = spoilt(document, chance);
  const text = JSON.stringify(document) ?? "";
  return chance.is(0.3) ? spoiltText(text, chance) : text;
}

function randomDocument(chance: Chance): unknown {
  for (;;) {
    const { policies, boundary } = randomCase(chance.below(2 ** 31)).asked;
    const document = policies[0] ?? boundary;
    if (document !== undefined) return document;
  }
}

type Path = readonly (string | number)[];

/** The value with one thing changed somewhere in it. */
function spoilt(value: unknown, chance: Chance): unknown {
  const places = placesIn(value, []);
  return changedAt(value, chance.of(places), chance);
}

function placesIn(value: unknown, path: Path): Path[] {
  if (Array.isArray(value)) {
    return [path, ...value.slice(0, 40).flatMap((item, index) => placesIn(item, [...path, index]))];
  }
  if (!isObject(value)) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => placesIn(member, [...path, name]))];
}

function changedAt(value: unknown, [step, ...rest]: Path, chance: Chance): unknown {
  if (step === undefined) return changed(value, chance);
  if (Array.isArray(value)) {
    return value.map((item, index) => (index === step ? changedAt(item, rest, chance) : item));
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === step ? changedAt(member, rest, chance) : member,
    ]),
  );
}

function changed(value: unknown, chance: Chance): unknown {
  if (chance.is(0.12)) return otherType(chance);
  if (chance.is(0.06)) return chance.is(0.5) ? [value] : { Statement: value };
  if (chance.is(0.02)) return nested(value, chance.of([1, 5, 18, 22, 40]));
  if (Array.isArray(value)) return changedList(value, chance);
  if (isObject(value)) return changedMembers(value, chance);
  return typeof value === "string" ? changedText(value, chance) : otherType(chance);
}

function otherType(chance: Chance): unknown {
  return chance.of<unknown>([
    null,
    true,
    0,
    -1.5,
    rawNumber("1e400"),
    rawNumber(`1${"0".repeat(300)}.5`),
    rawNumber("-0"),
    "",
    "*",
    "arn:aws:s3:::b",
    [],
    {},
    [[]],
    { rawJSON: "1" },
    ["*", null],
    "x".repeat(5000),
  ]);
}

function nested(value: unknown, depth: number): unknown {
  let outer = value;
  for (let level = 0; level < depth; level += 1) outer = level % 2 === 0 ? [outer] : { a: outer };
  return outer;
}

function changedList(list: readonly unknown[], chance: Chance): unknown[] {
  const at = chance.below(list.length + 1);
  return chance.of([
    () => list.toSpliced(at, 1),
    () => [...list, ...list.slice(at, at + 1)],
    () => list.toReversed(),
    () => list.toSpliced(at, 0, otherType(chance)),
    () => [],
    () => Array.from({ length: 1001 }, () => list[0] ?? "*"),
  ])();
}

const NAMES = [
  ...`Version Id Statement Sid Effect Action NotAction Resource NotResource Principal Condition aws:username
  AWS:UserName rawJSON toString __proto__ constructor prototype hasOwnProperty`.split(/\s+/),
  ...Array.from("\u0000\u2028\u00e9\u0130"),
  "",
];

function changedMembers(members: { [name: string]: unknown }, chance: Chance): unknown {
  const entries = Object.entries(members);
  const at = chance.below(entries.length);
  const [name = "", member] = entries[at] ?? [];
  const others = entries.toSpliced(at, 1);
  const operator = () =>
    `${chance.of(["", "", "ForAllValues:", "ForAnyValue:", "ForSomeValues:"])}${chance.of([...TESTS.keys(), "Null", "StringEqual", "stringEquals", "Binary"])}${chance.of(["", "", "IfExists", "ifExists"])}`;
  return Object.fromEntries(
    chance.of<() => [string, unknown][]>([
      () => others,
      () => [...entries, [chance.of(NAMES), chance.is(0.5) ? member : otherType(chance)]],
      () => [...others, [chance.of(NAMES), member]],
      () => [...others, [chance.is(0.5) ? name.toLowerCase() : name.toUpperCase(), member]],
      () => [...entries, [name.toUpperCase(), member]],
      () => [...others, [operator(), member]],
      () => [...entries, ["Condition", { [operator()]: { [chance.of(NAMES)]: otherType(chance) } }]],
      () => [...others, [changedText(name, chance), member]],
      () => entries.toReversed(),
    ])(),
  );
}

const SIGNS = [
  ..."* ? ${ } ${aws:username} ${aws:username,'a'} ${a,b} ${} ${*} : / , ' % + - 0 1e3 Z /0 /33 ::".split(
    " ",
  ),
  ...Array.from(" \n\t\r\u0000\u001f\u007f\u00ff\u0100\u2028\ufeff\ud83d\ude00"),
  "\ud83d",
  "\ude00",
];

function changedText(text: string, chance: Chance): string {
  const at = chance.below(text.length + 1);
  return chance.of([
    () => text.slice(0, at) + chance.of(SIGNS) + text.slice(at),
    () => text.slice(0, at) + text.slice(at + 1),
    () => text.slice(0, at),
    () => text + text,
    () => (chance.is(0.5) ? text.toUpperCase() : text.toLowerCase()),
    () => text.replace(":", "::"),
    () => text.slice(at) + text.slice(0, at),
    () => chance.of(SIGNS),
  ])();
}

function spoiltText(text: string, chance: Chance): string {
  const at = chance.below(text.length + 1);
  const names = [...text.matchAll(/"(?:[^"\\]|\\.)*":/g)];
  const { index = 0, 0: name = "" } = names[chance.below(names.length)] ?? {};
  return chance.of([
    () => text.slice(0, at),
    () => text.slice(0, at) + text.slice(at + 1),
    () => text.slice(0, at) + chance.of(Array.from('{}[]",:\\0-.et/ \n\t\u0000\ufeff')) + text.slice(at),
    () => `${text.slice(0, index)}${name}null,${text.slice(index)}`,
    () => `${text.slice(0, index)}${escaped(name)}"*",${text.slice(index)}`,
    () => `${" \n\t".repeat(chance.below(50))}${text}\r\n`,
    () => text + chance.of([",", "}", "null", "//", "\u0000"]),
    () => `\ufeff${text}`,
    () => text.replace("{", "{/**/"),
    () => text.replaceAll('"', "'"),
    () => escaped(text),
  ])();
}

/** The same name, its first letter written as an escape. */
function escaped(name: string): string {
  return name.replace(
    /"([A-Za-z])/,
    (_all, letter: string) => `"\\u00${(letter.codePointAt(0) ?? 0).toString(16)}`,
  );
}
