import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putAlone } from "./write.ts";

/** An IAM group. One that is deleted and made again under the same name has another unique id. */
const Group = z.object({ Name: z.string(), Id: z.string().optional() });
export type Group = z.infer<typeof Group>;

const GroupsItem = z.object({ Groups: z.array(Group) });

/** The account's IAM groups, as the last import saw them; `undefined` before the first. */
export async function readGroups(table: Table): Promise<Group[] | undefined> {
  const item = (await getItems(table, [keys.groups()])).get(keys.groups());
  return item === undefined ? undefined : GroupsItem.parse(item).Groups;
}

/** Keeps the groups, unless they are the same. */
export async function writeGroups(table: Table, groups: Iterable<Group>): Promise<void> {
  const byName = new Map([...groups].map((group) => [group.Name, group]));
  const Groups = [...byName.values()].toSorted((a, b) => (a.Name < b.Name ? -1 : 1));
  if (isDeepStrictEqual(await readGroups(table), Groups)) return;
  await putAlone(table, { Groups, ...keys.groups() });
}
