import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
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
  lock(join(path, "stackwarden.pid"));
  const file = join(path, "stackwarden.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  return {
    path,
    ownership: text === undefined ? undefined : Ownership.parse(JSON.parse(text)),
    keep: async (ownership) => writeFileSync(file, JSON.stringify(ownership)),
  };
}

/** Two databases over the same files would destroy them. */
function lock(file: string): void {
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (pid > 0 && isRunning(pid)) throw new Error(`another local stack (process ${pid}) runs with this data`);
  writeFileSync(file, String(process.pid));
  process.once("exit", () => rmSync(file, { force: true }));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
