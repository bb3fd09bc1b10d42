import { Fault } from "../model/fault.ts";

/** One of several things that a request is about; `at` is where it stands in the input, unless it is the only one. */
export type Entry = { readonly at?: string };

/** The fault, with the entry that it is about. */
export function faultIn({ at }: Entry, { name, message, transient }: Fault, member?: string): Fault {
  if (at === undefined) return new Fault(name, message, { transient });
  const path = member === undefined ? at : `${at}.${member}`;
  return new Fault(name, `\`${path}\`: ${message}`, { transient });
}

/** Does this, and names the entry in what it throws. */
export function inEntry<T>(entry: Entry, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof Fault ? faultIn(entry, error) : error;
  }
}
