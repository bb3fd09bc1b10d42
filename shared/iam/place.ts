import type { ErrorCode } from "./finding.ts";
import { type Report, refuse } from "./invalid-policy.ts";
import { InvalidValue } from "./invalid-value.ts";
import { jsonPath } from "./json.ts";

/** A place in a document, and who is told what is wrong there. */
export class Place {
  readonly #report: Report;
  readonly #name: string | number | undefined;
  readonly #parent: Place | undefined;

  constructor(report: Report = refuse, name?: string | number, parent?: Place) {
    this.#report = report;
    this.#name = name;
    this.#parent = parent;
  }

  /** A member or item of what stands here. */
  at(name: string | number): Place {
    return new Place(this.#report, name, this);
  }

  /** As a JSON path. */
  get path(): string {
    return jsonPath(this.#segments);
  }

  get #segments(): (string | number)[] {
    const above = this.#parent === undefined ? [] : this.#parent.#segments;
    return this.#name === undefined ? above : [...above, this.#name];
  }

  /** @param fault a clause whose subject is what stands here */
  fault(code: ErrorCode, fault: string): void {
    this.#report(code, this.path, fault);
  }
}

/** A text and where it stands. */
export type Entry = { readonly text: string; readonly place: Place };

/** Compiles each entry; one that `compile` refuses with an {@link InvalidValue} is reported where it stands. */
export function compileEntries<T>(entries: readonly Entry[], compile: (text: string) => T): T[] {
  return entries.flatMap(({ text, place }) => {
    try {
      return [compile(text)];
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      place.fault(error.code, error.message);
      return [];
    }
  });
}
