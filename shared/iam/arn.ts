import type { Context } from "./context.ts";
import { quote } from "./finding.ts";
import { compileGlob, compileGlobFrom } from "./glob.ts";
import { intern } from "./remember.ts";
import { InvalidValue } from "./invalid-value.ts";
import { ANY_RUN, hasVariable, type Match, type Part, resolveVariables, splitAtColons } from "./pattern.ts";

/** Of an ARN: `arn`, partition, service, region, account, and all the rest. */
export const FIELDS = 6;

/** An ARN, split once for all that it is compared with: `fields[n]` begins at `starts[n]`. */
export type Arn = {
  readonly text: string;
  readonly fields: readonly string[];
  readonly starts: readonly number[];
};

/** Tells whether an ARN matches, with the variables' values taken from `context`. */
export type ArnPattern = (arn: Arn, context: Context) => Match;

/** Splits at the first five colons; what is no ARN has fewer fields. */
export function splitArn(text: string): Arn {
  const starts = [0];
  const fields: string[] = [];
  for (let start = 0; ; start = starts.at(-1) ?? 0) {
    const colon = starts.length < FIELDS ? text.indexOf(":", start) : -1;
    if (colon < 0) return { text, fields: [...fields, text.slice(start)], starts };
    fields.push(intern(text.slice(start, colon)));
    starts.push(colon + 1);
  }
}

/** Whether it is an ARN: `arn`, and six fields. */
export function isArn({ fields }: Arn): boolean {
  return fields.length === FIELDS && fields[0] === "arn";
}

/**
 * Compiles an ARN pattern: the first five fields match one by one, the rest as one glob in which `*` spans `/` and `:`.
 * A pattern with fewer fields that ends in `*` covers everything after; a variable alone is the whole ARN.
 * Case-sensitive. IAM ARNs have no region.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Resource" and "ARN condition operators".
 * @param text the pattern as it was written
 * @throws InvalidValue for a pattern that is no ARN
 */
export function compileArn(parts: readonly Part[], text: string): ArnPattern {
  const fields = splitAtColons(parts, FIELDS);
  if (parts.length === 1 && hasVariable(parts)) {
    const matches = compileGlob(parts);
    return ({ text }, context) => matches(text, context);
  }
  // Stryker disable next-line ArrayDeclaration: where there is a service alone, there is a region, or it is too short
  const [scheme, , service, region = []] = fields;
  if (parts.length === 1 && parts[0] === ANY_RUN) return () => true;
  // Stryker disable next-line OptionalChaining: for the types; there is a first field
  if (scheme?.length !== 1 || scheme[0] !== "arn") {
    throw new InvalidValue("invalid-arn", `must begin with \`arn:\`: ${quote(text)}`);
  }
  if (fields.length < FIELDS && parts.at(-1) !== ANY_RUN) {
    throw new InvalidValue("short-arn", `must be an ARN of six fields, or end in \`*\`: ${quote(text)}`);
  }
  if (service?.length === 1 && service[0] === "iam" && !region.every((part) => part === ANY_RUN)) {
    throw new InvalidValue(
      "region-in-iam-arn",
      "has a region, and IAM has none, so leave it out: `arn:aws:iam::<account>:...`",
    );
  }
  // Stryker disable next-line ConditionalExpression: its fields are equal, too
  if (parts.length === 1) return ({ text }) => text === parts[0];
  const matches = compileFields(fields);
  // Stryker disable next-line ConditionalExpression: what has no variable always resolves
  if (!hasVariable(parts)) return matches;
  return (arn, context) => resolveVariables(parts, context) && matches(arn, context);
}

function compileFields(fields: readonly (readonly Part[])[]): ArnPattern {
  const front = fields.slice(0, -1).map(compileField);
  // Stryker disable next-line ArrayDeclaration: there is always one
  const rest = compileGlobFrom(fields.at(-1) ?? []);
  return ({ text, fields, starts }, context) => {
    const start = starts[front.length];
    if (start === undefined) return false;
    // Stryker disable next-line EqualityOperator: what is not in front may be anything
    for (let index = 0; index < front.length; index += 1) {
      const wanted = front[index];
      // Stryker disable next-line StringLiteral: it has as many fields, or there were no start
      const given = fields[index] ?? "";
      if (typeof wanted === "string" ? wanted !== given : wanted?.(given, context) === false) return false;
    }
    return rest(text, context, start);
  };
}

/** Literal text as such; `undefined` where anything goes. */
function compileField(field: readonly Part[]) {
  const matches = compileGlob(field);
  const [only = ""] = field;
  // Stryker disable next-line ConditionalExpression,EqualityOperator: the glob does the same, slower
  if (field.length > 1) return matches;
  // Stryker disable next-line ConditionalExpression: the glob does the same, slower
  if (only === ANY_RUN) return undefined;
  // Stryker disable next-line ConditionalExpression,StringLiteral: the glob does the same, slower
  return typeof only === "string" ? intern(only) : matches;
}
