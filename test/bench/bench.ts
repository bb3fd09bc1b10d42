import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { toSvg } from "./chart.ts";
import { compare, type Differences } from "./compare.ts";
import type { Engine } from "./engine.ts";
import { mapGet } from "./map-get.ts";
import { measure } from "./measure.ts";
import { grouped, reportOf, toMarkdown } from "./report.ts";
import { outcomesOf, stackwarden } from "./stackwarden.ts";
import { writeBetweenMarkers } from "./write-between-markers.ts";
import { createWorkload, type Size, type Workload } from "./workload.ts";

const PEERS = ["casl", "casbin", "cedar", "iam-simulate"];
const HERE = fileURLToPath(new URL(".", import.meta.url));
/** Npm writes it last, so it is there only after a whole installation. */
const INSTALLED = `${HERE}node_modules/.package-lock.json`;
const DOCS = new URL("../../docs/", import.meta.url);

const HELP = `Times the engine beside its peers, in turns, and compares every answer.

  npm run bench                        everything, as a table
  npm run bench -- --write             and into docs/bench.md and docs/bench.svg
  npm run bench -- --engines casl      only these peers (${PEERS.join(", ")}, or none), beside the engine

  --json               figures instead of the table
  --rounds <n>         at least 5; 11 if left out
  --milliseconds <n>   that each engine is timed in a round; 150 if left out
  --questions <n>, --users <n>, --stacks <n>, --seed <n>   the workload; 50000, 1000, 200 and 1 if left out

Whole checks against the table are timed by npm run bench:checks, imports by npm run bench:import.
The peers are installed into test/bench/node_modules when they are not there.
Exit code: 0, or 1 when a peer answers differently, or 2 when it cannot run.
`;

async function main(): Promise<number> {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (options.peers.length > 0 && !existsSync(INSTALLED)) installPeers();

  const workload = createWorkload(options.size);
  const engines = [...stackwarden(workload), mapGet(workload)];
  for (const peer of options.peers) {
    say(`preparing ${peer}`);
    engines.push(...(await enginesOf(peer, workload)));
  }
  say("comparing answers");
  const differences = await compare(engines);
  say(`timing ${engines.length} engines in ${options.rounds} rounds`);
  const report = reportOf(await measure(engines, options.rounds, options.milliseconds), differences, {
    rounds: options.rounds,
    seed: options.size.seed,
    workload: describe(workload, options.size),
  });
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : toMarkdown(report));
  if (options.write) {
    await mkdir(DOCS, { recursive: true });
    await writeBetweenMarkers(new URL("bench.md", DOCS), "npm run bench", toMarkdown(report));
    await writeFile(new URL("bench.svg", DOCS), toSvg(report));
  }
  return showDifferences(differences, workload) === 0 ? 0 : 1;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      engines: { type: "string", default: PEERS.join() },
      json: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      rounds: { type: "string", default: "11" },
      milliseconds: { type: "string", default: "150" },
      questions: { type: "string", default: "50000" },
      users: { type: "string", default: "1000" },
      stacks: { type: "string", default: "200" },
      seed: { type: "string", default: "1" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const peers = values.engines.split(",").filter((name) => name !== "none" && name !== "stackwarden");
  const [rounds, milliseconds, seed] = [values.rounds, values.milliseconds, values.seed].map(Number);
  const [questions, users, stacks] = [values.questions, values.users, values.stacks].map(Number);
  for (const [name, count] of Object.entries({ milliseconds, seed, questions, users, stacks })) {
    if (!isCount(count)) throw new Error(`\`--${name}\` is a whole number above 0`);
  }
  if (!isCount(rounds) || Number(rounds) < 5) throw new Error("`--rounds` is a whole number from 5 on");
  const unknown = peers.find((peer) => !PEERS.includes(peer));
  if (unknown !== undefined) throw new Error(`there is no peer \`${unknown}\`, only ${PEERS.join(", ")}`);
  const size = { questions, users, stacks, seed } as Size;
  const { help, json, write } = values;
  return { help, json, write, peers, rounds: Number(rounds), milliseconds: Number(milliseconds), size };
}

function isCount(value: number | undefined): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

function installPeers(): void {
  say("installing the peers, once: npm ci --prefix test/bench");
  const args = ["ci", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix", HERE];
  const { status } = spawnSync("npm", args, { stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("they could not be installed: see npm's words above");
}

/** They are not there for the checks of the whole, so nothing but this line names their files. */
async function enginesOf(peer: string, workload: Workload): Promise<Engine[]> {
  const adapter: { engines(workload: Workload): Engine[] | Promise<Engine[]> } = await import(
    `./peers/${peer}.ts`
  );
  return adapter.engines(workload);
}

function describe(workload: Workload, { users, stacks, questions }: Size): string {
  const policies = workload.users.flatMap((user) => user.policies);
  const outcomes = outcomesOf(workload);
  const share = (name: keyof typeof outcomes) => `${Math.round((outcomes[name] / questions) * 100)} %`;
  return (
    `${grouped(users)} users, ${grouped(stacks)} stacks, ${grouped(policies.length)} policies attached ` +
    `(${grouped(new Set(policies).size)} different), ${grouped(questions)} questions: ${share("allowed")} allowed, ` +
    `${share("implicitDeny")} not allowed, ${share("explicitDeny")} denied.`
  );
}

/** @returns how many there are */
function showDifferences(differences: ReadonlyMap<Engine, Differences>, { questions }: Workload): number {
  let count = 0;
  for (const [engine, { count: ofEngine, first }] of differences) {
    count += ofEngine;
    for (const index of first) {
      const { user, ...question } = questions[index] ?? {};
      const policies = user?.policies.map(({ document }) => document);
      say(
        `${engine.name} answers question ${index} differently: ${JSON.stringify({ ...question, policies })}`,
      );
    }
  }
  return count;
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : "failed"}`);
  process.exitCode = 2;
}
