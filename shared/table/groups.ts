import * as z from "zod";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putAlone } from "./write.ts";

const GroupsItem = z.object({ Names: z.array(z.string()) });

/** The names of the account's IAM groups, as the last import saw them; `undefined` before the first. */
export async function readGroupNames(table: Table): Promise<string[] | undefined> {
  const item = (await getItems(table, [keys.groups()])).get(keys.groups());
  return item === undefined ? undefined : GroupsItem.parse(item).Names;
}

/** Keeps the names, unless they are the same. */
export async function writeGroupNames(table: Table, names: Iterable<string>): Promise<void> {
  const Names = [...new Set(names)].toSorted();
  const kept = await readGroupNames(table);
  if (kept?.join("\n") === Names.join("\n")) return;
  await putAlone(table, { Names, ...keys.groups() });
}
