/** Random patterns against random texts: the matcher that ships and the plain one, which follows every place at once. */
import { decide } from "../../shared/decision/decide.ts";
import { Context } from "../../shared/iam/context.ts";
import { compilePolicy } from "../../shared/iam/policy.ts";
import { readRequest } from "../../shared/iam/request.ts";
import { applies, type Case } from "./plain-evaluator.ts";
import { Chance, seedOf } from "./random-cases.ts";
import { shrink } from "./shrink.ts";

/** Where a pattern stands, and the pattern, what it is held against, and the value of the variable `${aws:username}`. */
type Match = { place: Place; pattern: string; text: string; value: string };
type Place =
  | "Resource"
  | "NotResource"
  | "StringLike"
  | "StringEquals"
  | "StringEqualsIgnoreCase"
  | "ArnLike";

export type PatternFigures = {
  matches: number;
  covered: number;
  differences: { seed: number; match: Match; engine: boolean; plain: boolean }[];
};

export function noPatternFigures(): PatternFigures {
  return { matches: 0, covered: 0, differences: [] };
}

const MOST_DIFFERENCES = 10;

export function fuzzPatterns(run: number, from: number, upTo: number, figures: PatternFigures): void {
  for (let index = from; index < upTo && figures.differences.length < MOST_DIFFERENCES; index += 1) {
    const seed = seedOf(run, index);
    const match = randomMatch(new Chance(seed));
    const [engine, plain] = [engineCovers(match), plainlyCovers(match)];
    figures.matches += 1;
    if (plain) figures.covered += 1;
    if (engine === plain) continue;
    const smallest = shrink(match, (smaller) => isDifferent({ ...smaller, place: match.place }));
    figures.differences.push({ seed, match: smallest, engine, plain });
  }
}

function isDifferent(match: Match): boolean {
  try {
    return engineCovers(match) !== plainlyCovers(match);
  } catch {
    return false;
  }
}

/** A document that allows exactly what the pattern covers, and a request that asks for the text. */
function questionOf({ place, pattern, text, value }: Match): { document: object; request: Case["request"] } {
  const isResource = place.endsWith("Resource");
  const statement = {
    Effect: "Allow",
    Action: "*",
    ...(isResource
      ? { [place]: pattern }
      : { Resource: "*", Condition: { [place]: { "aws:PrincipalTag/text": pattern } } }),
  };
  return {
    document: { Version: "2012-10-17", Statement: statement },
    request: {
      action: "s3:GetObject",
      resource: isResource ? text : "*",
      context: { "aws:username": value, ...(isResource ? {} : { "aws:PrincipalTag/text": text }) },
    },
  };
}

function engineCovers(match: Match): boolean {
  const { document, request } = questionOf(match);
  const { decision } = decide(
    {
      accountOwner: false,
      policies: [{ name: "policy", policy: compilePolicy(document) }],
      unreadable: [],
      selfManagement: false,
    },
    readRequest(request.action, request.resource, new Context(Object.entries(request.context ?? {}))),
  );
  return decision === "allowed";
}

function plainlyCovers(match: Match): boolean {
  const { document, request } = questionOf(match);
  return applies(document, (document as { Statement: { [element: string]: unknown } }).Statement, request);
}

const LETTERS = [
  ...Array.from("aaabbA/:\u00e9\u00df\n*?${\\.\u{1f600}\u{1f601}\u2028\u0130"),
  "\r\n",
  "\ud83d",
  "\ude00",
];

function randomMatch(chance: Chance): Match {
  const place = chance.of<Place>([
    ...(["Resource", "Resource", "Resource", "NotResource", "ArnLike", "ArnLike"] as const),
    ...(["StringLike", "StringLike", "StringLike", "StringEquals", "StringEqualsIgnoreCase"] as const),
  ]);
  const isArn = place.endsWith("Resource") || place === "ArnLike";
  // Half of a surrogate pair is refused at intake.
  const text = (isArn ? randomArn(chance) : randomText(chance, 12)).toWellFormed();
  const value = (chance.is(0.5) ? randomText(chance, 4) : part(text, chance)).toWellFormed();
  return { place, text, value, pattern: isArn ? arnFor(text, value, chance) : globFor(text, value, chance) };
}

function randomText(chance: Chance, most: number): string {
  const letters = chance.is(0.4) ? LETTERS.slice(0, 5) : LETTERS;
  return chance.list(0, most, () => chance.of(letters)).join("");
}

function part(text: string, chance: Chance): string {
  const from = chance.below(text.length);
  return text.slice(from, from + chance.below(5));
}

const FIELDS = ["aws", "aws-cn", "s3", "iam", "", "", "us-east-1", "111122223333", "a", "\u{1f600}"];

function randomArn(chance: Chance): string {
  const fields = Array.from({ length: 4 }, () => chance.of(FIELDS));
  return ["arn", ...fields, randomText(chance, 10)].join(":");
}

/** Mostly the text with wildcards in it; what a document may not hold becomes `?`. */
function globFor(text: string, value: string, chance: Chance): string {
  const letters = Array.from(chance.is(0.85) ? text : randomText(chance, 8));
  for (let times = chance.below(5); times > 0; times -= 1) {
    const at = chance.below(letters.length + 1);
    const gone = chance.is(0.5) ? chance.below(4) : 0;
    letters.splice(at, gone, chance.of(["*", "*", "*", "?", "?", "", "a", "**", "*?", "?*"]));
  }
  const glob = letters
    .map((letter) => ((letter.codePointAt(0) ?? 0) > 0xff ? "?" : letter))
    .join("")
    .replaceAll("{", "");
  if (!chance.is(0.35)) return glob;
  const variable = chance.of([
    "${aws:username}",
    "${aws:username}",
    "${no:key, 'ab'}",
    "${*}",
    "${?}",
    "${$}",
  ]);
  if (variable === "${aws:username}" && value !== "" && glob.includes(value))
    return glob.replace(value, () => variable);
  const at = chance.below(glob.length + 1);
  return glob.slice(0, at) + variable + glob.slice(at);
}

function arnFor(arn: string, value: string, chance: Chance): string {
  const [, partition = "", service = "", region = "", account = "", ...rest] = arn.split(":");
  const early = [partition, service, region, account].map((field, index) => {
    if ((index === 1 || index === 2) && service === "iam") return index === 2 ? "" : field;
    const glob = chance.is(0.7) ? field : globFor(field, "", chance).replaceAll(/\$\{[^}]*\}|:/g, "*");
    return glob.replaceAll(/[^\n\u0020-\u00ff]+/g, "?");
  });
  if (chance.is(0.08)) {
    const fields = early.slice(0, chance.below(5));
    return `${["arn", ...fields].join(":")}:${chance.of(["*", "a*", "?*", "**", "*a*", "*/*"])}`.replace(
      /^(arn:[^:]*:iam:)[^:]*/,
      "$1*",
    );
  }
  return ["arn", ...early, globFor(rest.join(":"), value, chance)].join(":");
}
