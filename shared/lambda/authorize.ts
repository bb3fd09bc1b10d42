import type { MiddlewareObj } from "@middy/core";
import { type Answer, answer } from "../access/answer.ts";
import { explain } from "../access/explain.ts";
import { ownContext } from "../access/request-context.ts";
import { loadSnapshot, loadSnapshots } from "../access/snapshot.ts";
import { namesOf } from "../access/who.ts";
import type { Operation } from "../contract/operation.ts";
import { Fault } from "../model/fault.ts";
import type { Stack } from "../model/stack.ts";
import { noSuchStack } from "../table/stacks.ts";
import type { Call } from "./call.ts";

/** Lets the caller in or not, before the operation does anything. */
export function authorize(operation: Operation): MiddlewareObj<Call> {
  return { before: ({ event: call }) => authorizeCall(operation, call) };
}

/**
 * Reads what the operation is about, and asks whether the caller may. A stack that is not there shows only to who may know.
 * @throws Fault AccessDeniedException, ResourceNotFoundException
 */
export async function authorizeCall(operation: Operation, call: Call): Promise<void> {
  const need = operation.needs(call.input);
  if (!need) return;
  const userArns = [...namesOf(call.caller.principal), ...(operation.about?.(call.input) ?? [])];
  call.snapshot = await loadSnapshot(call.deployment.table, { userArns, stackId: need.stackId });
  await requireAllowed(call, need.action);
}

/**
 * Asks the same of several stacks, and answers with them: one that the caller may not touch refuses the whole, since nothing is
 * left out in silence.
 * @throws Fault AccessDeniedException, ResourceNotFoundException
 */
export async function authorizeOnStacks(
  call: Call,
  action: string,
  stackIds: readonly string[],
): Promise<Stack[]> {
  const userArns = namesOf(call.caller.principal);
  const asked = stackIds.map((stackId) => ({ userArns, stackId }));
  const stacks: Stack[] = [];
  for (const snapshot of await loadSnapshots(call.deployment.table, asked)) {
    call.snapshot = snapshot;
    await requireAllowed(call, action);
    if (snapshot.stack) stacks.push(snapshot.stack);
  }
  return stacks;
}

async function requireAllowed(call: Call, action: string): Promise<void> {
  call.answer = await ask(call, action);
  if (call.answer.decision !== "allowed") throw accessDenied(call.answer);
  const { stackId, stack } = call.snapshot;
  if (stackId !== undefined && !stack) throw noSuchStack(stackId);
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
