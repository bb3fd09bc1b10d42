import { type Context, invalidKey } from "./context.ts";
import type { Operator } from "./operators.ts";
import type { Policy, Statement } from "./policy.ts";
import type { Request } from "./request.ts";

/** A policy and the name people know it by. */
export type NamedPolicy = { readonly name: string; readonly policy: Policy };

/** The statement that decided. `index` counts from 0. */
export type StatementRef = {
  readonly policy: string;
  readonly effect: "Allow" | "Deny";
  readonly sid: string | undefined;
  readonly index: number;
};

/** The first statement of that effect that matches action, resource and condition at once. */
export function findStatement(
  policies: readonly NamedPolicy[],
  effect: "Allow" | "Deny",
  request: Request,
): StatementRef | undefined {
  for (const policy of policies) {
    const found = findStatementOf(policy, effect, request);
    if (found) return found;
  }
  return undefined;
}

/** The same of one policy. */
export function findStatementOf(
  { name, policy }: NamedPolicy,
  effect: "Allow" | "Deny",
  request: Request,
): StatementRef | undefined {
  const { Deny, Allow } = policy.about(request.action);
  for (const statement of effect === "Deny" ? Deny : Allow) {
    if (matches(statement, request)) {
      return { policy: name, effect, sid: statement.sid, index: statement.index };
    }
  }
  return undefined;
}

/** Whether resource and conditions match, the action given. */
function matches(statement: Statement, { resource, context }: Request): boolean {
  if (!statement.isAboutResource(resource, context)) return false;
  for (const condition of statement.conditions) {
    if (!condition.holds(context)) return false;
  }
  return true;
}

/**
 * Refuses a request whose context has a value that a negated operator of this policy cannot read: no number, no
 * address, no date, no ARN. Such a value is an error, never a decision, whichever statement comes first.
 * @throws InvalidRequest
 */
export function checkContext({ policy }: NamedPolicy, context: Context): void {
  for (const { operator, key } of policy.particular) {
    const value = context.get(key);
    if (typeof value === "string") requireReadable(operator, key, value);
    else if (value !== undefined) for (const one of value) requireReadable(operator, key, one);
  }
}

function requireReadable({ name, reads }: Operator, key: string, value: string): void {
  // Stryker disable next-line OptionalChaining: for the types; a particular condition has it
  if (reads?.(value) === false)
    throw invalidKey(key, `cannot be compared by \`${name}\`: \`${value.slice(0, 80)}\``);
}
