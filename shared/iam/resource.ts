import { type Arn, type ArnPattern, compileArn, FIELDS } from "./arn.ts";
import type { Context } from "./context.ts";
import type { Listed } from "./document.ts";
import { quote } from "./finding.ts";
import { InvalidValue } from "./invalid-value.ts";
import { ANY_RUN, hasVariable, parsePattern, splitAtColons } from "./pattern.ts";
import { compileEntries } from "./place.ts";

/** Tells whether a statement is about a resource. */
export type ResourceTest = (resource: Arn, context: Context) => boolean;

/**
 * Compiles `Resource` or `NotResource`. An entry whose variable has no value matches nothing. Where it would be an
 * exception (`NotResource`), a Deny then excepts nothing and an Allow grants nothing: the cautious side of both.
 */
export function compileResources(
  { not, values }: Listed,
  effect: "Allow" | "Deny",
  variables: boolean,
): ResourceTest {
  const patterns = compileEntries(values, (text) => compileResource(text, variables));
  const [only] = patterns;
  // Stryker disable next-line ConditionalExpression: what follows does the same, slower
  if (!not && only && patterns.length === 1) return (resource, context) => only(resource, context) === true;
  return (resource, context) => {
    let unresolved = false;
    for (const pattern of patterns) {
      const match = pattern(resource, context);
      if (match) return !not;
      unresolved ||= match === undefined;
    }
    return not && !(unresolved && effect === "Allow");
  };
}

/**
 * Compiles an entry of `Resource` or `NotResource`: `*` or an ARN. A variable before the fifth colon never has a
 * value, so that the entry matches nothing.
 * @throws InvalidValue
 */
function compileResource(text: string, variables: boolean): ArnPattern {
  const parts = parsePattern(text, { wildcards: true, variables });
  if (parts.length === 1 && parts[0] === ANY_RUN) return () => true;
  const fields = splitAtColons(parts, FIELDS);
  if (fields[0].length !== 1 || fields[0][0] !== "arn") {
    throw new InvalidValue("invalid-arn", `must be \`*\` or an ARN: ${quote(text)}`);
  }
  const pattern = compileArn(parts, text);
  // IAM takes such an entry (one of AWS's own policies has it), and replaces no variable there.
  return fields.slice(0, FIELDS - 1).some(hasVariable) ? () => undefined : pattern;
}
