import { randomUUID } from "node:crypto";
import { CloneStack } from "../shared/contract/clone-stack.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { copyLayers, eventsOfGroups, GrantsCopy, writesOfLayers } from "../shared/lambda/copies.ts";
import { requirePassRole } from "../shared/lambda/require-pass-role.ts";
import { answerOfRoles, requireRoles } from "../shared/lambda/require-roles.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { changeSettings } from "../shared/model/stack.ts";
import { stackArn } from "../shared/model/stack-arn.ts";
import { writeInBatches } from "../shared/table/batches.ts";
import { beginClone, finishClone } from "../shared/table/clones.ts";
import { appendEvent } from "../shared/table/events.ts";
import { getItems } from "../shared/table/get-items.ts";
import { keys } from "../shared/table/keys.ts";
import { noSuchStack, readSettings } from "../shared/table/stacks.ts";
import { transact } from "../shared/table/write.ts";

/**
 * Makes a stack like another. That may be thousands of items, more than one transaction takes, so the stack itself comes last: until
 * then nothing of it counts for anybody, and what an interrupted copy leaves is swept later.
 */
export const handler = serve(CloneStack, async (call) => {
  const { SourceStackId, Region: _here, ClonePermissions = false, CloneAppIds: _none, ...given } = call.input;
  const { table, place } = call.deployment;
  const source = call.snapshot.stack;
  if (!source) throw noSuchStack(SourceStackId);
  const {
    Name = source.Name,
    ServiceRoleArn,
    DefaultInstanceProfileArn = source.DefaultInstanceProfileArn,
    ...change
  } = given;
  const ofSource = keys.stackSettings(SourceStackId);
  const settings = changeSettings(readSettings((await getItems(table, [ofSource])).get(ofSource)), change);

  const StackId = randomUUID();
  const layers = await copyLayers(call, source, StackId);
  const profiles = layers.flatMap(({ CustomInstanceProfileArn }) => CustomInstanceProfileArn ?? []);
  const roles = {
    serviceRoleArn: ServiceRoleArn,
    instanceProfileArns: [DefaultInstanceProfileArn, ...profiles],
  };
  const { gaps, passed } = await requireRoles(call, roles, StackId);
  await transact(table, [beginClone(table, StackId, call.now)]);
  await writeInBatches(table, writesOfLayers(call, layers));
  if (ClonePermissions) await writeInBatches(table, eventsOfGroups(call, source, StackId));

  const facts = { Name, ServiceRoleArn, DefaultInstanceProfileArn, Tags: source.Tags };
  const stack = {
    StackId,
    Arn: stackArn(place, StackId),
    ...facts,
    Region: place.region,
    ...(ClonePermissions && source.GroupGrants ? { GroupGrants: source.GroupGrants } : {}),
    LayerCount: layers.length,
    CreatedAt: call.now.toISOString(),
    Revision: randomUUID(),
  };
  const After = { ...facts, SourceStackId, ClonePermissions, LayerIds: layers.map(({ LayerId }) => LayerId) };
  const grants = new GrantsCopy(call, source, StackId);
  return retryConflicts(CloneStack, call, async () => {
    await requirePassRole(call, passed);
    const writes = [
      ...(ClonePermissions ? [await grants.settle()] : []),
      ...finishClone(table, source, stack, settings),
      appendEvent(table, changeEvent(call, { StackId, After })),
    ];
    return commit(call, writes, { StackId, ...answerOfRoles({ gaps }) });
  });
});
