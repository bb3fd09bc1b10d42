import type { Context } from "./context.ts";
import { internName } from "./remember.ts";
import { quote } from "./finding.ts";
import { InvalidValue } from "./invalid-value.ts";

/** `*`: any run of characters, the empty one included. */
export const ANY_RUN = Symbol("*");
/** `?`: one character (one code point). */
export const ANY_ONE = Symbol("?");
/** `${key}` or `${key, 'fallback'}`; `key` in lower case. */
type Variable = { readonly key: string; readonly fallback: string | undefined };

/** One piece of a pattern: literal text, a wildcard, or a policy variable. */
export type Part = Fixed | Variable;
/** One that is the same for every request. */
export type Fixed = string | typeof ANY_RUN | typeof ANY_ONE;

/** `undefined`: a variable in the pattern has no value, so the pattern matches nothing. */
export type Match = boolean | undefined;

/** Tells whether `text` matches, with the variables' values taken from `context`. */
export type Pattern = (text: string, context: Context) => Match;

/** What is special in a pattern: wildcards only where the operator has them, variables only in Version `2012-10-17`. */
export type Syntax = { readonly wildcards: boolean; readonly variables: boolean };

/** Either a character itself, or a key and its fallback. */
const VARIABLE = /^\$\{(?:([*?$])|\s*([^\s,'"${}][^,'"${}]*)(?:,\s*'([^'{}]*)'\s*)?)\}/;

/**
 * Splits a pattern into its parts.
 *
 * Source: IAM User Guide, "IAM policy elements: Variables and tags"; `${*}`, `${?}` and `${$}` are the characters themselves.
 * @throws InvalidValue for `${` that is no variable
 */
export function parsePattern(text: string, syntax: Syntax): Part[] {
  const parts: Part[] = [];
  let literal = "";
  const flush = () => {
    if (literal !== "") parts.push(literal);
    literal = "";
  };
  // Stryker disable next-line EqualityOperator: there is no character after the end
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at);
    if (syntax.variables && text.startsWith("${", at)) {
      const rest = text.slice(at);
      const variable = VARIABLE.exec(rest);
      if (variable === null) {
        const fault = `has a \`\${\` that is no policy variable, so write it as \`\${aws:username}\`: ${quote(rest)}`;
        throw new InvalidValue("invalid-variable", fault);
      }
      const [, itself, name, fallback] = variable;
      if (name === undefined) literal += itself;
      else {
        flush();
        parts.push({ key: internName(name.trimEnd()), fallback });
      }
      at += variable[0].length;
    } else {
      at += 1;
      if (syntax.wildcards && (char === "*" || char === "?")) {
        flush();
        parts.push(char === "*" ? ANY_RUN : ANY_ONE);
      } else literal += char;
    }
  }
  flush();
  return parts;
}

export function hasVariable(parts: readonly Part[]): boolean {
  return !isFixed(parts);
}

export function isFixed(parts: readonly Part[]): parts is readonly Fixed[] {
  return parts.every((part) => typeof part !== "object");
}

/**
 * The parts with every variable replaced by its value, as literal text: a `*` in a user's name is no wildcard.
 * `undefined` when one has neither a value nor a fallback.
 */
export function resolveVariables(parts: readonly Part[], context: Context): Fixed[] | undefined {
  const resolved: Fixed[] = [];
  for (const part of parts) {
    const text = typeof part === "object" ? (context.single(part.key) ?? part.fallback) : part;
    if (text === undefined) return undefined;
    resolved.push(text);
  }
  return resolved;
}

/** Splits parts at a `:` in literal text, into at most `limit` fields; a colon inside a variable does not count. */
export function splitAtColons(parts: readonly Part[], limit: number): [Part[], ...Part[][]] {
  let field: Part[] = [];
  const fields: [Part[], ...Part[][]] = [field];
  for (const part of parts) {
    let rest = part;
    while (typeof rest === "string" && fields.length < limit) {
      const colon = rest.indexOf(":");
      if (colon < 0) break;
      if (colon > 0) field.push(rest.slice(0, colon));
      field = [];
      fields.push(field);
      rest = rest.slice(colon + 1);
    }
    if (rest !== "") field.push(rest);
  }
  return fields;
}
