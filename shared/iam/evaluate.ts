import { holds } from "./condition.ts";
import { type Context, invalidKey } from "./context.ts";
import type { Policy, Selection, Statement } from "./policy.ts";
import type { Request } from "./request.ts";

/** A policy and the name people know it by. */
export type NamedPolicy = { readonly name: string; readonly policy: Policy };

/** The statement that decided. `index` counts from 0. */
export type StatementRef = {
  readonly policy: string;
  readonly effect: "Allow" | "Deny";
  readonly sid?: string;
  readonly index: number;
};

/** The first statement of that effect that matches action, resource and condition at once. */
export function findStatement(
  policies: readonly NamedPolicy[],
  effect: "Allow" | "Deny",
  request: Request,
): StatementRef | undefined {
  for (const { name, policy } of policies) {
    for (const statement of policy.statements) {
      if (statement.effect === effect && matches(statement, request)) {
        const { sid, index } = statement;
        return { policy: name, effect, ...(sid === undefined ? {} : { sid }), index };
      }
    }
  }
  return undefined;
}

function matches(statement: Statement, request: Request): boolean {
  return (
    selects(statement.action, request.action, request.context, statement.effect) &&
    selects(statement.resource, request.resource, request.context, statement.effect) &&
    statement.conditions.every((condition) => holds(condition, request.context))
  );
}

/**
 * A pattern whose variable has no value matches nothing. Where it would be an exception (`NotResource`), a Deny then
 * excepts nothing and an Allow grants nothing: the cautious side of both.
 */
function selects(selection: Selection, text: string, context: Context, effect: "Allow" | "Deny"): boolean {
  let unresolved = false;
  for (const pattern of selection.patterns) {
    const match = pattern(text, context);
    if (match) return !selection.not;
    unresolved ||= match === undefined;
  }
  return selection.not && !(unresolved && effect === "Allow");
}

/**
 * Refuses a request whose context has a value that a negated operator of these policies cannot read: no number, no
 * address, no date, no ARN. Such a value is an error, never a decision, whichever statement comes first.
 * @throws InvalidRequest
 */
export function checkContext(policies: readonly NamedPolicy[], context: Context): void {
  for (const { policy } of policies) {
    for (const { operator, key } of policy.negated) {
      const unreadable = context.get(key)?.values.find((value) => !operator.reads(value));
      if (unreadable !== undefined) {
        throw invalidKey(key, `cannot be compared by \`${operator.name}\`: \`${unreadable.slice(0, 80)}\``);
      }
    }
  }
}
