import { setTimeout as sleep } from "node:timers/promises";
import { BatchGetCommand, type BatchGetCommandInput } from "@aws-sdk/lib-dynamodb";
import { Fault } from "../model/fault.ts";
import { type Key, keyText } from "./keys.ts";
import type { Table } from "./table.ts";

const MAX_KEYS = 100;
const MAX_TRIES = 5;

/** Items as they are stored, found by their key. */
export class Items {
  readonly #items = new Map<string, unknown>();

  add(item: Readonly<Record<string, unknown>>): void {
    this.#items.set(keyText({ pk: String(item.pk), sk: String(item.sk) }), item);
  }

  /** The raw item; whoever takes it parses it. */
  get(key: Key): unknown {
    return this.#items.get(keyText(key));
  }
}

/** The request for up to 100 keys, strongly consistent, each key once. */
function batchGetInput(tableName: string, keys: readonly Key[]): BatchGetCommandInput {
  const unique = new Map(keys.map((key) => [keyText(key), key]));
  return { RequestItems: { [tableName]: { Keys: [...unique.values()], ConsistentRead: true } } };
}

/**
 * Reads the items of these keys with strong consistency: one BatchGetItem per 100 keys. Keys that DynamoDB leaves
 * unprocessed are asked for again, with jitter.
 * @throws Fault ThrottlingException when it keeps leaving some
 */
export async function getItems(table: Table, keys: readonly Key[]): Promise<Items> {
  const items = new Items();
  for (let from = 0; from < keys.length; from += MAX_KEYS) {
    let requests = batchGetInput(table.name, keys.slice(from, from + MAX_KEYS)).RequestItems;
    for (let tries = 1; requests && Object.keys(requests).length > 0; tries += 1) {
      if (tries > MAX_TRIES)
        throw new Fault("ThrottlingException", "the table is busy, try again in a moment");
      if (tries > 1) await sleep(Math.random() * 25 * 2 ** tries);
      const output = await table.client.send(new BatchGetCommand({ RequestItems: requests }));
      for (const item of output.Responses?.[table.name] ?? []) items.add(item);
      requests = output.UnprocessedKeys;
    }
  }
  return items;
}
