import { visit } from "jsonc-parser";
import { nameOf } from "./finding.ts";
import { InvalidPolicy, type Report, refuse } from "./invalid-policy.ts";

declare global {
  interface JSON {
    /** TC39 `JSON.parse` source text access: a number that keeps the digits it was written with. */
    rawJSON(text: string): RawNumber;
    isRawJSON(value: unknown): value is RawNumber;
  }
}

/** A JSON number as it was written; `JSON.stringify` writes it back unchanged. */
type RawNumber = { readonly rawJSON: string };

const MAX_DEPTH = 24;
const UNSAFE_KEYS = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Reads JSON without losing anything `JSON.parse` loses: a repeated key is a fault (the last one would silently win, and
 * could hide a Deny), numbers keep their digits ({@link RawNumber}), depth and length are bounded.
 *
 * @param maxLength in UTF-16 code units
 * @param report told of names; text that is too long, no JSON, or too deep always throws
 * @throws InvalidPolicy
 */
export function readJson(text: string, maxLength: number, report: Report = refuse): unknown {
  if (text.length > maxLength) {
    throw new InvalidPolicy("too-long", "$", `is longer than ${maxLength} characters, so shorten it`);
  }
  try {
    JSON.parse(text);
  } catch (error) {
    // Stryker disable next-line StringLiteral: for the types; it throws errors
    const why = error instanceof Error ? error.message : "unreadable";
    throw new InvalidPolicy("not-json", "$", whyNotJson(text, why));
  }

  const open: (unknown[] | Record<string | symbol, unknown>)[] = [];
  let root: unknown;
  let key: string | symbol | undefined;
  const add = (value: unknown) => {
    const parent = open.at(-1);
    if (parent === undefined) root = value;
    else if (Array.isArray(parent)) parent.push(value);
    // Stryker disable next-line ConditionalExpression: for the types; in an object a key comes before its value
    else if (key !== undefined) parent[key] = value;
  };
  const begin = (container: unknown[] | Record<string | symbol, unknown>) => {
    add(container);
    if (open.push(container) > MAX_DEPTH) {
      throw new InvalidPolicy("too-deep", "$", `is nested deeper than ${MAX_DEPTH} levels, so flatten it`);
    }
  };

  visit(text, {
    onObjectBegin: () => begin({}),
    onArrayBegin: () => begin([]),
    onObjectEnd: () => void open.pop(),
    onArrayEnd: () => void open.pop(),
    onObjectProperty: (property, _offset, _length, _line, _column, pathTo) => {
      const at = () => jsonPath([...pathTo(), property]);
      if (UNSAFE_KEYS.has(property))
        report("unsafe-key", at(), "is not a name that may be used, so rename it");
      else if (Object.hasOwn(open.at(-1) ?? {}, property)) {
        report("duplicate-key", at(), "is there twice, so remove one");
      }
      // As a symbol nobody reads it, and what holds it is not taken for empty.
      key = UNSAFE_KEYS.has(property) ? Symbol(property) : property;
    },
    onLiteralValue: (value, offset, length) =>
      add(typeof value === "number" ? JSON.rawJSON(text.slice(offset, offset + length)) : value),
  });
  return root;
}

/** What cannot be seen is named. */
function whyNotJson(text: string, why: string): string {
  if (text.startsWith("\ufeff")) return "begins with a byte order mark (U+FEFF), so remove it";
  const seen = why.replaceAll(/[\t\n\r ]+/g, " ").replaceAll(/[^\S ]|\p{Cf}/gu, nameOf);
  return `is not JSON, so correct it: ${seen}`;
}

const MAX_NAME = 80;

/** `["Statement", 0, "Effect"]` as `$.Statement[0].Effect`; of a long name only the beginning. */
export function jsonPath(segments: readonly (string | number)[]): string {
  return segments.reduce<string>(
    (path, segment) =>
      typeof segment === "number"
        ? `${path}[${segment}]`
        : path + asMember(segment.length > MAX_NAME ? `${segment.slice(0, MAX_NAME)}…` : segment),
    "$",
  );
}

function asMember(name: string): string {
  return /^\w+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}
