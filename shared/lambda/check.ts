import { type Answer, answer } from "../access/answer.ts";
import { explain } from "../access/explain.ts";
import { suppliedContext } from "../access/request-context.ts";
import type { Asked, Snapshot } from "../access/snapshot.ts";
import { namesOf } from "../access/who.ts";
import type { Evaluation, Question } from "../contract/check-authorization.ts";
import { Fault } from "../model/fault.ts";
import type { Principal } from "../model/principal.ts";
import { noSuchStack } from "../table/stacks.ts";
import { accessDenied, ask } from "./authorize.ts";
import type { Call } from "./call.ts";

/** What has to be read to answer a question of this caller. */
export function askedIn({ subject, resource }: Question, caller: Principal): Asked {
  const userArns = [...namesOf(caller), ...namesOf(subject.id)];
  return resource.type === "stack" ? { userArns, stackId: resource.id } : { userArns };
}

/**
 * Answers one question. Everybody may ask about themselves; about others, or with a context of their own, whoever is allowed
 * `stackwarden:CheckAuthorization` on the stack.
 */
export async function check(call: Call, question: Question, snapshot: Snapshot): Promise<Evaluation> {
  const { subject, action, resource, context = {} } = question;
  const { deployment, caller, now } = call;
  if (resource.type === "account" && resource.id !== deployment.place.accountId) {
    throw new Fault("ResourceNotFoundException", `Unable to find account ${resource.id} here`);
  }
  call.snapshot = snapshot;
  const isAboutSelf = subject.id.arn === caller.principal.arn && Object.keys(context).length === 0;
  call.answer = await ask(call, isAboutSelf ? action.name : "stackwarden:CheckAuthorization");
  const mayAsk = isAboutSelf ? call.answer.known : call.answer.decision === "allowed";
  if (!mayAsk) throw accessDenied(call.answer);
  if (resource.type === "stack" && !snapshot.stack) throw noSuchStack(resource.id);
  if (isAboutSelf) return evaluationOf(call.answer);

  const stackTags = snapshot.stack?.Tags ?? {};
  call.answer = await answer(deployment, snapshot, { principal: subject.id }, action.name, (user) =>
    suppliedContext({ principal: subject.id, user, stackTags, place: deployment.place, now }, context),
  );
  return evaluationOf(call.answer);
}

/** The answer in AuthZEN's shape. */
function evaluationOf(given: Answer): Evaluation {
  const { decision, rule, level, levelFrom, statement, known, unreadable, absentKeys } = given;
  // A level or a policy would help nobody who is not there.
  const wouldGrant = known ? given.wouldGrant : undefined;
  return {
    decision: decision === "allowed",
    context: {
      decision,
      rule,
      reason: explain(given),
      ...(level === undefined ? {} : { level }),
      ...(level === undefined || levelFrom === "user" ? {} : { levelFrom }),
      ...(statement === undefined ? {} : { statements: [statement] }),
      ...(wouldGrant === undefined ? {} : { wouldGrant }),
      ...(unreadable.length === 0 ? {} : { unreadablePolicies: [...unreadable] }),
      ...(absentKeys.length === 0 ? {} : { absentKeys: [...absentKeys] }),
      ...(given.policiesAsOf === undefined ? {} : { policiesAsOf: given.policiesAsOf }),
    },
  };
}
