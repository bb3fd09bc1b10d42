import { randomUUID } from "node:crypto";
import { CreateStack } from "../shared/contract/create-stack.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { answerOfRoles, requireRoles } from "../shared/lambda/require-roles.ts";
import { serve } from "../shared/lambda/serve.ts";
import { changeSettings, filterSecrets } from "../shared/model/stack.ts";
import { regionMustBe, stackArn } from "../shared/model/stack-arn.ts";
import { appendEvent } from "../shared/table/events.ts";
import { newStack } from "../shared/table/stacks.ts";

/** Creates a stack, once its roles were looked into. Every user has `iam_only` on it, which is the absence of a grant, so none is written. */
export const handler = serve(CreateStack, async (call) => {
  const { Name, Region, ServiceRoleArn, DefaultInstanceProfileArn, ...settings } = call.input;
  const { table, place } = call.deployment;
  regionMustBe(place, Region);
  const StackId = randomUUID();
  const roles = { serviceRoleArn: ServiceRoleArn, instanceProfileArns: [DefaultInstanceProfileArn] };
  const { gaps } = await requireRoles(call, roles, StackId);
  const stack = {
    StackId,
    Arn: stackArn(place, StackId),
    Name,
    Region,
    ServiceRoleArn,
    DefaultInstanceProfileArn,
    Tags: {},
    CreatedAt: call.now.toISOString(),
    Revision: randomUUID(),
  };
  const After = { Name, ServiceRoleArn, DefaultInstanceProfileArn, ...filterSecrets(settings) };
  const event = changeEvent(call, { StackId, After });
  const writes = [...newStack(table, stack, changeSettings({}, settings)), appendEvent(table, event)];
  return commit(call, writes, { StackId, ...answerOfRoles({ gaps }) });
});
