import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";

/** What other commands need to find the local stack. */
const State = z.object({
  url: z.string(),
  endpoint: z.string(),
  tableName: z.string(),
  region: z.string(),
  accountId: z.string(),
  /** The process that runs it. */
  pid: z.number(),
  environment: z.record(z.string(), z.string()),
});
export type State = z.infer<typeof State>;

const FILE = fileURLToPath(new URL("../../.stackwarden/local.json", import.meta.url));

export async function writeState(state: State): Promise<void> {
  await mkdir(dirname(FILE), { recursive: true });
  await writeFile(FILE, JSON.stringify(state), { mode: 0o600 });
}

/** Forgets the stack of this process, unless another was started since. Synchronous, for a process that is ending. */
export function removeState(): void {
  const text = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  if (text.includes(`"pid":${process.pid},`)) rmSync(FILE, { force: true });
}

/** @throws Error that says to start the local stack first */
export async function readState(): Promise<State> {
  const text = await readFile(FILE, "utf8").catch(() => undefined);
  if (text === undefined) throw new Error("the local stack is not running: start it with `npm start`");
  return State.parse(JSON.parse(text));
}
