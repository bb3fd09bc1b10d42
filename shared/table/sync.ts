import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { PutCommandInput } from "@aws-sdk/lib-dynamodb";
import { Sync } from "../model/sync.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putAlone } from "./write.ts";

export async function readSync(table: Table): Promise<Sync | undefined> {
  const item = (await getItems(table, [keys.sync()])).get(keys.sync());
  return item === undefined ? undefined : Sync.parse(item);
}

/** Puts a new job in place of the one that was read; `false` when that one is not as it was read any more. */
export async function startSync(table: Table, sync: Sync, current: Sync | undefined): Promise<boolean> {
  const isStarted = await putIf(
    table,
    sync,
    current
      ? {
          ConditionExpression: "ImportId = :id AND SeenAt = :seen",
          ExpressionAttributeValues: { ":id": current.ImportId, ":seen": current.SeenAt },
        }
      : { ConditionExpression: "attribute_not_exists(pk)" },
  );
  // One that was sent twice, since its answer did not come, finds itself in its way.
  return isStarted || (await readSync(table))?.ImportId === sync.ImportId;
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
