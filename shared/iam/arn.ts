import type { Context } from "./context.ts";
import { compileGlob } from "./glob.ts";
import { InvalidValue } from "./invalid-value.ts";
import {
  ANY_RUN,
  hasVariable,
  type Match,
  type Part,
  type Pattern,
  resolveVariables,
  splitAtColons,
} from "./pattern.ts";

const FIELDS = 6;

/**
 * Compiles an ARN pattern: the first five fields match one by one, the rest as one glob in which `*` spans `/` and `:`.
 * A pattern with fewer fields that ends in `*` covers everything after; a variable alone is the whole ARN.
 * Case-sensitive. IAM ARNs have no region.
 *
 * Source: IAM User Guide, "IAM JSON policy elements: Resource" and "ARN condition operators".
 * @throws InvalidValue for a pattern that is no ARN
 */
export function compileArn(parts: readonly Part[]): Pattern {
  const fields = splitAtColons(parts, FIELDS);
  if (parts.length === 1 && hasVariable(parts)) return compileGlob(parts);
  const [scheme = [], , service, region = []] = fields;
  const isText = scheme.every((part) => typeof part === "string");
  if (parts.length === 1 && parts[0] === ANY_RUN) return () => true;
  if (fields.length < FIELDS && (parts.at(-1) !== ANY_RUN || !isText)) {
    throw new InvalidValue("short-arn", "must be an ARN of six fields, or end in `*`");
  }
  if (isText && scheme.join("") !== "arn") throw new InvalidValue("invalid-arn", "must begin with `arn:`");
  if (service?.length === 1 && service[0] === "iam" && region.length > 0 && region[0] !== ANY_RUN) {
    throw new InvalidValue(
      "region-in-iam-arn",
      "has a region, and IAM has none, so leave it out: `arn:aws:iam::<account>:...`",
    );
  }
  const globs = fields.map(compileGlob);
  if (!hasVariable(parts)) return (text: string, context: Context) => matchFields(globs, text, context);
  return (text: string, context: Context) =>
    resolveVariables(parts, context) && matchFields(globs, text, context);
}

function matchFields(globs: readonly Pattern[], text: string, context: Context): Match {
  let start = 0;
  let match: Match = true;
  for (const [index, glob] of globs.entries()) {
    const colon = index === globs.length - 1 ? text.length : text.indexOf(":", start);
    if (colon < 0) return false;
    const fieldMatch = glob(text.slice(start, colon), context);
    if (fieldMatch === false) return false;
    match &&= fieldMatch;
    start = colon + 1;
  }
  return match;
}

/**
 * Compiles an entry of `Resource` or `NotResource`: `*` or an ARN. A variable before the fifth colon never has a
 * value, so that the entry matches nothing.
 * @throws InvalidValue
 */
export function compileResource(parts: readonly Part[]): Pattern {
  if (parts.length === 1 && parts[0] === ANY_RUN) return () => true;
  const fields = splitAtColons(parts, FIELDS);
  if (fields[0]?.length !== 1 || fields[0][0] !== "arn") {
    throw new InvalidValue("invalid-arn", "must be `*` or an ARN");
  }
  const pattern = compileArn(parts);
  // IAM takes such an entry (one of AWS's own policies has it), and replaces no variable there.
  return fields.slice(0, FIELDS - 1).some(hasVariable) ? () => undefined : pattern;
}

/** Whether a text is an ARN: `arn`, and six fields. */
export function isArn(text: string): boolean {
  return /^arn:[^:]*:[^:]*:[^:]*:[^:]*:/.test(text);
}
