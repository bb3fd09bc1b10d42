import { collectPages } from "../shared/access/collect-pages.ts";
import { DescribeInstances } from "../shared/contract/describe-instances.ts";
import { authorizeOnInstances } from "../shared/lambda/authorize.ts";
import { serve } from "../shared/lambda/serve.ts";
import { type Instance, noSuchInstance } from "../shared/model/instance.ts";
import { instanceProfileOf, type Layer } from "../shared/model/layer.ts";
import type { Stack } from "../shared/model/stack.ts";
import { instanceArn, type Place } from "../shared/model/stack-arn.ts";
import { versionOf } from "../shared/model/version.ts";
import { listInstances, readInstances } from "../shared/table/instances.ts";
import { readLayers } from "../shared/table/layers.ts";
import type { Table } from "../shared/table/table.ts";

/** The instances of one stack or layer, or these. Nothing is left out in silence: one that the caller may not describe refuses the whole. */
export const handler = serve(DescribeInstances, async (call) => {
  const { LayerId, InstanceIds = [], StackId: _stack, ...paging } = call.input;
  const { table, place } = call.deployment;
  const { stack } = call.snapshot;
  if (stack) {
    const { rows, ...rest } = await collectPages(paging, async (limit, token) => {
      const { page, next } = await listInstances(table, stack.StackId, limit, token);
      const asked = page.filter(({ LayerIds }) => LayerId === undefined || LayerIds.includes(LayerId));
      return { page: await showAll(table, place, asked, () => stack), next };
    });
    return { Instances: rows, ...rest };
  }

  const stacks = await authorizeOnInstances(call, "opsworks:DescribeInstances", InstanceIds);
  const stackOf = (InstanceId: string): Stack => {
    const stack = stacks.get(InstanceId);
    if (!stack) throw noSuchInstance(InstanceId);
    return stack;
  };
  const { rows } = await collectPages({}, async () => {
    const located = InstanceIds.map((InstanceId) => ({ InstanceId, StackId: stackOf(InstanceId).StackId }));
    const instances = await readInstances(table, located);
    const page = await showAll(table, place, instances, ({ InstanceId }) => stackOf(InstanceId));
    return { page, next: undefined };
  });
  return { Instances: rows };
});

async function showAll(
  table: Table,
  place: Place,
  instances: readonly Instance[],
  stackOf: (instance: Instance) => Stack,
) {
  const firstLayers = instances.flatMap(({ StackId, LayerIds: [LayerId] }) =>
    LayerId === undefined ? [] : [{ StackId, LayerId }],
  );
  const layers = new Map<string | undefined, Layer>(
    (await readLayers(table, firstLayers)).map((layer) => [layer.LayerId, layer]),
  );
  return instances.map((instance) => ({
    ...instance,
    Arn: instanceArn(place, instance.InstanceId),
    InstanceProfileArn: instanceProfileOf(layers.get(instance.LayerIds[0]) ?? {}, stackOf(instance)),
    Version: versionOf(instance),
  }));
}
