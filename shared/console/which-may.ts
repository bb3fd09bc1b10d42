import { BatchCheckAuthorization } from "../contract/batch-check-authorization.ts";
import type { Evaluation } from "../contract/check-authorization.ts";
import { readPrincipal } from "../model/principal.ts";
import type { Visit } from "./page.ts";

/** What the decision says of each of these actions of the visitor's, on a stack or where none is meant. */
export async function evaluationsOf(
  { call, session: { CallerArn } }: Visit,
  actions: readonly string[],
  stackId?: string,
): Promise<readonly Evaluation[]> {
  const account = { type: "account", id: readPrincipal(CallerArn)?.accountId };
  const answer = await call(BatchCheckAuthorization, {
    subject: { type: "user", id: CallerArn },
    resource: stackId === undefined ? account : { type: "stack", id: stackId },
    evaluations: actions.map((action) => ({ action: { name: action } })),
  });
  return "evaluations" in answer ? answer.evaluations : [];
}

/**
 * Which of these actions the visitor may do, so that a page offers no other. It is a matter of looks: whatever is sent is decided by its
 * operation.
 */
export async function whichMay<Action extends string>(
  visit: Visit,
  actions: readonly Action[],
  stackId?: string,
): Promise<ReadonlySet<Action>> {
  const evaluations = await evaluationsOf(visit, actions, stackId);
  return new Set(actions.filter((_action, index) => evaluations[index]?.decision));
}
