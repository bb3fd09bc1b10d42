import { answerOn } from "../access/answer.ts";
import { explain } from "../access/explain.ts";
import { ownContext } from "../access/request-context.ts";
import { Fault } from "../model/fault.ts";
import type { Call } from "./call.ts";

/** A role that a request hands to a service, which will act with it. */
export type Passed = { readonly roleArn: string; readonly service: string };

/**
 * Whoever gives roles to a stack must be allowed to pass each of them: otherwise a stack would be a way to rights that its maker
 * does not have. No level includes it.
 *
 * Source: IAM User Guide, "Granting a user permissions to pass a role to an AWS service".
 * @throws Fault AccessDeniedException that names every role which may not be passed
 */
export async function requirePassRole(call: Call, roles: readonly Passed[]): Promise<void> {
  const { deployment, snapshot, caller, origin, now } = call;
  const refusals: string[] = [];
  for (const { roleArn, service } of roles) {
    const asked = await answerOn(deployment, snapshot, caller, "iam:PassRole", roleArn, (user) =>
      ownContext({ ...caller, user, stackTags: {}, place: deployment.place, now }, origin).ofPassRole(
        service,
      ),
    );
    if (asked.decision === "allowed") continue;
    refusals.push(
      `User: ${caller.principal.arn} is not authorized to perform: iam:PassRole on resource: ${roleArn} (passed to ${service}; ${asked.rule}: ${explain(asked)})`,
    );
  }
  if (refusals.length > 0) throw new Fault("AccessDeniedException", refusals.join("; "));
}
