import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import dynamoDbLocal from "dynamodb-local";

const javaNeeded =
  "Java 17 or newer is needed to run DynamoDB Local: apt-get install openjdk-17-jre-headless, or see https://adoptium.net";

// Start takes 2.0 to 2.6 s with these, 3.7 to 4.4 s without.
const jvmOptions = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

const patienceMs = 60_000;

/**
 * Amazon's DynamoDB Local on a free loopback port, ready for requests; in memory unless `dbPath` (absolute) is given.
 * Data is separate per region and access key. It ends with this process, and is always asked to end: killed, it loses
 * the last write that it has acknowledged (seen in 5 of 8 tries).
 */
export async function startDynamoDb({ dbPath }: { dbPath?: string } = {}): Promise<{
  endpoint: string;
  /** Has work done before the database ends, whoever ends it. */
  beforeStop(work: () => Promise<void>): void;
  stop(): Promise<void>;
}> {
  requireJava();
  const optionsFolder = mkdtempSync(join(tmpdir(), "stackwarden-jvm-"));
  const optionsFile = join(optionsFolder, "options");
  writeFileSync(optionsFile, jvmOptions);

  const port = await freePort();
  dynamoDbLocal.configureInstaller({ installPath: emulatorFolder() });
  const child = await dynamoDbLocal.launch(port, dbPath, [], false, false, `@${optionsFile}`);

  const ended = once(child, "exit");
  process.once("exit", () => rmSync(optionsFolder, { recursive: true, force: true }));
  const before: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const work of before.splice(0)) await work();
    child.kill();
    await ended;
  };
  exitOnSignals(stop);

  const endpoint = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + patienceMs;
  while (!(await answers(endpoint))) {
    if (child.exitCode !== null)
      throw new Error(`DynamoDB Local ended with code ${child.exitCode} at its start`);
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`DynamoDB Local did not answer within ${patienceMs / 1000} s`);
    }
    await sleep(50);
  }
  return { endpoint, beforeStop: (work) => void before.push(work), stop };
}

/** @throws Error that says what to install */
export function requireJava(): void {
  // The version is on standard error: `openjdk version "17.0.15" 2025-04-15`; Java 8 says "1.8.0".
  const { stderr } = spawnSync("java", ["-version"], { encoding: "utf8" });
  const major = /version "(\d+)/.exec(stderr ?? "")?.[1];
  if (Number(major ?? 0) < 17) throw new Error(javaNeeded);
}

function emulatorFolder(): string {
  // Only the jar is wanted: the package's own code needs a dependency that package.json leaves out.
  const manifest = createRequire(import.meta.url).resolve("amplify-dynamodb-simulator/package.json");
  return join(dirname(manifest), "emulator");
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

async function answers(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => true,
    () => false,
  );
}

/** Node ends without an `exit` event on a signal nobody listens to, and would leave the child behind. */
function exitOnSignals(stop: () => Promise<void>): void {
  for (const [signal, number] of [
    ["SIGHUP", 1],
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    process.once(signal, () => {
      void stop().finally(() => {
        if (process.listenerCount(signal) === 0) process.exit(128 + number);
      });
    });
  }
}
