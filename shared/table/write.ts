import { randomUUID } from "node:crypto";
import { type ConsumedCapacity, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import {
  PutCommand,
  type PutCommandInput,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { Fault } from "../model/fault.ts";
import { ask, askOnce, mayPass } from "./ask.ts";
import { faultOfAws, mayHaveBeenDone } from "./aws-fault.ts";
import { tryAgain } from "./budget.ts";
import type { Key } from "./keys.ts";
import type { Table } from "./table.ts";

type WriteItem = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];

/** An item of a transaction, and what to say when its condition fails. */
export type Write = { readonly item: WriteItem; readonly otherwise?: () => Fault };

/** The item is to be there, unchanged. */
export function mustExist(table: Table, key: Key, otherwise: () => Fault, where?: Where): Write {
  const item = {
    ConditionCheck: {
      TableName: table.name,
      Key: key,
      ...condition(["attribute_exists(pk)", ...(where?.conditions ?? [])], where?.values),
    },
  };
  return { item, otherwise };
}

/** The item is to be there with that revision; `undefined`: is not to be there. */
export function mustBe(table: Table, key: Key, revision: string | undefined, otherwise: () => Fault): Write {
  const as = revision === undefined ? condition(["attribute_not_exists(pk)"]) : atRevision(revision);
  return { item: { ConditionCheck: { TableName: table.name, Key: key, ...as } }, otherwise };
}

/** The item is to be as it was read, with that revision; `undefined`: not there, or without one. */
export function mustStay(
  table: Table,
  key: Key,
  revision: string | undefined,
  otherwise: () => Fault,
): Write {
  return { item: { ConditionCheck: { TableName: table.name, Key: key, ...asRead(revision) } }, otherwise };
}

/** Puts an item in place of the one that was read, with that revision; `undefined`: of none, or of one without. */
export function putOverRead(
  table: Table,
  key: Key,
  members: object,
  revision: string | undefined,
  otherwise: () => Fault,
): Write {
  const item = { Put: { TableName: table.name, Item: { ...members, ...key }, ...asRead(revision) } };
  return { item, otherwise };
}

/** Puts an item, whether there was one or not. */
export function put(table: Table, key: Key, members: object): Write {
  return { item: { Put: { TableName: table.name, Item: { ...members, ...key } } } };
}

/** Puts a new item, never over another. */
export function putNew(table: Table, key: Key, members: object, otherwise: () => Fault): Write {
  const item = {
    Put: { TableName: table.name, Item: { ...members, ...key }, ...condition(["attribute_not_exists(pk)"]) },
  };
  return { item, otherwise };
}

/** Puts an item in place of the one with that revision; `undefined`: in place of none. */
export function putOver(
  table: Table,
  key: Key,
  members: object,
  revision: string | undefined,
  otherwise: () => Fault,
): Write {
  if (revision === undefined) return putNew(table, key, members, otherwise);
  const item = { Put: { TableName: table.name, Item: { ...members, ...key }, ...atRevision(revision) } };
  return { item, otherwise };
}

/** Puts an item that expires, in place of none or of one that has; an item that has may be there for days. */
export function putExpired(
  table: Table,
  key: Key,
  members: { readonly ExpiresAt: number },
  seconds: number,
  otherwise: () => Fault,
): Write {
  const where = condition(["(attribute_not_exists(pk) OR ExpiresAt <= :seconds)"], { ":seconds": seconds });
  return { item: { Put: { TableName: table.name, Item: { ...members, ...key }, ...where } }, otherwise };
}

/** Deletes the item, if it is there. */
export function remove(table: Table, key: Key): Write {
  return { item: { Delete: { TableName: table.name, Key: key } } };
}

/** Deletes the item, which is to be there. */
export function removeThere(table: Table, key: Key, otherwise: () => Fault): Write {
  const item = {
    Delete: { TableName: table.name, Key: key, ...condition(["attribute_exists(pk)"]) },
  };
  return { item, otherwise };
}

/** Deletes the item with that revision. */
export function removeAt(table: Table, key: Key, revision: string, otherwise: () => Fault): Write {
  return { item: { Delete: { TableName: table.name, Key: key, ...atRevision(revision) } }, otherwise };
}

/** More conditions, and the values they name. */
export type Where = {
  readonly conditions: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
};

const MOST_TRIES = 3;
/** A function's time is up before, as a rule. */
const MOST_TRIES_TO_SETTLE = 12;

/**
 * All of it or nothing. When it was sent and no answer came, it is sent again under the same token until DynamoDB says what became of it:
 * what was done under a token is not done again within the 10 minutes that DynamoDB remembers it, which no function lives.
 *
 * Source: DynamoDB API Reference, "TransactWriteItems", `ClientRequestToken`.
 * @throws Fault of the first write whose condition failed; ConflictException when another transaction was in the way, ThrottlingException
 * when the table is busy; ServiceUnavailableException, which says so when it may have been done
 */
export async function transact(table: Table, writes: readonly Write[]): Promise<void> {
  const transaction = {
    TransactItems: writes.map(({ item }) => item),
    ClientRequestToken: randomUUID(),
    ...metering(table),
  };
  let isUnknown = false;
  const attempt = () =>
    askOnce(table, (how) => table.client.send(new TransactWriteCommand(transaction), how));
  const maySettle = (error: unknown, tries: number) => {
    isUnknown ||= mayHaveBeenDone(error);
    return isUnknown ? !isAnswer(error) : tries < MOST_TRIES && mayPass(error);
  };
  try {
    const output = await tryAgain(attempt, { most: MOST_TRIES_TO_SETTLE, mayPass: maySettle });
    table.onWriteUnits?.(unitsOf(output.ConsumedCapacity));
  } catch (error) {
    isUnknown ||= mayHaveBeenDone(error);
    if (isUnknown && !isAnswer(error)) throw mayBeDone(error);
    throw faultOfCancelled(error, writes) ?? faultOfAws(error) ?? error;
  }
}

/** Whether DynamoDB refused it for good, and so had not done it before; what was in the way may be the same, sent before. */
function isAnswer(error: unknown): boolean {
  if (error instanceof Fault || mayHaveBeenDone(error) || mayPass(error)) return false;
  return faultOfAws(error)?.transient !== true;
}

function mayBeDone(cause: unknown): Fault {
  const message =
    "the table did not answer in time: this may have been done, so look, or ask again with the same `ClientToken`";
  return new Fault("ServiceUnavailableException", message, { cause });
}

function faultOfCancelled(error: unknown, writes: readonly Write[]): Fault | undefined {
  if (!(error instanceof TransactionCanceledException)) return undefined;
  const failed = error.CancellationReasons?.findIndex(({ Code }) => Code === "ConditionalCheckFailed");
  return writes[failed ?? -1]?.otherwise?.();
}

/** Puts one item by itself, without an event: what nobody changes by hand. */
export async function putAlone(
  table: Table,
  item: object,
  condition: Omit<PutCommandInput, "TableName" | "Item"> = {},
): Promise<void> {
  const put = new PutCommand({ TableName: table.name, Item: { ...item }, ...condition, ...metering(table) });
  const { ConsumedCapacity } = await ask(table, (how) => table.client.send(put, how));
  table.onWriteUnits?.(unitsOf(ConsumedCapacity && [ConsumedCapacity]));
}

/** Asks DynamoDB for what a write takes, if somebody wants to know. */
function metering({ onWriteUnits }: Table): { ReturnConsumedCapacity?: "TOTAL" } {
  return onWriteUnits ? { ReturnConsumedCapacity: "TOTAL" } : {};
}

function unitsOf(consumed: readonly ConsumedCapacity[] = []): number {
  return consumed.reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
}

function asRead(revision: string | undefined) {
  return revision === undefined ? condition(["attribute_not_exists(Revision)"]) : atRevision(revision);
}

function atRevision(revision: string) {
  return condition(["Revision = :revision"], { ":revision": revision });
}

function condition(conditions: readonly string[], values?: Readonly<Record<string, unknown>>) {
  return {
    ConditionExpression: conditions.join(" AND "),
    ...(values ? { ExpressionAttributeValues: { ...values } } : {}),
  };
}
