import { InvalidRequest } from "./invalid-request.ts";

/**
 * Condition keys that hold a list even when it has one value.
 * Source: IAM User Guide, "AWS global condition context keys" (keys marked multivalued).
 */
const MULTIVALUED = new Set([
  "aws:calledvia",
  "aws:principalorgpaths",
  "aws:principalservicenameslist",
  "aws:resourceorgpaths",
  "aws:tagkeys",
]);

/** Whether a condition key holds a list by its nature. @param key in lower case */
export function isMultivalued(key: string): boolean {
  return MULTIVALUED.has(key);
}

/** A condition key's value in a request: `list` when it is a multivalued key or was given as a list. */
export type ContextValue = { readonly values: readonly string[]; readonly list: boolean };

/** The condition keys of one request and their values. Names are case-insensitive; an absent key is not an empty one. */
export class Context {
  readonly #values = new Map<string, ContextValue>();
  readonly #absent = new Set<string>();

  /** @throws InvalidRequest when two keys differ only in case */
  constructor(entries: Iterable<readonly [string, string | readonly string[]]>) {
    for (const [key, value] of entries) {
      const name = key.toLowerCase();
      if (this.#values.has(name)) throw invalidKey(key, "is there twice, in different case");
      const list = Array.isArray(value) || isMultivalued(name);
      this.#values.set(name, { values: typeof value === "string" ? [value] : value, list });
    }
  }

  /** @param key in lower case */
  get(key: string): ContextValue | undefined {
    return this.#values.get(key);
  }

  /** The same on behalf of a policy, so that what nobody supplied can be named. @param key in lower case */
  ask(key: string): ContextValue | undefined {
    const value = this.#values.get(key);
    if (value === undefined) this.#absent.add(key);
    return value;
  }

  /** The value of a single-valued key, as a policy variable takes it. @param key in lower case */
  single(key: string): string | undefined {
    const value = this.ask(key);
    return value === undefined || value.list ? undefined : value.values[0];
  }

  /** Keys that policies asked for so far and this request does not have, in lower case. */
  get absent(): string[] {
    return [...this.#absent].toSorted();
  }

  /** The same context with more keys; what is given here wins. */
  with(extra: Readonly<Record<string, string>>): Context {
    const added = new Set(Object.keys(extra).map((key) => key.toLowerCase()));
    const kept = [...this.#values].filter(([key]) => !added.has(key));
    return new Context([
      ...kept.map(([key, value]) => [key, value.list ? value.values : (value.values[0] ?? "")] as const),
      ...Object.entries(extra),
    ]);
  }
}

export function invalidKey(key: string, fault: string): InvalidRequest {
  return new InvalidRequest(`context[${JSON.stringify(key)}]`, fault);
}
