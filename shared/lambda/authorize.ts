import { type Answer, answer } from "../access/answer.ts";
import { explain } from "../access/explain.ts";
import { ownContext } from "../access/request-context.ts";
import { loadSnapshot, loadSnapshots } from "../access/snapshot.ts";
import { namesOf } from "../access/who.ts";
import type { Operation } from "../contract/operation.ts";
import { Fault } from "../model/fault.ts";
import type { Stack } from "../model/stack.ts";
import { noSuchInstance } from "../model/instance.ts";
import { stacksOfInstances } from "../table/instances.ts";
import { noSuchLayer, stacksOfLayers } from "../table/layers.ts";
import { noSuchStack } from "../table/stacks.ts";
import type { Call } from "./call.ts";

/**
 * Reads what the operation is about, and asks whether the caller may. A stack that is not there shows only to who may know; a layer
 * or an instance that is not there, to who may do this everywhere.
 * @throws Fault AccessDeniedException, ResourceNotFoundException
 */
export async function authorizeCall(operation: Operation, call: Call): Promise<void> {
  const { table, place } = call.deployment;
  const need = operation.needs(call.input, place);
  if (!need) return;
  call.context = operation.context?.(call.input) ?? [];
  const { action, layerId, instanceId } = need;
  const stackId =
    (layerId !== undefined && (await stacksOfLayers(table, [layerId])).get(layerId)) ||
    (instanceId !== undefined && (await stacksOfInstances(table, [instanceId])).get(instanceId)) ||
    need.stackId;
  const userArns = [...namesOf(call.caller.principal), ...(operation.about?.(call.input) ?? [])];
  call.snapshot = await loadSnapshot(table, { userArns, stackId });
  const lost = stackId === undefined ? (layerId ?? instanceId) : undefined;
  await requireAllowed(call, action, { lost, mayBeGone: need.mayBeGone });
  if (layerId !== undefined && stackId === undefined) throw noSuchLayer(layerId);
  if (instanceId !== undefined && stackId === undefined) throw noSuchInstance(instanceId);
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

/**
 * Asks the same of the stacks of several layers, and answers with each layer's stack.
 * @throws Fault AccessDeniedException, ResourceNotFoundException
 */
export async function authorizeOnLayers(
  call: Call,
  action: string,
  layerIds: readonly string[],
): Promise<Map<string, Stack>> {
  const stackIds = await stacksOfLayers(call.deployment.table, layerIds);
  return authorizeOnWhatTheyHave(call, action, layerIds, stackIds, noSuchLayer);
}

/** The same of instances. */
export async function authorizeOnInstances(
  call: Call,
  action: string,
  instanceIds: readonly string[],
): Promise<Map<string, Stack>> {
  const stackIds = await stacksOfInstances(call.deployment.table, instanceIds);
  return authorizeOnWhatTheyHave(call, action, instanceIds, stackIds, noSuchInstance);
}

async function authorizeOnWhatTheyHave(
  call: Call,
  action: string,
  ids: readonly string[],
  stackIds: ReadonlyMap<string, string>,
  isNotThere: (id: string) => Fault,
): Promise<Map<string, Stack>> {
  const stacks = await authorizeOnStacks(call, action, [...new Set(stackIds.values())]);
  const missing = ids.find((id) => !stackIds.has(id));
  if (missing !== undefined) {
    call.snapshot = await loadSnapshot(call.deployment.table, { userArns: namesOf(call.caller.principal) });
    await requireAllowed(call, action, { lost: missing });
    throw isNotThere(missing);
  }
  const byId = new Map(stacks.map((stack) => [stack.StackId, stack]));
  return new Map(
    [...stackIds].flatMap(([id, stackId]) => {
      const stack = byId.get(stackId);
      return stack ? [[id, stack] as const] : [];
    }),
  );
}

/**
 * @param about.lost the layer or instance of which no stack was found to ask about
 * @param about.mayBeGone what is asked of a stack is known of one that was deleted, too
 */
async function requireAllowed(
  call: Call,
  action: string,
  { lost, mayBeGone = false }: { lost?: string | undefined; mayBeGone?: boolean | undefined } = {},
): Promise<void> {
  call.answer = await ask(call, action);
  if (call.answer.decision !== "allowed") throw accessDenied(call.answer, lost);
  const { stackId, stack } = call.snapshot;
  if (stackId !== undefined && !stack && !mayBeGone) throw noSuchStack(stackId);
}

/** Whether the caller may do this, in the context of this very request. */
export function ask(call: Call, action: string): Promise<Answer> {
  const { deployment, snapshot, caller, origin, now, context } = call;
  return answer(deployment, snapshot, caller, action, (user) =>
    ownContext(
      { ...caller, user, stackTags: snapshot.stack?.Tags ?? {}, place: deployment.place, now },
      origin,
      context,
    ),
  );
}

/** In the words of IAM, and the reason. */
export function accessDenied(refused: Answer, lost?: string): Fault {
  const { subject, action, resource, rule, mustPassRole, policiesAsOf } = refused;
  const age = policiesAsOf === undefined ? "" : `; policies as of ${policiesAsOf}`;
  const hint =
    lost === undefined ? "" : `; no stack has ${lost}, so it was asked of all stacks: check the id`;
  const what =
    rule === "pass-role" ? `iam:PassRole on resource: ${mustPassRole}` : `${action} on resource: ${resource}`;
  return new Fault(
    "AccessDeniedException",
    `User: ${subject.arn} is not authorized to perform: ${what} (${rule}: ${explain(refused)}${hint}${age})`,
  );
}
