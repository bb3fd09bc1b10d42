import * as z from "zod";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putAlone } from "./write.ts";

const Place = z.object({ RoleArn: z.string() });

/** Keeps where an instance profile's role is to be looked for. */
export function putInstanceProfile(table: Table, arn: string, roleArn: string): Promise<void> {
  return putAlone(table, { ...keys.instanceProfile(arn), RoleArn: roleArn });
}

/** The name under which the role is kept that an instance profile held when it was last written; whether it still does, the role says. */
export async function readRoleOfProfile(table: Table, arn: string): Promise<string | undefined> {
  const item = (await getItems(table, [keys.instanceProfile(arn)])).get(keys.instanceProfile(arn));
  return item === undefined ? undefined : Place.parse(item).RoleArn;
}
