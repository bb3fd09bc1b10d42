import {
  BatchGetCommand,
  type BatchGetCommandInput,
  type BatchGetCommandOutput,
} from "@aws-sdk/lib-dynamodb";
import { Fault } from "../model/fault.ts";
import { ask } from "./ask.ts";
import { tryAgain } from "./budget.ts";
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
    const readOn = async () => {
      const { Responses, UnprocessedKeys } = await readBatch(table, requests);
      for (const item of Responses?.[table.name] ?? []) items.add(item);
      if (!UnprocessedKeys?.[table.name]) return;
      requests = UnprocessedKeys;
      throw new KeysLeft("ThrottlingException", "the table is busy, try again in a moment");
    };
    await tryAgain(readOn, { most: MAX_TRIES, mayPass: (error) => error instanceof KeysLeft });
  }
  return items;
}

class KeysLeft extends Fault {}

/** An answer that has neither items nor keys is none: what is missing in it might deny something. */
async function readBatch(
  table: Table,
  RequestItems: BatchGetCommandInput["RequestItems"],
): Promise<BatchGetCommandOutput> {
  const output = await ask(table, (how) => table.client.send(new BatchGetCommand({ RequestItems }), how));
  if (output.Responses?.[table.name] || output.UnprocessedKeys?.[table.name]) return output;
  throw new Fault("ServiceUnavailableException", "the table did not answer what was asked, try again");
}
