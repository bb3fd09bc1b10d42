import { readDocument } from "./document.ts";
import { compileAction, select } from "./policy.ts";
import { isAbout } from "./statements-about.ts";

const ASSUME_ROLE = "sts:assumerole";

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
      isAbout(select(action, compileAction), ASSUME_ROLE) &&
      principals.some(
        ({ kind, values }) =>
          (kind === "Service" && values.some(({ text }) => services.includes(text))) ||
          (kind === "AWS" && values.some(({ text }) => text === "*")),
        // Stryker disable next-line MethodExpression: a statement has `Principal` or `NotPrincipal`
      ) !== principals.some(({ not }) => not),
  );
}
