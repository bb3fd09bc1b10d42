import { Fault } from "../model/fault.ts";
import { html, type Html, sentence } from "./html.ts";

/** A part of a page that an operation answers: what it says or, of what it refuses, why. */
export type Part<Answer> =
  | { readonly answer: Answer; readonly refusal?: undefined }
  | { readonly answer?: undefined; readonly refusal: Fault };

/** Waits for an operation; what went wrong with the service itself is not a part's matter. */
export async function part<Answer>(asked: Promise<Answer>): Promise<Part<Answer>> {
  try {
    return { answer: await asked };
  } catch (error) {
    if (error instanceof Fault && error.statusCode < 500) return { refusal: error };
    throw error;
  }
}

export function showPart<Answer>(of: Part<Answer>, show: (answer: Answer) => Html): Html {
  return of.refusal ? html`<p class="note">${sentence(of.refusal.message)}</p>` : show(of.answer);
}
