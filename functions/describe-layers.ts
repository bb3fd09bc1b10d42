import { collectPages } from "../shared/access/collect-pages.ts";
import { DescribeLayers } from "../shared/contract/describe-layers.ts";
import { authorizeOnLayers } from "../shared/lambda/authorize.ts";
import { serve } from "../shared/lambda/serve.ts";
import { filterLayer, instanceProfileOf, type Layer } from "../shared/model/layer.ts";
import type { Stack } from "../shared/model/stack.ts";
import { layerArn, type Place } from "../shared/model/stack-arn.ts";
import { versionOf } from "../shared/model/version.ts";
import { listLayers, noSuchLayer, readLayers } from "../shared/table/layers.ts";

/** The layers of one stack, or these. Nothing is left out in silence: one that the caller may not describe refuses the whole. */
export const handler = serve(DescribeLayers, async (call) => {
  const { LayerIds = [], ...paging } = call.input;
  const { table, place } = call.deployment;
  const { stack } = call.snapshot;
  if (stack) {
    const { rows, ...rest } = await collectPages(paging, async (limit, token) => {
      const { page, next } = await listLayers(table, stack.StackId, limit, token);
      return { page: page.map((layer) => show(place, layer, stack)), next };
    });
    return { Layers: rows, ...rest };
  }

  const stacks = await authorizeOnLayers(call, "opsworks:DescribeLayers", LayerIds);
  const stackOf = (LayerId: string): Stack => {
    const stack = stacks.get(LayerId);
    if (!stack) throw noSuchLayer(LayerId);
    return stack;
  };
  const { rows } = await collectPages({}, async () => {
    const located = LayerIds.map((LayerId) => ({ LayerId, StackId: stackOf(LayerId).StackId }));
    const layers = await readLayers(table, located);
    return { page: layers.map((layer) => show(place, layer, stackOf(layer.LayerId))), next: undefined };
  });
  return { Layers: rows };
});

function show(place: Place, layer: Layer, stack: Stack) {
  const { Tags: _tags, ...shown } = filterLayer(layer);
  return {
    ...shown,
    Arn: layerArn(place, layer.LayerId),
    InstanceProfileArn: instanceProfileOf(layer, stack),
    Version: versionOf(layer),
  };
}
