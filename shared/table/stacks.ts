import { Fault } from "../model/fault.ts";
import { Stack, type StackSettings } from "../model/stack.ts";
import { INDEX, indexKeys, keys } from "./keys.ts";
import { queryPage, readCursor, writeCursor } from "./list.ts";
import type { Table } from "./table.ts";
import { mustExist, putNew, type Write } from "./write.ts";

export function noSuchStack(stackId: string): Fault {
  return new Fault("ResourceNotFoundException", `Unable to find stack with ID ${stackId}`);
}

export function readStack(item: unknown): Stack | undefined {
  return item === undefined ? undefined : Stack.parse(item);
}

export function newStack(table: Table, stack: Stack, settings: StackSettings): Write[] {
  const taken = () => new Fault("ConflictException", `a stack with ID ${stack.StackId} is there already`);
  return [
    putNew(table, keys.stackSettings(stack.StackId), settings, taken),
    putNew(
      table,
      keys.stack(stack.StackId),
      { ...stack, ...indexKeys.stacks(stack.Name, stack.StackId) },
      taken,
    ),
  ];
}

export function stackMustExist(table: Table, stackId: string): Write {
  return mustExist(table, keys.stack(stackId), () => noSuchStack(stackId));
}

/** A page of all stacks in the order of their names; candidates, from the index. */
export async function listStacks(table: Table, limit: number, token: string | undefined) {
  const position = token === undefined ? undefined : readCursor("stacks", token);
  const stackId = position?.slice(position.lastIndexOf("#") + 1) ?? "";
  const start =
    position === undefined ? undefined : { ...keys.stack(stackId), gsi1pk: "STACKS", gsi1sk: position };
  const query = {
    IndexName: INDEX,
    KeyConditionExpression: "gsi1pk = :stacks",
    ExpressionAttributeValues: { ":stacks": "STACKS" },
  };
  const page = await queryPage(table, query, limit, start);
  const stacks = page.items.map((item) => Stack.parse(item));
  const last = stacks.at(-1);
  if (!page.next || !last) return { stacks };
  return { stacks, next: writeCursor("stacks", indexKeys.stacks(last.Name, last.StackId).gsi1sk) };
}
