import type { Action } from "./action.ts";
import type { ArnPattern } from "./arn.ts";
import { type Condition, compileCondition } from "./condition.ts";
import { type Document, type Listed, readDocument, type StatementText } from "./document.ts";
import { quote } from "./finding.ts";
import { compileGlob } from "./glob.ts";
import { InvalidValue } from "./invalid-value.ts";
import { readJson } from "./json.ts";
import { type Pattern, parsePattern } from "./pattern.ts";
import { compileEntries } from "./place.ts";
import { compileResources } from "./resource.ts";
import { type Concerned, statementsAbout } from "./statements-about.ts";

/** Patterns that are matched, or with `not` excepted. */
export type Selection = { readonly not: boolean; readonly patterns: readonly Pattern[] };

export type Statement = {
  readonly sid: string | undefined;
  readonly index: number;
  readonly effect: "Allow" | "Deny";
  readonly action: Selection;
  readonly isAboutResource: ArnPattern;
  readonly conditions: readonly Condition[];
};

/** A policy document in the form that is evaluated. */
export type Policy = {
  readonly statements: readonly Statement[];
  /** Those that an action concerns. */
  readonly about: (action: Action) => Concerned;
  /** The conditions for which a value they cannot read is an error, since "not equal" would be a guess. */
  readonly particular: readonly Condition[];
};

/** Longer than any policy of IAM or AWS's own (the longest has 152,297), and the bound on what reading one may cost. */
export const MAX_POLICY_LENGTH = 262_144;

/**
 * Reads and compiles an identity policy, boundary or session policy.
 * @throws InvalidPolicy
 */
export function parsePolicy(text: string): Policy {
  return compilePolicy(readJson(text, MAX_POLICY_LENGTH));
}

/** The same for a document that is JSON already (as {@link readJson} reads it). @throws InvalidPolicy */
export function compilePolicy(value: unknown): Policy {
  return compileDocument(readDocument(value, "identity"));
}

/** The same for one that was held to the grammar. What its values do not take is reported where the document was read. */
export function compileDocument({ version, statements: texts }: Document): Policy {
  const statements = texts.map((statement) => compileStatement(statement, version === "2012-10-17"));
  const conditions = statements.flatMap((statement) => statement.conditions);
  return {
    statements,
    about: statementsAbout(statements),
    // Stryker disable next-line ConditionalExpression: what takes any text is passed over where it is asked, too
    particular: conditions.filter(({ operator }) => operator.negated && operator.reads !== undefined),
  };
}

function compileStatement(text: StatementText, variables: boolean): Statement {
  return {
    sid: text.sid,
    index: text.index,
    effect: text.effect,
    action: select(text.action, compileAction),
    isAboutResource: text.resource ? compileResources(text.resource, text.effect, variables) : () => false,
    conditions: text.conditions.map((condition) => compileCondition(condition, variables)),
  };
}

/**
 * `*`, or `service:Name` with wildcards in the name; case does not matter.
 * @throws InvalidValue
 */
export function compileAction(value: string): Pattern {
  if (!/^(?:\*|\*:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?_. -]+)$/.test(value)) {
    throw /^[^:]*[*?][^:]*:/.test(value)
      ? new InvalidValue("service-wildcard", `must name the service without a wildcard: ${quote(value)}`)
      : new InvalidValue("invalid-action", `must be \`*\` or \`service:Action\`: ${quote(value)}`);
  }
  // Stryker disable next-line BooleanLiteral: no action that is taken has a `$`
  return compileGlob(parsePattern(value.toLowerCase(), { wildcards: true, variables: false }));
}

export function select({ not, values }: Listed, compile: (value: string) => Pattern): Selection {
  return { not, patterns: compileEntries(values, compile) };
}
