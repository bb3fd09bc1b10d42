import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { UpdateCommand, type UpdateCommandInput } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { Fault } from "../model/fault.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { noSuchUser, putUser, readUser } from "./users.ts";
import { transact } from "./write.ts";

/** Reserved for the users of stacks. Source: OpsWorks User Guide, "Importing Users into AWS OpsWorks Stacks". */
const FIRST = 2000;
const LAST = 4000;
const MAX_TRIES = 10;

/** `Returned`: ids that were taken for a user who then had one already; they were nobody's. */
const Counter = z.object({ LastGiven: z.number(), Returned: z.set(z.number()).optional() });

/**
 * Sees to it that a user has a Unix id, which nobody else has or had. Counted by DynamoDB itself, so that many users at once do
 * not wait for one another.
 * @throws Fault ConflictException when there are none left
 */
export async function ensureUnixId(table: Table, userArn: string): Promise<void> {
  const key = keys.user(userArn);
  for (let tries = 1; ; tries += 1) {
    const user = readUser((await getItems(table, [key])).get(key));
    if (!user) throw noSuchUser(userArn);
    if (user.UnixId !== undefined) return;
    const UnixId = (await takeNext(table)) ?? (await takeReturned(table));
    try {
      await transact(table, [putUser(table, { ...user, UnixId, Revision: randomUUID() }, user.Revision)]);
      return;
    } catch (error) {
      // Whether a write that failed in another way was done is not known, and then its id may be somebody's.
      if (!(error instanceof Fault && error.transient)) throw error;
      await update(table, { UpdateExpression: "ADD Returned :id" }, { ":id": new Set([UnixId]) });
      if (tries === MAX_TRIES) throw error;
      await sleep(Math.random() * 50);
    }
  }
}

/** `undefined` when the last one is given. */
async function takeNext(table: Table): Promise<number | undefined> {
  const attributes = await update(
    table,
    {
      UpdateExpression: "SET LastGiven = if_not_exists(LastGiven, :before) + :one",
      ConditionExpression: "attribute_not_exists(LastGiven) OR LastGiven < :last",
    },
    { ":before": FIRST - 1, ":one": 1, ":last": LAST },
  );
  return attributes && Counter.parse(attributes).LastGiven;
}

async function takeReturned(table: Table): Promise<number> {
  const item = (await getItems(table, [keys.unixIds()])).get(keys.unixIds());
  for (const id of Counter.parse(item).Returned ?? []) {
    const taken = await update(
      table,
      { UpdateExpression: "DELETE Returned :ids", ConditionExpression: "contains(Returned, :id)" },
      { ":ids": new Set([id]), ":id": id },
    );
    if (taken) return id;
  }
  const message = `no Unix id is left: ${FIRST} to ${LAST} are all given, and none is given twice`;
  throw new Fault("ConflictException", message);
}

/** The counter after the update; `undefined` when its condition failed. */
async function update(
  table: Table,
  expressions: Pick<UpdateCommandInput, "UpdateExpression" | "ConditionExpression">,
  values: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown> | undefined> {
  const target = { TableName: table.name, Key: keys.unixIds(), ReturnValues: "ALL_NEW" as const };
  try {
    const output = await table.client.send(
      new UpdateCommand({ ...target, ...expressions, ExpressionAttributeValues: { ...values } }),
    );
    return output.Attributes ?? {};
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}
