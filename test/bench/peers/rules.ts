import { ACTIONS, type Document, type Level, actionsOf, type Question, type User } from "../workload.ts";

/** A statement, or what a level says, as a peer needs it. */
export type Rule = {
  readonly name: string;
  readonly effect: "Allow" | "Deny";
  /** As they are written; left out where it is every action. */
  readonly actions?: readonly string[];
  /** Left out where it is every stack. */
  readonly stacks?: readonly string[];
  readonly tests: readonly Test[];
};

/** One key under one operator of a `Condition`. */
export type Test = { readonly operator: string; readonly key: string; readonly values: readonly string[] };

export type Value = string | number | boolean;
export type Attributes = Readonly<Record<string, Value>>;

const EVERY_STACK = new Set(["*", "arn:aws:opsworks:*:*:stack/*/"]);

/** Everything that is known of a user: the levels, which are about an attribute of the question, and the policies. */
export function rulesOf({ policies }: User): Rule[] {
  return [...LEVELS, ...policies.flatMap(({ name, document }) => statementsOf(document, name))];
}

const LEVELS: readonly Rule[] = (["deny", "show", "deploy", "manage"] satisfies Level[]).map((level) => ({
  name: level,
  ...(level === "deny" ? { effect: "Deny" } : { effect: "Allow", actions: actionsOf(level) }),
  tests: [{ operator: "StringEquals", key: "level", values: [level] }],
}));

function statementsOf(document: Document, name: string): Rule[] {
  return document.Statement.map(({ Sid, Effect, Action, Resource, Condition = {} }) => ({
    name: `${name}/${Sid}`,
    effect: Effect,
    ...(Action.includes("opsworks:*") ? {} : { actions: Action }),
    ...(Resource.some((resource) => EVERY_STACK.has(resource)) ? {} : { stacks: Resource }),
    tests: Object.entries(Condition).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => ({ operator, key: attributeOf(key), values })),
    ),
  }));
}

/** The names of actions that are meant, for a peer that finds an action by its name. */
export function writtenOut(patterns: readonly string[]): string[] {
  const expressions = patterns.map(like);
  return ACTIONS.filter((action) => expressions.some((expression) => expression.test(action)));
}

/** A context key as the name of an attribute: `aws:ResourceTag/env` as `ResourceTag_env`. */
function attributeOf(key: string): string {
  return key.replace(/^aws:/, "").replace("/", "_");
}

/** A wildcard pattern as a regular expression. */
export function like(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${text}$`, "s");
}

/** The level and the context with the types its keys have, so that a peer need not read a text at every decision. */
export function attributesOf({ level, context }: Question, readAddress: (text: string) => Value): Attributes {
  const entries = Object.entries(context).map(([key, text]): [string, Value] => [
    attributeOf(key),
    typed(key, text, readAddress),
  ]);
  return { level, ...Object.fromEntries(entries) };
}

function typed(key: string, text: string, readAddress: (text: string) => Value): Value {
  if (key === "aws:SourceIp") return readAddress(text);
  if (key === "aws:CurrentTime") return secondsOf(text);
  if (key === "aws:MultiFactorAuthAge") return Number(text);
  if (key === "aws:MultiFactorAuthPresent" || key === "aws:SecureTransport") return text === "true";
  return text;
}

export function secondsOf(date: string): number {
  return Date.parse(date) / 1000;
}

/** An IPv4 address as a number. */
export function addressNumber(text: string): number {
  return text.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** The first and the last address of a block. */
export function blockOf(cidr: string): { first: number; last: number } {
  const [address = "", length = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(addressNumber(address) / size) * size;
  return { first, last: first + size - 1 };
}

export function unknownTest({ operator }: Test): Error {
  return new Error(`no peer has been told what \`${operator}\` is`);
}
