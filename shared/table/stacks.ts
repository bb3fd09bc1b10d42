import { Fault } from "../model/fault.ts";
import { Stack, StackSettings } from "../model/stack.ts";
import { INDEX, indexKeys, keys } from "./keys.ts";
import { queryPage, readCursor, writeCursor } from "./list.ts";
import type { Table } from "./table.ts";
import { mustBe, mustExist, put, putNew, putOver, remove, removeAt, type Write } from "./write.ts";

/** Without the keys that the item has beside them. */
const StoredSettings = StackSettings.strip();

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

/** Puts a stack in place of the one with that revision. */
export function putStack(table: Table, stack: Stack, revision: string): Write {
  const item = { ...stack, ...indexKeys.stacks(stack.Name, stack.StackId) };
  return putOver(table, keys.stack(stack.StackId), item, revision, () => changedMeanwhile(stack.StackId));
}

/** Puts a stack's settings; whoever does puts the stack with them, whose revision guards both. */
export function putSettings(table: Table, stackId: string, settings: StackSettings): Write {
  return put(table, keys.stackSettings(stackId), settings);
}

export function removeStack(table: Table, stack: Stack): Write[] {
  return [
    removeAt(table, keys.stack(stack.StackId), stack.Revision, () => changedMeanwhile(stack.StackId)),
    remove(table, keys.stackSettings(stack.StackId)),
    remove(table, keys.grants(stack.StackId)),
  ];
}

function changedMeanwhile(stackId: string): Fault {
  return new Fault(
    "ConflictException",
    `stack ${stackId} was changed by somebody else meanwhile, try again`,
    { transient: true },
  );
}

export function readSettings(item: unknown): StackSettings {
  return item === undefined ? {} : StoredSettings.parse(item);
}

export function stackMustExist(table: Table, stackId: string): Write {
  return mustExist(table, keys.stack(stackId), () => noSuchStack(stackId));
}

/** The stack is to be as it was read, the levels of groups with it. */
export function stackMustBe(table: Table, { StackId, Revision }: Stack): Write {
  return mustBe(table, keys.stack(StackId), Revision, () => changedMeanwhile(StackId));
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
  const at = last && indexKeys.stacks(last.Name, last.StackId).gsi1sk;
  return { page: stacks, next: page.next && at && writeCursor("stacks", at) };
}
