import type { MiddlewareObj } from "@middy/core";
import { type Answer, answer } from "../access/answer.ts";
import { explain } from "../access/explain.ts";
import { ownContext } from "../access/request-context.ts";
import { loadSnapshot } from "../access/snapshot.ts";
import type { Operation } from "../contract/operation.ts";
import { Fault } from "../model/fault.ts";
import { noSuchStack } from "../table/stacks.ts";
import type { Call } from "./call.ts";

/** Reads what the operation is about, and lets the caller in or not. A stack that is not there shows only to who may know. */
export function authorize(operation: Operation): MiddlewareObj<Call> {
  return {
    before: async ({ event: call }) => {
      const need = operation.needs(call.input);
      if (!need) return;
      const { principal } = call.caller;
      const userArns = [principal.userArn, ...(operation.about?.(call.input) ?? [])];
      call.snapshot = await loadSnapshot(call.deployment.table, { userArns, stackId: need.stackId });
      call.answer = await ask(call, need.action);
      if (call.answer.decision !== "allowed") throw accessDenied(call.answer);
      if (need.stackId !== undefined && !call.snapshot.stack) throw noSuchStack(need.stackId);
    },
  };
}

/** Whether the caller may do this, in the context of this very request. */
export function ask(call: Call, action: string): Promise<Answer> {
  const { deployment, snapshot, caller, origin, now } = call;
  return answer(deployment, snapshot, caller, action, (user) =>
    ownContext(
      { ...caller, user, stackTags: snapshot.stack?.Tags ?? {}, place: deployment.place, now },
      origin,
    ),
  );
}

/** In the words of IAM, and the reason. */
export function accessDenied(refused: Answer): Fault {
  const { subject, action, resource, rule, mustPassRole } = refused;
  const what =
    rule === "pass-role" ? `iam:PassRole on resource: ${mustPassRole}` : `${action} on resource: ${resource}`;
  return new Fault(
    "AccessDeniedException",
    `User: ${subject.arn} is not authorized to perform: ${what} (${rule}: ${explain(refused)})`,
  );
}
