import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import * as z from "zod";

/** Whose account the data is of; DynamoDB Local's own files beside it know nothing of that. */
const Ownership = z.object({
  accountId: z.string(),
  administrators: z.array(z.string()),
  seeded: z.boolean(),
});
type Ownership = z.infer<typeof Ownership>;

/** A folder that keeps the local stack's data across restarts. */
export type DataFolder = {
  /** Absolute, as DynamoDB Local wants it. */
  readonly path: string;
  /** `undefined` for a new folder. */
  readonly ownership: Ownership | undefined;
  readonly keep: (ownership: Ownership) => Promise<void>;
};

export async function openDataFolder(folder: string): Promise<DataFolder> {
  const path = resolve(folder);
  await mkdir(path, { recursive: true });
  const file = join(path, "stackwarden.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  return {
    path,
    ownership: text === undefined ? undefined : Ownership.parse(JSON.parse(text)),
    keep: (ownership) => writeFile(file, JSON.stringify(ownership)),
  };
}
