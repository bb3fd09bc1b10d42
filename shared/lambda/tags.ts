import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Layer } from "../model/layer.ts";
import type { Stack } from "../model/stack.ts";
import type { Tags } from "../model/tag.ts";
import type { Tagged } from "../model/tagged-arn.ts";
import { newVersion, versionMustBe, versionOf } from "../model/version.ts";
import { appendEvent } from "../table/events.ts";
import { noSuchLayer, putLayer, readLayer } from "../table/layers.ts";
import { noSuchStack, putStack } from "../table/stacks.ts";
import type { Call } from "./call.ts";
import { changeEvent } from "./change-event.ts";
import { commit, DONE, type Done } from "./commit.ts";

/** A stack, or a layer and its stack. */
export async function readTagged(call: Call, tagged: Tagged): Promise<{ stack: Stack; layer?: Layer }> {
  const { stack } = call.snapshot;
  if ("stackId" in tagged) {
    if (!stack) throw noSuchStack(tagged.stackId);
    return { stack };
  }
  const { layerId: LayerId } = tagged;
  if (!stack) throw noSuchLayer(LayerId);
  return { stack, layer: await readLayer(call.deployment.table, { StackId: stack.StackId, LayerId }) };
}

/** Changes the tags of a stack or a layer; a change that changes nothing writes nothing. */
export async function changeTags(call: Call, tagged: Tagged, change: (tags: Tags) => Tags): Promise<Done> {
  const { table } = call.deployment;
  const { stack, layer } = await readTagged(call, tagged);
  const what = layer ? `layer ${layer.LayerId}` : `stack ${stack.StackId}`;
  versionMustBe(what, versionOf(layer ?? stack), call.ifVersion);
  const before = (layer ?? stack).Tags;
  const Tags = { ...change(before) };
  if (isDeepStrictEqual(Tags, before)) return commit(call, [], DONE);
  const Version = newVersion();
  const of = layer ? { LayerId: layer.LayerId } : {};
  const event = changeEvent(call, {
    StackId: stack.StackId,
    Before: { ...of, Tags: before },
    After: { ...of, Tags },
  });
  const written = layer
    ? putLayer(table, stack, { ...layer, Tags, Version })
    : [putStack(table, { ...stack, Tags, Version, Revision: randomUUID() }, stack.Revision)];
  return commit(call, [...written, appendEvent(table, event)], DONE);
}
