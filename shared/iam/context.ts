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
  #absent = new Set<string>();

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

  /**
   * The context of passing a role to a service, within this request: what is said of the resource is said of another one.
   * What is asked for and absent counts as absent here.
   */
  ofPassRole(service: string): Context {
    const context = new Context([]);
    for (const [key, value] of this.#values) {
      if (!key.startsWith("aws:resourcetag/")) context.#values.set(key, value);
    }
    context.#values.set("iam:passedtoservice", { values: [service], list: false });
    context.#absent = this.#absent;
    return context;
  }
}

export function invalidKey(key: string, fault: string): InvalidRequest {
  return new InvalidRequest(`context[${JSON.stringify(key)}]`, fault);
}
