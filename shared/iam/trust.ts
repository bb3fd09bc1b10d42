import { compileCondition } from "./condition.ts";
import type { Context } from "./context.ts";
import { type Document, readDocument, type StatementText } from "./document.ts";
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
    (statement) => statement.effect === "Allow" && letsAssume(statement, services),
  );
}

/** Whether something holds, or hangs on what is not known. */
export type Holds = "yes" | "depends" | "no";

/**
 * Whether a role's trust policy allows and denies a service to assume it in this context. What hangs on a key that the context does not have
 * depends: the service may send it.
 * @param value the document as {@link readJson} reads it
 * @throws InvalidPolicy
 */
export function mayAssume(
  value: unknown,
  services: readonly string[],
  context: Context,
): { readonly Allow: Holds; readonly Deny: Holds } {
  const document = readDocument(value, "trust");
  const found = { Allow: new Set<Holds>(), Deny: new Set<Holds>() };
  for (const statement of document.statements) {
    if (letsAssume(statement, services)) found[statement.effect].add(holds(statement, document, context));
  }
  const most = (of: ReadonlySet<Holds>) => (of.has("yes") ? "yes" : of.has("depends") ? "depends" : "no");
  return { Allow: most(found.Allow), Deny: most(found.Deny) };
}

/** Whether a statement is about one of the services assuming the role. */
function letsAssume({ action, principals }: StatementText, services: readonly string[]): boolean {
  const isNamed = principals.some(
    ({ kind, values }) =>
      (kind === "Service" && values.some(({ text }) => services.includes(text))) ||
      (kind === "AWS" && values.some(({ text }) => text === "*")),
  );
  // Stryker disable next-line MethodExpression: a statement has `Principal` or `NotPrincipal`
  return isNamed !== principals.some(({ not }) => not) && isAbout(select(action, compileAction), ASSUME_ROLE);
}

function holds({ conditions }: StatementText, { version }: Document, context: Context): Holds {
  const compiled = conditions.map((condition) => compileCondition(condition, version === "2012-10-17"));
  const known = compiled.filter(({ key }) => context.ask(key) !== undefined);
  if (!known.every((condition) => condition.holds(context))) return "no";
  return known.length < compiled.length ? "depends" : "yes";
}
