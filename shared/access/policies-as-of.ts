import * as z from "zod";
import type { Items } from "../table/get-items.ts";
import { type Key, keys } from "../table/keys.ts";
import type { Table } from "../table/table.ts";

const Sync = z.object({ PoliciesAsOf: z.string().optional() });

/** How long it is believed: read with every check, one item would be asked for by all of them. */
const KEPT_MS = 60_000;

const known = new WeakMap<Table, { readonly readAt: number; readonly value: string | undefined }>();

/** What to read along to know it: nothing, within a minute of the last time. */
export function keysOfPoliciesAsOf(table: Table): Key[] {
  const last = known.get(table);
  return last && performance.now() - last.readAt < KEPT_MS ? [] : [keys.sync()];
}

/** When an import last read everybody's policies; `undefined` when none ever did. */
export function policiesAsOf(table: Table, items: Items): string | undefined {
  const last = known.get(table);
  if (last && performance.now() - last.readAt < KEPT_MS) return last.value;
  const value = Sync.parse(items.get(keys.sync()) ?? {}).PoliciesAsOf;
  known.set(table, { readAt: performance.now(), value });
  return value;
}
