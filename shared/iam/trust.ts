import { compileCondition } from "./condition.ts";
import type { Context } from "./context.ts";
import { type Document, readDocument, type StatementText } from "./document.ts";
import { compileAction, select } from "./policy.ts";
import { isAbout } from "./statements-about.ts";

const ASSUME_ROLE = "sts:assumerole";

/** The service by which what runs on an instance gets the credentials of its role. */
export const EC2_SERVICES = ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] as const;

/** What EC2 is called in a partition. Source: CloudFormation User Guide, pseudo parameter `AWS::URLSuffix`. */
export function ec2ServiceIn(partition: string): (typeof EC2_SERVICES)[number] {
  return partition === "aws-cn" ? "ec2.amazonaws.com.cn" : "ec2.amazonaws.com";
}

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

/**
 * Whether a role's trust policy names these services and nobody else, whatever it lets them do and on whatever condition: who could
 * assume the role otherwise would choose the session's name.
 * @param value the document as {@link readJson} reads it
 * @throws InvalidPolicy
 */
export function namesOnlyServices(value: unknown, services: readonly string[]): boolean {
  const principals = readDocument(value, "trust").statements.flatMap(({ effect, principals }) =>
    effect === "Allow" ? principals : [],
  );
  const isOne = ({ not, kind, values }: StatementText["principals"][number]) =>
    !not && kind === "Service" && values.every(({ text }) => services.includes(text));
  return principals.length > 0 && principals.every(isOne);
}

/** Whether something holds, or hangs on what is not known. */
type Holds = "yes" | "depends" | "no";

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
