import { DeleteStack } from "../shared/contract/delete-stack.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { versionMustBe, versionOf } from "../shared/model/version.ts";
import { appendEvent } from "../shared/table/events.ts";
import { noSuchStack, removeStack } from "../shared/table/stacks.ts";

/** Removes a stack. Its id is never used again, so what anybody was given on it counts no more. */
export const handler = serve(DeleteStack, async (call) => {
  const { StackId } = call.input;
  const { table } = call.deployment;
  return retryConflicts(DeleteStack, call, async () => {
    const { stack } = call.snapshot;
    if (!stack) throw noSuchStack(StackId);
    versionMustBe(`stack ${StackId}`, versionOf(stack), call.ifVersion);
    const { LayerCount = 0, InstanceCount = 0 } = stack;
    if (InstanceCount > 0) {
      const instances = InstanceCount === 1 ? "an instance" : `${InstanceCount} instances`;
      throw new Fault("ValidationException", `the stack has ${instances}: deregister the instances first`);
    }
    if (LayerCount > 0) {
      const layers = LayerCount === 1 ? "a layer" : `${LayerCount} layers`;
      throw new Fault("ValidationException", `the stack has ${layers}: delete the layers first`);
    }
    const { Name, ServiceRoleArn, DefaultInstanceProfileArn, Tags, GroupGrants } = stack;
    const Before = { Name, ServiceRoleArn, DefaultInstanceProfileArn, Tags, GroupGrants };
    const event = changeEvent(call, { StackId, Before });
    return commit(call, [...removeStack(table, stack), appendEvent(table, event)], {});
  });
});
