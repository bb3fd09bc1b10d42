import { QueryCommand, type QueryCommandInput } from "@aws-sdk/lib-dynamodb";
import { Fault } from "../model/fault.ts";
import { ask } from "./ask.ts";
import type { Table } from "./table.ts";

export type Page = {
  readonly items: readonly Record<string, unknown>[];
  readonly next?: Record<string, unknown>;
};

/** One page of a query: up to `limit` items, and where the next one starts. */
export async function queryPage(
  table: Table,
  query: Omit<QueryCommandInput, "TableName" | "Limit" | "ExclusiveStartKey">,
  limit: number,
  after: Record<string, unknown> | undefined,
): Promise<Page> {
  const items: Record<string, unknown>[] = [];
  let start = after;
  do {
    const more = new QueryCommand({
      ...query,
      TableName: table.name,
      Limit: limit - items.length,
      ExclusiveStartKey: start,
    });
    const output = await ask(table, (how) => table.client.send(more, how));
    if (!output.Items)
      throw new Fault("ServiceUnavailableException", "the table did not answer what was asked, try again");
    items.push(...output.Items);
    start = output.LastEvaluatedKey;
  } while (start !== undefined && items.length < limit);
  return { items, ...(start === undefined ? {} : { next: start }) };
}

const PAGE = 100;

/** Everything that a query finds, page after page. */
export async function* queryPages(
  table: Table,
  query: Parameters<typeof queryPage>[1],
): AsyncGenerator<Page["items"]> {
  let start: Record<string, unknown> | undefined;
  do {
    const page = await queryPage(table, query, PAGE, start);
    yield page.items;
    start = page.next;
  } while (start !== undefined);
}

/** All rows of a list, page after page. */
export async function everyPage<Row>(
  fetch: (token: string | undefined) => Promise<{ page: Row[]; next: string | undefined }>,
): Promise<Row[]> {
  const rows: Row[] = [];
  let token: string | undefined;
  do {
    const { page, next } = await fetch(token);
    rows.push(...page);
    token = next;
  } while (token !== undefined);
  return rows;
}

/** An opaque token for the place in a list; `list` names the list, so that a token of one does not open another. */
export function writeCursor(list: string, position: string): string {
  return Buffer.from(JSON.stringify([list, position])).toString("base64url");
}

/** @throws Fault ValidationException for a token that this list did not give */
export function readCursor(list: string, token: string): string {
  try {
    const cursor: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (Array.isArray(cursor) && cursor.length === 2 && cursor[0] === list && isSortKey(cursor[1])) {
      return cursor[1];
    }
  } catch {
    // Said below, as for every other token that is not ours.
  }
  throw new Fault("ValidationException", "`NextToken` is not a token of this list");
}

/** What DynamoDB takes as a sort key; it refuses others with an error of its own. */
function isSortKey(position: unknown): position is string {
  return typeof position === "string" && position !== "" && Buffer.byteLength(position) <= 1024;
}
