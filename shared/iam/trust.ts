import { readDocument } from "./document.ts";
import { Context } from "./context.ts";
import { compileAction, select } from "./policy.ts";

const ASSUME_ROLE = "sts:assumerole";
const NO_CONTEXT = new Context([]);

/**
 * Whether a role's trust policy names one of the services for `sts:AssumeRole`, conditions left aside: what could be assumed, not
 * what will be.
 * @param value the document as {@link readJson} reads it
 * @throws InvalidPolicy
 */
export function namesService(value: unknown, services: readonly string[]): boolean {
  return readDocument(value, "trust").statements.some(
    ({ effect, action, principals }) =>
      effect === "Allow" &&
      select(action, compileAction).patterns.some((matches) => matches(ASSUME_ROLE, NO_CONTEXT)) !==
        action.not &&
      principals.some(
        ({ kind, values }) =>
          (kind === "Service" && values.some(({ text }) => services.includes(text))) ||
          (kind === "AWS" && values.some(({ text }) => text === "*")),
      ) !== principals.some(({ not }) => not),
  );
}
