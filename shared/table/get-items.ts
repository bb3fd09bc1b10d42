import { setTimeout as sleep } from "node:timers/promises";
import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
} from "@aws-sdk/lib-dynamodb";
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

/**
 * Reads the items of these keys with strong consistency: each key once, one BatchGetItem per 100. Keys that DynamoDB leaves
 * unprocessed are asked for again, with jitter.
 * @throws Fault ThrottlingException when it keeps leaving some
 */
export async function getItems(table: Table, keys: readonly Key[]): Promise<Items> {
  const items = new Items();
  const unique = [...new Map(keys.map((key) => [keyText(key), key])).values()];
  for (let from = 0; from < unique.length; from += MAX_KEYS) {
    const Keys = unique.slice(from, from + MAX_KEYS);
    let requests: BatchGetCommandInput["RequestItems"] = { [table.name]: { Keys, ConsistentRead: true } };
    for (let tries = 1; requests && Object.keys(requests).length > 0; tries += 1) {
      if (tries > MAX_TRIES)
        throw new Fault("ThrottlingException", "the table is busy, try again in a moment");
      if (tries > 1) await sleep(Math.random() * 25 * 2 ** tries);
      const output: BatchGetCommandOutput = await table.client.send(
        new BatchGetCommand({ RequestItems: requests }),
      );
      for (const item of output.Responses?.[table.name] ?? []) items.add(item);
      requests = output.UnprocessedKeys;
    }
  }
  return items;
}
