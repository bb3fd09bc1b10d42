import { DeleteLayer } from "../shared/contract/delete-layer.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { filterLayer } from "../shared/model/layer.ts";
import { versionMustBe, versionOf } from "../shared/model/version.ts";
import { appendEvent } from "../shared/table/events.ts";
import { layerMustBeEmpty } from "../shared/table/instances.ts";
import { noSuchLayer, readLayer, removeLayer } from "../shared/table/layers.ts";

/** Removes a layer from its stack. */
export const handler = serve(DeleteLayer, async (call) => {
  const { LayerId } = call.input;
  const { table } = call.deployment;
  return retryConflicts(DeleteLayer, call, async () => {
    const { stack } = call.snapshot;
    if (!stack) throw noSuchLayer(LayerId);
    const { StackId } = stack;
    const layer = await readLayer(table, { StackId, LayerId });
    versionMustBe(`layer ${LayerId}`, versionOf(layer), call.ifVersion);
    await layerMustBeEmpty(table, stack, LayerId);
    return commit(
      call,
      [
        ...removeLayer(table, stack, layer),
        appendEvent(table, changeEvent(call, { StackId, Before: filterLayer(layer) })),
      ],
      {},
    );
  });
});
