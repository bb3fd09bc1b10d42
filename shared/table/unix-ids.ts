import { randomUUID } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { Fault } from "../model/fault.ts";
import type { Event } from "../model/event.ts";
import { ask } from "./ask.ts";
import { tryAgain } from "./budget.ts";
import { appendEvent } from "./events.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { noSuchUser, putUser, readUser } from "./users.ts";
import { transact, type Write } from "./write.ts";

/** Reserved for the users of stacks. Source: OpsWorks User Guide, "Importing Users into AWS OpsWorks Stacks". */
const FIRST = 2000;
const LAST = 4000;
const MAX_TRIES = 10;

/** `Returned`: ids that were taken for a user who then had one already; they were nobody's. */
const Counter = z.object({ LastGiven: z.number(), Returned: z.set(z.number()).optional() });

type EventOf = (unixId: number) => Event;

/**
 * Sees to it that a user has a Unix id, which nobody else has or had. Counted by DynamoDB itself, so that many users at once do
 * not wait for one another.
 * @throws Fault ConflictException when there are none left
 */
export async function ensureUnixId(table: Table, userArn: string, eventOf: EventOf): Promise<void> {
  const mayPass = (error: unknown) => error instanceof Fault && error.transient;
  await tryAgain(() => giveUnixId(table, userArn, eventOf), { most: MAX_TRIES, mayPass });
}

async function giveUnixId(table: Table, userArn: string, eventOf: EventOf): Promise<void> {
  const key = keys.user(userArn);
  const user = readUser((await getItems(table, [key])).get(key));
  if (!user) throw noSuchUser(userArn);
  if (user.UnixId !== undefined) return;
  const write = (UnixId: number) => [
    putUser(table, { ...user, UnixId, Revision: randomUUID() }, user.Revision),
    appendEvent(table, eventOf(UnixId)),
  ];
  const UnixId = await takeNext(table);
  if (UnixId === undefined) {
    const returned = await firstReturned(table);
    return transact(table, [...write(returned), takeReturned(table, returned)]);
  }
  try {
    await transact(table, write(UnixId));
  } catch (error) {
    // Whether a write that failed in another way was done is not known, and then its id may be somebody's.
    if (error instanceof Fault && error.transient) await transact(table, [giveBack(table, UnixId)]);
    throw error;
  }
}

/** `undefined` when the last one is given. Counted twice when it is not known whether it was counted: then one is nobody's. */
async function takeNext(table: Table): Promise<number | undefined> {
  const count = new UpdateCommand({
    TableName: table.name,
    Key: keys.unixIds(),
    UpdateExpression: "SET LastGiven = if_not_exists(LastGiven, :before) + :one",
    ConditionExpression: "attribute_not_exists(LastGiven) OR LastGiven < :last",
    ExpressionAttributeValues: { ":before": FIRST - 1, ":one": 1, ":last": LAST },
    ReturnValues: "ALL_NEW",
  });
  try {
    const { Attributes } = await ask(table, (how) => table.client.send(count, how));
    return Counter.parse(Attributes).LastGiven;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

/** @throws Fault ConflictException when there is none */
async function firstReturned(table: Table): Promise<number> {
  const item = (await getItems(table, [keys.unixIds()])).get(keys.unixIds());
  const [first] = Counter.parse(item).Returned ?? [];
  if (first !== undefined) return first;
  const message = `no Unix id is left: ${FIRST} to ${LAST} are all given, and none is given twice`;
  throw new Fault("ConflictException", message);
}

/** In the transaction that gives it: so it is neither lost nor, by a request that comes twice, given twice. */
function takeReturned(table: Table, id: number): Write {
  const taken = () =>
    new Fault("ConflictException", "the Unix id was taken by somebody else", { transient: true });
  const item = {
    Update: {
      TableName: table.name,
      Key: keys.unixIds(),
      UpdateExpression: "DELETE Returned :ids",
      ConditionExpression: "contains(Returned, :id)",
      ExpressionAttributeValues: { ":ids": new Set([id]), ":id": id },
    },
  };
  return { item, otherwise: taken };
}

function giveBack(table: Table, id: number): Write {
  const item = {
    Update: {
      TableName: table.name,
      Key: keys.unixIds(),
      UpdateExpression: "ADD Returned :ids",
      ExpressionAttributeValues: { ":ids": new Set([id]) },
    },
  };
  return { item };
}
