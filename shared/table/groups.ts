import * as z from "zod";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";

const Groups = z.object({ Names: z.array(z.string()) });

/** The names of the account's IAM groups, as the last import saw them; `undefined` before the first. */
export async function readGroupNames(table: Table): Promise<string[] | undefined> {
  const item = (await getItems(table, [keys.groups()])).get(keys.groups());
  return item === undefined ? undefined : Groups.parse(item).Names;
}
