import * as z from "zod";
import { hashOf } from "../model/policy-hash.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putAlone } from "./write.ts";

const PolicyItem = z.object({ Document: z.string() });

/** Keeps a document; one that is there already is the same, so writing it again changes nothing. */
export async function putPolicy(table: Table, document: string): Promise<void> {
  await putAlone(table, { ...keys.policy(hashOf(document)), Document: document });
}

/** The texts of these documents, by hash. One that is not there, or is not what its hash says, is left out. */
export async function getPolicies(table: Table, hashes: readonly string[]): Promise<Map<string, string>> {
  const items = await getItems(table, hashes.map(keys.policy));
  const documents = new Map<string, string>();
  for (const hash of hashes) {
    const parsed = PolicyItem.safeParse(items.get(keys.policy(hash)));
    if (parsed.success && hashOf(parsed.data.Document) === hash) documents.set(hash, parsed.data.Document);
  }
  return documents;
}
