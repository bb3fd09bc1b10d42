import { randomUUID } from "node:crypto";
import { Fault } from "../model/fault.ts";
import { Layer, MAX_LAYERS } from "../model/layer.ts";
import type { Stack } from "../model/stack.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import { queryPage, queryPages, readCursor, writeCursor } from "./list.ts";
import { stacksOf } from "./places.ts";
import { putStack } from "./stacks.ts";
import type { Table } from "./table.ts";
import { put, putNew, remove, type Write } from "./write.ts";

const Profiled = Layer.pick({ CustomInstanceProfileArn: true });

/** In bytes of JSON: its event has it twice, before and after, and an item may have 400 KB. */
const MAX_LAYER = 180_000;

export function noSuchLayer(layerId: string): Fault {
  return new Fault("ResourceNotFoundException", `Unable to find layer with ID ${layerId}`);
}

/** The stack of each of these layers that is there. */
export function stacksOfLayers(table: Table, layerIds: readonly string[]): Promise<Map<string, string>> {
  return stacksOf(table, layerIds, keys.layerPlace);
}

type Located = { readonly StackId: string; readonly LayerId: string };

/**
 * These layers, in that order.
 * @throws Fault ResourceNotFoundException
 */
export async function readLayers(table: Table, located: readonly Located[]): Promise<Layer[]> {
  const keyOf = ({ StackId, LayerId }: Located) => keys.layer(StackId, LayerId);
  const items = await getItems(table, located.map(keyOf));
  return located.map((one) => {
    const item = items.get(keyOf(one));
    if (item === undefined) throw noSuchLayer(one.LayerId);
    return Layer.parse(item);
  });
}

/** @throws Fault ResourceNotFoundException */
export async function readLayer(table: Table, located: Located): Promise<Layer> {
  const [layer] = await readLayers(table, [located]);
  if (!layer) throw noSuchLayer(located.LayerId);
  return layer;
}

/** A page of a stack's layers, by their ids, read consistently. */
export async function listLayers(table: Table, stackId: string, limit: number, token: string | undefined) {
  const start = token === undefined ? undefined : keys.layer(stackId, readCursor("layers", token));
  const found = await queryPage(table, queryOf(stackId), limit, start);
  const page = found.items.map((item) => Layer.parse(item));
  const last = page.at(-1);
  return { page, next: found.next && last && writeCursor("layers", last.LayerId) };
}

/** All layers of a stack, page after page, read consistently. */
export async function* layersOfStack(table: Table, stackId: string): AsyncGenerator<Layer[]> {
  for await (const items of queryPages(table, queryOf(stackId))) {
    yield items.map((item) => Layer.parse(item));
  }
}

/** The instance profiles that layers of a stack have of their own. */
export async function profilesOfLayers(table: Table, stackId: string): Promise<string[]> {
  const query = { ...queryOf(stackId), ProjectionExpression: "CustomInstanceProfileArn" };
  const profiles: string[] = [];
  for await (const items of queryPages(table, query)) {
    for (const item of items) {
      const { CustomInstanceProfileArn: own } = Profiled.parse(item);
      if (own !== undefined) profiles.push(own);
    }
  }
  return profiles;
}

function queryOf(stackId: string) {
  return {
    KeyConditionExpression: "pk = :layers",
    ExpressionAttributeValues: { ":layers": keys.layer(stackId, "").pk },
    ConsistentRead: true,
  };
}

/**
 * Holds a layer's short name to be its own in the stack, whose revision is to guard the write.
 * @throws Fault ConflictException
 */
export async function shortnameMustBeFree(table: Table, layer: Layer): Promise<void> {
  const query = { ...queryOf(layer.StackId), ProjectionExpression: "sk, Shortname" };
  for await (const others of queryPages(table, query)) {
    const isTaken = others.some(({ sk, Shortname }) => Shortname === layer.Shortname && sk !== layer.LayerId);
    if (isTaken) {
      throw new Fault(
        "ConflictException",
        `\`Shortname\` ${layer.Shortname} is taken by another layer of the stack`,
      );
    }
  }
}

/**
 * The layer is added to a stack as it was read; the stack knows how many it has, so that it is never deleted with some.
 * @throws Fault ValidationException for one layer too many, or too large
 */
export function addLayer(table: Table, stack: Stack, layer: Layer): Write[] {
  const { LayerCount = 0 } = stack;
  if (LayerCount >= MAX_LAYERS) {
    throw new Fault(
      "ValidationException",
      `a stack has at most ${MAX_LAYERS} layers: delete one of them first`,
    );
  }
  return [touch(table, stack, LayerCount + 1), ...newLayer(table, layer)];
}

/** A layer and its place, of a stack that is not there yet or is put with it. */
export function newLayer(table: Table, layer: Layer): Write[] {
  const taken = () => new Fault("ConflictException", `a layer with ID ${layer.LayerId} is there already`);
  const { StackId, LayerId } = layer;
  return [
    putNew(table, keys.layer(StackId, LayerId), fitting(layer), taken),
    putNew(table, keys.layerPlace(LayerId), { StackId }, taken),
  ];
}

/** @throws Fault ValidationException for one that is too large */
export function putLayer(table: Table, stack: Stack, layer: Layer): Write[] {
  const { StackId, LayerId } = layer;
  return [touch(table, stack, stack.LayerCount), put(table, keys.layer(StackId, LayerId), fitting(layer))];
}

export function removeLayer(table: Table, stack: Stack, { StackId, LayerId }: Layer): Write[] {
  return [
    touch(table, stack, (stack.LayerCount ?? 0) - 1),
    remove(table, keys.layer(StackId, LayerId)),
    remove(table, keys.layerPlace(LayerId)),
  ];
}

/** Every change of a layer gives its stack a new revision, which therefore guards all of them. */
function touch(table: Table, stack: Stack, LayerCount: number | undefined): Write {
  return putStack(table, { ...stack, LayerCount, Revision: randomUUID() }, stack.Revision);
}

function fitting(layer: Layer): Layer {
  if (Buffer.byteLength(JSON.stringify(layer)) <= MAX_LAYER) return layer;
  throw new Fault("ValidationException", `the layer is larger than ${MAX_LAYER} bytes of JSON`);
}
