import { visit } from "jsonc-parser";
import { InvalidPolicy } from "./invalid-policy.ts";

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
 * @throws InvalidPolicy
 */
export function readJson(text: string, maxLength: number): unknown {
  if (text.length > maxLength) throw new InvalidPolicy("$", `is longer than ${maxLength} characters`);
  try {
    JSON.parse(text);
  } catch (error) {
    throw new InvalidPolicy("$", `is not JSON: ${error instanceof Error ? error.message : "unreadable"}`);
  }

  const open: (unknown[] | Record<string, unknown>)[] = [];
  let root: unknown;
  let key = "";
  const add = (value: unknown) => {
    const parent = open.at(-1);
    if (parent === undefined) root = value;
    else if (Array.isArray(parent)) parent.push(value);
    else parent[key] = value;
  };
  const begin = (container: unknown[] | Record<string, unknown>) => {
    add(container);
    if (open.push(container) > MAX_DEPTH) throw new InvalidPolicy("$", `is nested deeper than ${MAX_DEPTH}`);
  };

  visit(text, {
    onObjectBegin: () => begin({}),
    onArrayBegin: () => begin([]),
    onObjectEnd: () => void open.pop(),
    onArrayEnd: () => void open.pop(),
    onObjectProperty: (property, _offset, _length, _line, _column, pathTo) => {
      const at = () => jsonPath([...pathTo(), property]);
      if (UNSAFE_KEYS.has(property)) throw new InvalidPolicy(at(), "is not a name that may be used");
      if (Object.hasOwn(open.at(-1) ?? {}, property)) throw new InvalidPolicy(at(), "is there twice");
      key = property;
    },
    onLiteralValue: (value, offset, length) =>
      add(typeof value === "number" ? JSON.rawJSON(text.slice(offset, offset + length)) : value),
  });
  return root;
}

/** `["Statement", 0, "Effect"]` as `$.Statement[0].Effect`. */
export function jsonPath(segments: readonly (string | number)[]): string {
  return segments.reduce<string>(
    (path, segment) =>
      typeof segment === "number"
        ? `${path}[${segment}]`
        : `${path}${/^\w+$/.test(segment) ? `.${segment}` : `[${JSON.stringify(segment)}]`}`,
    "$",
  );
}
