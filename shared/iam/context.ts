import { internName } from "./intern.ts";
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

/** A condition key's value in a request: a list when it is a multivalued key or was given as a list. */
export type ContextValue = string | readonly string[];

/** The condition keys of one request and their values. Names are case-insensitive; an absent key is not an empty one. */
export class Context {
  readonly #values = new Map<string, ContextValue>();
  #absent: string[] = [];

  /** @throws InvalidRequest when two keys differ only in case */
  constructor(entries: Iterable<readonly [string, string | readonly string[]]>) {
    for (const [key, value] of entries) {
      const name = internName(key);
      if (this.#values.has(name)) throw invalidKey(key, "is there twice, in different case");
      this.#values.set(name, typeof value === "string" && isMultivalued(name) ? [value] : value);
    }
  }

  /** @param key in lower case */
  get(key: string): ContextValue | undefined {
    return this.#values.get(key);
  }

  /** The same on behalf of a policy, so that what nobody supplied can be named. @param key in lower case */
  ask(key: string): ContextValue | undefined {
    const value = this.#values.get(key);
    if (value === undefined && !this.#absent.includes(key)) this.#absent.push(key);
    return value;
  }

  /** The value of a single-valued key, as a policy variable takes it. @param key in lower case */
  single(key: string): string | undefined {
    const value = this.ask(key);
    return typeof value === "string" ? value : undefined;
  }

  /** Keys that policies asked for so far and this request does not have, in lower case. */
  get absent(): string[] {
    return this.#absent.toSorted();
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
    context.#values.set("iam:passedtoservice", service);
    context.#absent = this.#absent;
    return context;
  }
}

export function invalidKey(key: string, fault: string): InvalidRequest {
  return new InvalidRequest(`context[${JSON.stringify(key)}]`, fault);
}
