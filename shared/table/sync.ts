import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { PutCommandInput } from "@aws-sdk/lib-dynamodb";
import { Fault } from "../model/fault.ts";
import { Sync } from "../model/sync.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putAlone, transact, type Write } from "./write.ts";

export async function readSync(table: Table): Promise<Sync | undefined> {
  const item = (await getItems(table, [keys.sync()])).get(keys.sync());
  return item === undefined ? undefined : Sync.parse(item);
}

/**
 * Puts a new job in place of the one that was read, and what is written together with it; `false` when that one is not as it was read
 * any more.
 */
export async function startSync(
  table: Table,
  sync: Sync,
  current: Sync | undefined,
  also: readonly Write[],
): Promise<boolean> {
  const condition = current
    ? {
        ConditionExpression: "ImportId = :id AND SeenAt = :seen",
        ExpressionAttributeValues: { ":id": current.ImportId, ":seen": current.SeenAt },
      }
    : { ConditionExpression: "attribute_not_exists(pk)" };
  if (also.length === 0) {
    const isStarted = await putIf(table, sync, condition);
    // One that was sent twice, since its answer did not come, finds itself in its way.
    return isStarted || (await readSync(table))?.ImportId === sync.ImportId;
  }
  const Item = { ...sync, ...keys.sync() };
  const changed = new Fault("ConflictException", "another import was started at the same time");
  try {
    await transact(table, [
      { item: { Put: { TableName: table.name, Item, ...condition } }, otherwise: () => changed },
      ...also,
    ]);
    return true;
  } catch (error) {
    if (error === changed) return false;
    throw error;
  }
}

/** Writes how far a job is; `false` when the step is over, or another job took its place. */
export function updateSync(table: Table, sync: Sync, step: number): Promise<boolean> {
  return putIf(table, sync, {
    ConditionExpression: "ImportId = :id AND Step = :step AND #status IN (:due, :running)",
    ExpressionAttributeNames: { "#status": "Status" },
    ExpressionAttributeValues: {
      ":id": sync.ImportId,
      ":step": step,
      ":due": "due",
      ":running": "running",
    },
  });
}

async function putIf(
  table: Table,
  sync: Sync,
  condition: Pick<
    PutCommandInput,
    "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues"
  >,
): Promise<boolean> {
  try {
    await putAlone(table, { ...sync, ...keys.sync() }, condition);
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
