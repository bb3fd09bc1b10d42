import { type Answer, answer } from "../shared/access/answer.ts";
import { explain } from "../shared/access/explain.ts";
import { suppliedContext } from "../shared/access/request-context.ts";
import { loadSnapshot } from "../shared/access/snapshot.ts";
import { CheckAuthorization } from "../shared/contract/check-authorization.ts";
import { Fault } from "../shared/model/fault.ts";
import { accessDenied, ask } from "../shared/lambda/authorize.ts";
import { serve } from "../shared/lambda/serve.ts";
import { noSuchStack } from "../shared/table/stacks.ts";

/**
 * Whether a user may do something on a stack, and why. Everybody may ask about themselves; about others, or with a context of
 * their own, whoever is allowed `stackwarden:CheckAuthorization` on the stack.
 */
export const handler = serve(CheckAuthorization, async (call) => {
  const { subject, action, resource, context } = call.input;
  const { deployment, caller, now } = call;
  if (resource.type === "account" && resource.id !== deployment.place.accountId) {
    throw new Fault("ResourceNotFoundException", `Unable to find account ${resource.id} here`);
  }
  const stackId = resource.type === "stack" ? resource.id : undefined;
  call.snapshot = await loadSnapshot(
    deployment.table,
    [caller.principal.userArn, subject.id.userArn],
    stackId,
  );

  const isAboutSelf = subject.id.arn === caller.principal.arn && Object.keys(context ?? {}).length === 0;
  if (isAboutSelf) {
    call.answer = await ask(call, action.name);
    if (!call.answer.known) throw accessDenied(call.answer);
  } else {
    call.answer = await ask(call, "stackwarden:CheckAuthorization");
    if (call.answer.decision !== "allowed") throw accessDenied(call.answer);
  }
  if (stackId !== undefined && !call.snapshot.stack) throw noSuchStack(stackId);
  if (isAboutSelf) return evaluation(call.answer);

  const stackTags = call.snapshot.stack?.Tags ?? {};
  call.answer = await answer(deployment, call.snapshot, { principal: subject.id }, action.name, (user) =>
    suppliedContext({ principal: subject.id, user, stackTags, place: deployment.place, now }, context ?? {}),
  );
  return evaluation(call.answer);
});

/** The answer in AuthZEN's shape. */
function evaluation(given: Answer) {
  const { decision, rule, level, statement, wouldGrant, unreadable, absentKeys } = given;
  return {
    decision: decision === "allowed",
    context: {
      decision,
      rule,
      reason: explain(given),
      ...(level === undefined ? {} : { level }),
      ...(statement === undefined ? {} : { statements: [statement] }),
      ...(wouldGrant === undefined ? {} : { wouldGrant }),
      ...(unreadable.length === 0 ? {} : { unreadablePolicies: [...unreadable] }),
      ...(absentKeys.length === 0 ? {} : { absentKeys: [...absentKeys] }),
    },
  };
}
