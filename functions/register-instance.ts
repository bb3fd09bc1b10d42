import { randomUUID } from "node:crypto";
import { RegisterInstance } from "../shared/contract/register-instance.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { appendEvent } from "../shared/table/events.ts";
import { addInstance } from "../shared/table/instances.ts";
import { readLayers } from "../shared/table/layers.ts";
import { noSuchStack } from "../shared/table/stacks.ts";

/** Makes an EC2 instance one of a stack's, and of its layers. It is one stack's alone. */
export const handler = serve(RegisterInstance, async (call) => {
  const { StackId, LayerIds = [], Platform = "Linux", ...given } = call.input;
  const { table } = call.deployment;
  const InstanceId = randomUUID();
  const CreatedAt = call.now.toISOString();
  const instance = { InstanceId, StackId, LayerIds, Platform, ...given, CreatedAt };
  return retryConflicts(RegisterInstance, call, async () => {
    const { stack } = call.snapshot;
    if (!stack) throw noSuchStack(StackId);
    await readLayers(
      table,
      LayerIds.map((LayerId) => ({ StackId, LayerId })),
    );
    return commit(
      call,
      [
        ...addInstance(table, stack, instance),
        appendEvent(table, changeEvent(call, { StackId, After: instance })),
      ],
      { InstanceId },
    );
  });
});
