import type { Context } from "./context.ts";
import { internName } from "./remember.ts";
import { quote } from "./finding.ts";
import { InvalidValue } from "./invalid-value.ts";

/** `*`: any run of characters, the empty one included. */
export const ANY_RUN = Symbol("*");
/** `?`: one character (one code point). */
export const ANY_ONE = Symbol("?");
/** `${key}` or `${key, 'fallback'}`; `key` in lower case. */
type Variable = { readonly key: string; readonly fallback?: string };

/** One piece of a pattern: literal text, a wildcard, or a policy variable. */
export type Part = string | typeof ANY_RUN | typeof ANY_ONE | Variable;

/** `undefined`: a variable in the pattern has no value, so the pattern matches nothing. */
export type Match = boolean | undefined;

/** Tells whether `text` matches, with the variables' values taken from `context`. */
export type Pattern = (text: string, context: Context) => Match;

/** What is special in a pattern: wildcards only where the operator has them, variables only in Version `2012-10-17`. */
export type Syntax = { readonly wildcards: boolean; readonly variables: boolean };

const VARIABLE = /^\$\{([^,'"${}]+)(?:,\s*'([^'{}]*)'\s*)?\}/;
const ESCAPED = /^\$\{([*?$])\}/;

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
  for (let at = 0; at < text.length; ) {
    const char = text.charAt(at);
    if (syntax.variables && text.startsWith("${", at)) {
      const rest = text.slice(at);
      const escaped = ESCAPED.exec(rest);
      const variable = escaped ? null : VARIABLE.exec(rest);
      const key = variable?.[1] && internName(variable[1].trim());
      if (escaped) literal += escaped[1];
      else if (variable && key) {
        flush();
        parts.push(variable[2] === undefined ? { key } : { key, fallback: variable[2] });
      } else {
        const fault = `has a \`\${\` that is no policy variable, so write it as \`\${aws:username}\`: ${quote(rest)}`;
        throw new InvalidValue("invalid-variable", fault);
      }
      at += (escaped ?? variable)?.[0].length ?? 1;
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
  return parts.some((part) => typeof part === "object");
}

/**
 * The parts with every variable replaced by its value, as literal text: a `*` in a user's name is no wildcard.
 * `undefined` when one has neither a value nor a fallback.
 */
export function resolveVariables(parts: readonly Part[], context: Context): Part[] | undefined {
  const resolved: Part[] = [];
  for (const part of parts) {
    const text = typeof part === "object" ? (context.single(part.key) ?? part.fallback) : part;
    if (text === undefined) return undefined;
    const last = resolved.at(-1);
    if (typeof text === "string" && typeof last === "string") resolved[resolved.length - 1] = last + text;
    else if (text !== "") resolved.push(text);
  }
  return resolved;
}

/** Splits parts at a `:` in literal text, into at most `limit` fields; a colon inside a variable does not count. */
export function splitAtColons(parts: readonly Part[], limit: number): Part[][] {
  const fields: Part[][] = [[]];
  for (const part of parts) {
    let rest = part;
    while (typeof rest === "string" && fields.length < limit) {
      const colon = rest.indexOf(":");
      if (colon < 0) break;
      if (colon > 0) fields.at(-1)?.push(rest.slice(0, colon));
      fields.push([]);
      rest = rest.slice(colon + 1);
    }
    if (rest !== "") fields.at(-1)?.push(rest);
  }
  return fields;
}
