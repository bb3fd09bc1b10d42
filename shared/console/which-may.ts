import { BatchCheckAuthorization } from "../contract/batch-check-authorization.ts";
import { readPrincipal } from "../model/principal.ts";
import type { Visit } from "./page.ts";

/**
 * Which of these actions the visitor may do, on a stack or where none is meant, so that a page offers no other. It is a matter of looks:
 * whatever is sent is decided by its operation.
 */
export async function whichMay<Action extends string>(
  { call, session: { CallerArn } }: Visit,
  actions: readonly Action[],
  stackId?: string,
): Promise<ReadonlySet<Action>> {
  const account = { type: "account", id: readPrincipal(CallerArn)?.accountId };
  const answer = await call(BatchCheckAuthorization, {
    subject: { type: "user", id: CallerArn },
    resource: stackId === undefined ? account : { type: "stack", id: stackId },
    evaluations: actions.map((action) => ({ action: { name: action } })),
  });
  const evaluations = "evaluations" in answer ? answer.evaluations : [];
  return new Set(actions.filter((_action, index) => evaluations[index]?.decision));
}
