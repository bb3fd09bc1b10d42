import * as z from "zod";
import type { Items } from "../table/get-items.ts";
import { type Key, keys } from "../table/keys.ts";
import type { Table } from "../table/table.ts";

const Sync = z.object({ PoliciesAsOf: z.string().optional() });

/** How long it is believed: read with every check, one item would be asked for by all of them. */
const KEPT_MS = 60_000;

const known = new WeakMap<Table, { readonly readAt: number; readonly value: string | undefined }>();

/** When an import last read everybody's policies: what to read along to know it, and how to tell from what was read. */
export type Age = { readonly keys: readonly Key[]; readonly read: (items: Items) => string | undefined };

/** `undefined` when no import ever did. Nothing is to be read within a minute of the last time. */
export function policiesAsOf(table: Table): Age {
  const last = known.get(table);
  if (last && performance.now() - last.readAt < KEPT_MS) return { keys: [], read: () => last.value };
  return {
    keys: [keys.sync()],
    read: (items) => {
      const value = Sync.parse(items.get(keys.sync()) ?? {}).PoliciesAsOf;
      known.set(table, { readAt: performance.now(), value });
      return value;
    },
  };
}
