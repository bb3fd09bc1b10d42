import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { Fault } from "../model/fault.ts";
import type { Stack, StackSettings } from "../model/stack.ts";
import { ask } from "./ask.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import { layersOfStack } from "./layers.ts";
import { newStack } from "./stacks.ts";
import { sweepGrantsOfStack } from "./sweep-grants.ts";
import type { Table } from "./table.ts";
import { mustBe, putNew, removeThere, type Write } from "./write.ts";

/** How long after its beginning what an unfinished copy has left is cleared away, in seconds; a function lives for a minute at most. */
const LIFETIME = 3600;

/** Marks a stack that is being copied. Until it is there, nothing that is written of it counts for anybody. */
export function beginClone(table: Table, StackId: string, now: Date): Write {
  const ExpiresAt = Math.floor(now.getTime() / 1000) + LIFETIME;
  const there = () => new Fault("ConflictException", `a stack with ID ${StackId} is there already`);
  return putNew(table, keys.unfinishedClone(StackId), { StackId, ExpiresAt }, there);
}

/** The copy is there, if its source is still as it was read. */
export function finishClone(table: Table, source: Stack, stack: Stack, settings: StackSettings): Write[] {
  const changed = () =>
    new Fault(
      "ConflictException",
      `stack ${source.StackId} was changed or deleted while it was copied, try again`,
    );
  const late = () => new Fault("ConflictException", "copying took too long, try again");
  return [
    mustBe(table, keys.stack(source.StackId), source.Revision, changed),
    removeThere(table, keys.unfinishedClone(stack.StackId), late),
    ...newStack(table, stack, settings),
  ];
}

/** Clears away what an unfinished copy left, once its mark has gone; a stack that is there was finished. */
export async function sweepUnfinishedClone(table: Table, stackId: string): Promise<void> {
  const items = await getItems(table, [keys.stack(stackId)]);
  if (items.get(keys.stack(stackId)) !== undefined) return;
  await sweepGrantsOfStack(table, stackId);
  for await (const layers of layersOfStack(table, stackId)) {
    const left = layers.flatMap(({ LayerId }) => [keys.layerPlace(LayerId), keys.layer(stackId, LayerId)]);
    await Promise.all(
      left.map((Key) =>
        ask(table, (how) => table.client.send(new DeleteCommand({ TableName: table.name, Key }), how)),
      ),
    );
  }
}
