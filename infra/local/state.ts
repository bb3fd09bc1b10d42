import { rmSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
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

/** A file for each local stack that runs, named after its process. */
const FOLDER = fileURLToPath(new URL("../../.stackwarden/", import.meta.url));
const fileOf = (pid: number) => join(FOLDER, `local-${pid}.json`);

export async function writeState(state: State): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(fileOf(state.pid), JSON.stringify(state), { mode: 0o600 });
}

/** Forgets the stack of this process. Synchronous, for a process that is ending. */
export function removeState(): void {
  rmSync(fileOf(process.pid), { force: true });
}

/**
 * The stack that was started last, of those that run.
 * @throws Error that says to start the local stack first
 */
export async function readState(): Promise<State> {
  const names = await readdir(FOLDER).catch(() => []);
  const files = await Promise.all(
    names
      .filter((name) => /^local-\d+\.json$/.test(name))
      .map(async (name) => ({ name, since: (await stat(join(FOLDER, name))).mtimeMs })),
  );
  for (const { name } of files.toSorted((one, other) => other.since - one.since)) {
    const state = State.parse(JSON.parse(await readFile(join(FOLDER, name), "utf8")));
    if (isRunning(state.pid)) return state;
    // Of one that was killed.
    await rm(join(FOLDER, name), { force: true });
  }
  throw new Error("the local stack is not running: start it with `npm start`");
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
