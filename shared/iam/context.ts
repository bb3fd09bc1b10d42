import { internName } from "./remember.ts";
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
  readonly #places: Places;
  readonly #values: readonly ContextValue[];
  #absent: string[] | undefined;

  /** @throws InvalidRequest when two keys differ only in case */
  constructor(entries: readonly (readonly [string, ContextValue])[]) {
    const names: string[] = [];
    const values: ContextValue[] = [];
    for (const [key, value] of entries) {
      const name = internName(key);
      const isText =
        typeof value === "string" ? value.isWellFormed() : value.every((one) => one.isWellFormed());
      if (!isText) throw invalidKey(key, "has half of a surrogate pair, so it is no text");
      names.push(name);
      values.push(typeof value === "string" && isMultivalued(name) ? [value] : value);
    }
    this.#places = placesOf(names);
    this.#values = values;
    // Stryker disable next-line ConditionalExpression,EqualityOperator: the search would find none
    if (this.#places.size < names.length) {
      for (const [place, [key]] of entries.entries()) {
        if (names.indexOf(internName(key)) < place)
          throw invalidKey(key, "is there twice, in different case");
      }
    }
  }

  /** @param key in lower case */
  get(key: string): ContextValue | undefined {
    const place = this.#places.get(key);
    // Stryker disable next-line ConditionalExpression: for the types; no list has a place `undefined`
    return place === undefined ? undefined : this.#values[place];
  }

  /** The same on behalf of a policy, so that what nobody supplied can be named. @param key in lower case */
  ask(key: string): ContextValue | undefined {
    const value = this.get(key);
    if (value === undefined) this.#noteAbsent(key);
    return value;
  }

  /** The value of a single-valued key, as a policy variable takes it. @param key in lower case */
  single(key: string): string | undefined {
    const value = this.ask(key);
    return typeof value === "string" ? value : undefined;
  }

  /** Keys that policies asked for so far and this request does not have, in lower case. */
  get absent(): string[] {
    return (this.#absent ?? []).toSorted();
  }

  /**
   * The context of passing a role to a service, within this request: what is said of the resource is said of another one.
   * What is asked for and absent counts as absent here.
   */
  ofPassRole(service: string): Context {
    this.#absent ??= [];
    const kept = [...this.#places.keys()]
      .map((name, place) => [name, this.#values[place] ?? []] as const)
      .filter(([name]) => name !== PASSED_TO_SERVICE && !name.startsWith("aws:resourcetag/"));
    const context = new Context([...kept, [PASSED_TO_SERVICE, service]]);
    context.#absent = this.#absent;
    return context;
  }

  #noteAbsent(key: string): void {
    this.#absent ??= [];
    if (!this.#absent.includes(key)) this.#absent.push(key);
  }
}

const PASSED_TO_SERVICE = "iam:passedtoservice";

/**
 * Where each key's value is. Requests of one kind have the same keys in the same order and share this, so that a request
 * keeps nothing but its values, and a look-up is made in what is in use all the time.
 */
type Places = ReadonlyMap<string, number>;

/** The places of some keys, and of those that go on from there. */
type KeySet = { readonly places: Places; readonly longer: Map<string, KeySet> };

const NO_KEYS: KeySet = { places: new Map(), longer: new Map() };
const MOST_KEYS = 64;
const MOST_SETS = 1024;
let sets = 0;

function placesOf(names: readonly string[]): Places {
  // Stryker disable next-line ConditionalExpression,EqualityOperator: what is shared shows in memory alone
  if (names.length > MOST_KEYS) return new Map(names.map((name, place) => [name, place]));
  return names.reduce(withKey, NO_KEYS).places;
}

function withKey({ places, longer }: KeySet, name: string): KeySet {
  const found = longer.get(name);
  // Stryker disable next-line ConditionalExpression: what is shared shows in memory alone
  if (found !== undefined) return found;
  // Stryker disable all: what is kept shows in memory alone
  if (sets >= MOST_SETS) {
    NO_KEYS.longer.clear();
    sets = 0;
  }
  // Stryker restore all
  const made = { places: new Map(places).set(name, places.size), longer: new Map() };
  // Stryker disable next-line CallExpression: as above
  longer.set(name, made);
  // Stryker disable next-line AssignmentOperator: as above
  sets += 1;
  return made;
}

export function invalidKey(key: string, fault: string): InvalidRequest {
  return new InvalidRequest(`context[${JSON.stringify(key)}]`, fault);
}
