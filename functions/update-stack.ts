import { randomUUID } from "node:crypto";
import { UpdateStack } from "../shared/contract/update-stack.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { answerOfRoles, requireRoles, reviewRoles, roleSource } from "../shared/lambda/require-roles.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { changeSettings, filterSecrets } from "../shared/model/stack.ts";
import { newVersion, versionMustBe, versionOf } from "../shared/model/version.ts";
import { appendEvent } from "../shared/table/events.ts";
import { getItems } from "../shared/table/get-items.ts";
import { keys } from "../shared/table/keys.ts";
import { noSuchStack, putSettings, putStack, readSettings } from "../shared/table/stacks.ts";

/** Changes a stack's members. Its settings are kept apart from the facts that a check needs. */
export const handler = serve(UpdateStack, async (call) => {
  const { StackId, Name, ServiceRoleArn, DefaultInstanceProfileArn, ...change } = call.input;
  const { table } = call.deployment;
  const source = roleSource();
  return retryConflicts(UpdateStack, call, async () => {
    const { stack } = call.snapshot;
    if (!stack) throw noSuchStack(StackId);
    versionMustBe(`stack ${StackId}`, versionOf(stack), call.ifVersion);
    if (ServiceRoleArn !== undefined && ServiceRoleArn !== stack.ServiceRoleArn) {
      throw new Fault("ValidationException", "`ServiceRoleArn` of a stack cannot be changed");
    }
    const facts = {
      Name: Name ?? stack.Name,
      DefaultInstanceProfileArn: DefaultInstanceProfileArn ?? stack.DefaultInstanceProfileArn,
    };
    const isNew = facts.DefaultInstanceProfileArn !== stack.DefaultInstanceProfileArn;
    const profiles = [facts.DefaultInstanceProfileArn];
    const kept = { serviceRoleArn: stack.ServiceRoleArn, instanceProfileArns: isNew ? [] : profiles };
    const roles = [
      isNew ? await requireRoles(call, { instanceProfileArns: profiles }, StackId, source) : {},
      await reviewRoles(call, kept, StackId, source),
    ];
    const key = keys.stackSettings(StackId);
    const before = readSettings((await getItems(table, [key])).get(key));
    const after = changeSettings(before, change);
    const event = changeEvent(call, {
      StackId,
      Before: {
        Name: stack.Name,
        DefaultInstanceProfileArn: stack.DefaultInstanceProfileArn,
        ...filterSecrets(before),
      },
      After: { ...facts, ...filterSecrets(after) },
    });
    const writes = [
      putStack(table, { ...stack, ...facts, Version: newVersion(), Revision: randomUUID() }, stack.Revision),
      putSettings(table, StackId, after),
      appendEvent(table, event),
    ];
    return commit(call, writes, answerOfRoles(...roles));
  });
});
