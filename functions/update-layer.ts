import { UpdateLayer } from "../shared/contract/update-layer.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { answerOfRoles, requireRoles, reviewRoles, roleSource } from "../shared/lambda/require-roles.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { changeLayer, filterLayer, instanceProfileOf } from "../shared/model/layer.ts";
import { newVersion, versionMustBe, versionOf } from "../shared/model/version.ts";
import { appendEvent } from "../shared/table/events.ts";
import { noSuchLayer, putLayer, readLayer, shortnameMustBeFree } from "../shared/table/layers.ts";

/** Changes a layer's members. The layer is read after its stack, whose revision guards it. */
export const handler = serve(UpdateLayer, async (call) => {
  const { LayerId, ...change } = call.input;
  const { table } = call.deployment;
  const source = roleSource();
  return retryConflicts(UpdateLayer, call, async () => {
    const { stack } = call.snapshot;
    if (!stack) throw noSuchLayer(LayerId);
    const { StackId } = stack;
    const before = await readLayer(table, { StackId, LayerId });
    versionMustBe(`layer ${LayerId}`, versionOf(before), call.ifVersion);
    const after = { ...changeLayer(before, change), Version: newVersion() };
    const named = { instanceProfileArns: [instanceProfileOf(after, stack)] };
    const isNew = after.CustomInstanceProfileArn !== before.CustomInstanceProfileArn;
    const roles = await (isNew ? requireRoles : reviewRoles)(call, named, StackId, source);
    if (after.Shortname !== before.Shortname) await shortnameMustBeFree(table, after);
    const event = changeEvent(call, { StackId, Before: filterLayer(before), After: filterLayer(after) });
    const writes = [...putLayer(table, stack, after), appendEvent(table, event)];
    return commit(call, writes, answerOfRoles(roles));
  });
});
