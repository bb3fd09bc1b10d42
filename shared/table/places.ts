import * as z from "zod";
import { getItems } from "./get-items.ts";
import type { Key } from "./keys.ts";
import type { Table } from "./table.ts";

const Place = z.object({ StackId: z.string() });

/** The stack of each of these ids that has a place: what is named by its own id alone is found by that. */
export async function stacksOf(
  table: Table,
  ids: readonly string[],
  placeOf: (id: string) => Key,
): Promise<Map<string, string>> {
  const items = await getItems(table, ids.map(placeOf));
  return new Map(
    ids.flatMap((id) => {
      const place = items.get(placeOf(id));
      return place === undefined ? [] : [[id, Place.parse(place).StackId] as const];
    }),
  );
}
