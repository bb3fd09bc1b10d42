import * as z from "zod";
import { Fault } from "../model/fault.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putExpired, type Write } from "./write.ts";

/** How long a token is kept, in seconds. */
const LIFETIME = 24 * 3600;

/** What became of a request that had a token. */
const Kept = z.object({
  /** The hash of what was asked. */
  Request: z.string(),
  /** The answer as JSON, or why it is not given twice. */
  Answer: z.string().optional(),
  Withheld: z.string().optional(),
  ExpiresAt: z.number(),
});
type Kept = z.infer<typeof Kept>;

/** Whose token. */
export type TokenOf = { readonly caller: string; readonly token: string };

/** What was kept under a token, unless it has expired: DynamoDB deletes late. */
export async function readToken(table: Table, of: TokenOf, now: Date): Promise<Kept | undefined> {
  const key = keys.clientToken(of.caller, of.token);
  const item = (await getItems(table, [key])).get(key);
  const kept = item === undefined ? undefined : Kept.parse(item);
  return kept && kept.ExpiresAt * 1000 > now.getTime() ? kept : undefined;
}

/** Keeps what became of a request, in the transaction that does it: of two with the same token, one is done. */
export function keepToken(table: Table, of: TokenOf, kept: Omit<Kept, "ExpiresAt">, now: Date): Write {
  const seconds = Math.floor(now.getTime() / 1000);
  const taken = () => new Fault("ConflictException", "a request with the same `ClientToken` was faster");
  const item = { ...kept, ExpiresAt: seconds + LIFETIME };
  return putExpired(table, keys.clientToken(of.caller, of.token), item, seconds, taken);
}
