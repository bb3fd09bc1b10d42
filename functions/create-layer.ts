import { randomUUID } from "node:crypto";
import { CreateLayer } from "../shared/contract/create-layer.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { requirePassRole } from "../shared/lambda/require-pass-role.ts";
import { answerOfRoles, requireRoles, reviewRoles, roleSource } from "../shared/lambda/require-roles.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { filterLayer, restoreSecrets } from "../shared/model/layer.ts";
import { appendEvent } from "../shared/table/events.ts";
import { addLayer, shortnameMustBeFree } from "../shared/table/layers.ts";
import { noSuchStack } from "../shared/table/stacks.ts";

/** Adds a layer to a stack. Its short name is its own there. */
export const handler = serve(CreateLayer, async (call) => {
  const { StackId, Attributes, ...given } = call.input;
  const { table } = call.deployment;
  const LayerId = randomUUID();
  const layer = {
    LayerId,
    StackId,
    ...given,
    ...(Attributes ? { Attributes: restoreSecrets(Attributes) } : {}),
    Tags: {},
    CreatedAt: call.now.toISOString(),
  };
  const { CustomInstanceProfileArn: profile } = given;
  const source = roleSource();
  const { gaps, passed } =
    profile === undefined
      ? { gaps: [], passed: [] }
      : await requireRoles(call, { instanceProfileArns: [profile] }, StackId, source);
  return retryConflicts(CreateLayer, call, async () => {
    const { stack } = call.snapshot;
    if (!stack) throw noSuchStack(StackId);
    await requirePassRole(call, passed);
    const kept = { instanceProfileArns: profile === undefined ? [stack.DefaultInstanceProfileArn] : [] };
    const review = await reviewRoles(call, kept, StackId, source);
    await shortnameMustBeFree(table, layer);
    const writes = [
      ...addLayer(table, stack, layer),
      appendEvent(table, changeEvent(call, { StackId, After: filterLayer(layer) })),
    ];
    return commit(call, writes, { LayerId, ...answerOfRoles({ gaps }, review) });
  });
});
