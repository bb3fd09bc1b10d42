import { DeregisterInstance } from "../shared/contract/deregister-instance.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { noSuchInstance } from "../shared/model/instance.ts";
import { versionMustBe, versionOf } from "../shared/model/version.ts";
import { appendEvent } from "../shared/table/events.ts";
import { readInstance, removeInstance } from "../shared/table/instances.ts";

/** Takes an instance from its stack. */
export const handler = serve(DeregisterInstance, async (call) => {
  const { InstanceId } = call.input;
  const { table } = call.deployment;
  return retryConflicts(DeregisterInstance, call, async () => {
    const { stack } = call.snapshot;
    if (!stack) throw noSuchInstance(InstanceId);
    const { StackId } = stack;
    const instance = await readInstance(table, { StackId, InstanceId });
    versionMustBe(`instance ${InstanceId}`, versionOf(instance), call.ifVersion);
    return commit(
      call,
      [
        ...removeInstance(table, stack, instance),
        appendEvent(table, changeEvent(call, { StackId, Before: instance })),
      ],
      {},
    );
  });
});
