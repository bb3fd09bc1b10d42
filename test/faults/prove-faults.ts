import { parseArgs } from "node:util";
import { startDynamoDb } from "../../infra/local/dynamodb.ts";
import { compileTemplate } from "../../infra/local/template.ts";
import { type Fault, FAULTS } from "./proxy.ts";
import { judge, type Figures } from "./model.ts";
import { runLoad } from "./workload.ts";
import { openWorld } from "./world.ts";

const HELP = `Proves that nothing is lost and nobody gains when the way to the table is bad: random operations of all kinds by many callers
at once, through the real functions, with a proxy between them and DynamoDB Local. Afterwards the answers, the trail and the table
are held against a model. docs/faults.md has what is checked, and figures.

  npm run prove:faults                        every kind of fault by itself, then all together
  npm run prove:faults -- --fault drop        one kind: ${[...FAULTS, "all", "none"].join(", ")}

  --operations <n>   of each kind of fault; 10000 if left out
  --seed <n>         the same seed draws the same operations and faults, though callers do not come in the same order; 1 if left out
  --callers <n>      at once; 16 if left out
  --share <n>        of the requests to the table that go wrong, in percent; 15 if left out
  --crowded          changes and checks of one user and one stack, so that everybody is in everybody's way

Exit code: 0, or 1 when something is not as it should be, or 2 when it could not be run.
`;

/** A request that hangs is given up early, so that many are. */
const TIMEOUT_MS = 300;
const FUNCTION_MS = 1800;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      fault: { type: "string", multiple: true, default: [...FAULTS, "all"] },
      operations: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      callers: { type: "string", default: "16" },
      share: { type: "string", default: "15" },
      crowded: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const whole = (name: "operations" | "seed" | "callers" | "share") => {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < 0) throw new Error(`\`--${name}\` is a whole number`);
    return number;
  };
  const load = {
    operations: whole("operations"),
    seed: whole("seed"),
    callers: whole("callers"),
    share: whole("share") / 100,
    isCrowded: values.crowded,
  };
  const kinds = values.fault.map((name) => [name, faultsOf(name)] as const);
  const template = await compileTemplate();
  const database = await startDynamoDb();
  const world = await openWorld({
    endpoint: database.endpoint,
    template,
    timeoutMs: TIMEOUT_MS,
    functionMs: FUNCTION_MS,
  });
  let exitCode = 0;
  try {
    for (const [name, faults] of kinds) {
      const start = performance.now();
      const seconds = () => ((performance.now() - start) / 1000).toFixed(0);
      const progress = (done: number) => {
        if (done % 1000 === 0) process.stderr.write(`${name}: ${done}, ${seconds()} s\n`);
      };
      world.proxy.done.clear();
      world.proxy.requests = 0;
      const run = await runLoad(world, { ...load, faults, progress });
      const { violations, figures } = judge(run);
      const { requests, done } = world.proxy;
      process.stdout.write(
        `${[`fault        ${name}, seed ${load.seed}, ${load.callers} callers, ${seconds()} s`, ...linesOf(figures, requests, done), `violations   ${violations.length}`, ...violations].join("\n")}\n\n`,
      );
      if (violations.length > 0) exitCode = 1;
    }
  } finally {
    await world.close();
    await database.stop();
  }
  return exitCode;
}

function faultsOf(name: string): readonly Fault[] {
  if (name === "all") return FAULTS;
  if (name === "none") return [];
  const fault = FAULTS.find((one) => one === name);
  if (!fault) throw new Error(`there is no fault \`${name}\`, only ${[...FAULTS, "all", "none"].join(", ")}`);
  return [fault];
}

function linesOf(figures: Figures, requests: number, done: ReadonlyMap<string, number>): string[] {
  const faulty = [...done.values()].reduce((sum, count) => sum + count, 0);
  return [
    `operations   ${figures.done} done, ${figures.refused} refused, ${figures.unknown} unknown, of which ${figures.unknownDone} were done`,
    `events       ${figures.events}, ${figures.imports} imports`,
    `asked again  ${figures.askedAgain} with their token; ${figures.atVersion} changes at a version that the caller named`,
    `answers      ${figures.reads} about levels, ${figures.allowed} checks allowed; ${figures.feeds} instances told, ${figures.logins} logins given`,
    `requests     ${requests} to the table, ${faulty} of them gone wrong`,
    ...[...done].map(([how, count]) => `             ${count} ${how}`),
    `Unix ids     ${figures.unusedUnixIds} counted that nobody has who is there`,
  ];
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`prove:faults: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
