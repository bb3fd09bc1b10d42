import { type ArnPattern, compileArn, FIELDS } from "./arn.ts";
import type { Listed } from "./document.ts";
import { quote } from "./finding.ts";
import { InvalidValue } from "./invalid-value.ts";
import { ANY_RUN, hasVariable, parsePattern, splitAtColons } from "./pattern.ts";
import { compileEntries } from "./place.ts";

/**
 * Compiles `Resource` or `NotResource`. An entry whose variable has no value matches nothing. Where it would be an
 * exception (`NotResource`), a Deny then excepts nothing and an Allow grants nothing: the cautious side of both.
 */
export function compileResources(
  { not, values }: Listed,
  effect: "Allow" | "Deny",
  variables: boolean,
): ArnPattern {
  const entries = compileEntries(values, (text) => compileResource(text, variables));
  const whole = new Set(entries.filter((entry) => typeof entry === "string"));
  const patterns = entries.filter((entry) => typeof entry === "function");
  const [only] = patterns;
  // Stryker disable next-line ConditionalExpression: what follows does the same, slower
  if (!not && only && entries.length === 1) return only;
  // Stryker disable next-line ConditionalExpression: as above
  if (!not && patterns.length === 0) return ({ text }) => whole.has(text);
  return (resource, context) => {
    if (whole.has(resource.text)) return !not;
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
 * Compiles an entry of `Resource` or `NotResource`: `*` or an ARN; one that stands for itself alone is that text. A variable before the fifth colon never has a
 * value, so that the entry matches nothing.
 * @throws InvalidValue
 */
function compileResource(text: string, variables: boolean): ArnPattern | string {
  const parts = parsePattern(text, { wildcards: true, variables });
  const [only] = parts;
  if (parts.length === 1 && only === ANY_RUN) return everyResource;
  const fields = splitAtColons(parts, FIELDS);
  if (fields[0].length !== 1 || fields[0][0] !== "arn") {
    throw new InvalidValue("invalid-arn", `must be \`*\` or an ARN: ${quote(text)}`);
  }
  const pattern = compileArn(parts, text);
  if (parts.length === 1 && typeof only === "string") return only;
  // IAM takes such an entry (one of AWS's own policies has it), and replaces no variable there.
  return fields.slice(0, FIELDS - 1).some(hasVariable) ? () => undefined : pattern;
}

function everyResource(): boolean {
  return true;
}
