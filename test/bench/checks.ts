import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { BatchGetCommand, DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Context } from "aws-lambda";
import * as z from "zod";
import { handler } from "../../functions/check-authorization.ts";
import { startDynamoDb } from "../../infra/local/dynamodb.ts";
import { useLocalDynamoDb } from "../../infra/local/local-stack.ts";
import { compileTemplate, tableDefinition } from "../../infra/local/template.ts";
import { deploymentOf } from "../../shared/lambda/environment.ts";
import { keys } from "../../shared/table/keys.ts";
import type { Table } from "../../shared/table/table.ts";
import { markdownTable } from "./markdown-table.ts";
import { type Spread, spreadOf } from "./measure.ts";
import { grouped, ratio } from "./report.ts";
import { type Pair, PLACE, seedChecks } from "./seed-checks.ts";
import { writeBetweenMarkers } from "./write-between-markers.ts";

const HELP = `Times whole checks through the function's handler beside the bare BatchGetItem that each of them takes, in turns: by the SDK's client as
it comes, and by the functions' own, from which what no request needs was taken.

  npm run bench:checks                 as a table
  npm run bench:checks -- --write      and into docs/load.md

  --grants <n>,<n>...   tables of so many grants; 100,1000,10000,100000 if left out. The last is timed with more callers at once, too
  --rounds <n>          at least 5; 7 if left out
  --calls <n>           of each kind in a round; 1000 if left out

A check is an event of API Gateway in and an answer out: who calls, the input's schema, the read, the decision, its sentence, the log line
(written to the null device). The database is DynamoDB Local on this machine: milliseconds are for scale, ratios are what counts.
`;

/** How many callers at once. */
const CONCURRENCY = [1, 16, 64];
const ACTIONS = ["opsworks:DescribeStacks", "opsworks:CreateDeployment", "opsworks:DeleteLayer"];
/** Calls of one kind before it is the next one's turn. */
const TURN = 100;
const CONTEXT = {
  awsRequestId: randomUUID(),
  invokedFunctionArn: `arn:aws:lambda:${PLACE.region}:${PLACE.accountId}:function:check:gateway`,
  getRemainingTimeInMillis: () => 5000,
} as Context;

const Spreads = z.object({ median: z.number(), min: z.number(), max: z.number() });
const Quantiles = z.object({ p50: Spreads, p95: Spreads });
/** Milliseconds of the two bare reads and of the check, and how many times as long the check took, round by round. */
const Row = z.object({
  grants: z.number(),
  callers: z.number(),
  plain: Quantiles,
  own: Quantiles,
  check: Quantiles,
  timesPlain: Quantiles,
  timesOwn: Quantiles,
});
type Row = z.infer<typeof Row>;
const Message = z.union([z.object({ say: z.string() }), z.object({ row: Row })]);
type Message = z.infer<typeof Message>;
type Call = (index: number) => Promise<unknown>;

function readOptions() {
  const { values } = parseArgs({
    options: {
      grants: { type: "string", default: "100,1000,10000,100000" },
      rounds: { type: "string", default: "7" },
      calls: { type: "string", default: "1000" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const grants = values.grants.split(",").map(Number);
  const [rounds, calls] = [Number(values.rounds), Number(values.calls)];
  for (const [name, counts] of Object.entries({ grants, rounds: [rounds], calls: [calls] })) {
    if (!counts.every((count) => Number.isSafeInteger(count) && count > 0))
      throw new Error(`\`--${name}\` takes whole numbers above 0`);
  }
  if (rounds < 5) throw new Error("`--rounds` is a whole number from 5 on");
  return { ...values, grants, rounds, calls };
}

async function main(): Promise<void> {
  const { help, write, grants, rounds, calls } = readOptions();
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  const database = await startDynamoDb();
  const rows: Row[] = [];
  try {
    for (const count of grants) {
      const callers = count === grants.at(-1) ? CONCURRENCY : CONCURRENCY.slice(0, 1);
      rows.push(
        ...(await measureApart({ endpoint: database.endpoint, grants: count, callers, rounds, calls })),
      );
    }
  } finally {
    await database.stop();
  }
  const text = toMarkdown(rows, rounds, calls);
  process.stdout.write(text);
  if (write)
    await writeBetweenMarkers(new URL("../../docs/load.md", import.meta.url), "npm run bench:checks", text);
}

const Job = z.object({
  endpoint: z.string(),
  grants: z.number(),
  callers: z.array(z.number()),
  rounds: z.number(),
  calls: z.number(),
});
type Job = z.infer<typeof Job>;

/** In a process of its own: a function has one table for its life, and its log lines go nowhere. */
async function measureApart(job: Job): Promise<Row[]> {
  const rows: Row[] = [];
  const child = fork(import.meta.filename, [JSON.stringify(job)], {
    stdio: ["ignore", "inherit", "ignore", "ipc"],
  });
  child.on("message", (message) => {
    const given = Message.parse(message);
    if ("row" in given) rows.push(given.row);
    else process.stderr.write(`${given.say}\n`);
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`measuring ${job.grants} grants failed`);
  return rows;
}

async function measureHere({ endpoint, grants, callers, rounds, calls }: Job): Promise<void> {
  useLocalDynamoDb(endpoint, PLACE.region);
  Object.assign(process.env, {
    TABLE_NAME: `bench-${randomUUID()}`,
    ADMINISTRATORS: "",
    TABLE_TIMEOUT_MS: "15000",
  });
  const { table } = deploymentOf(CONTEXT);
  await table.client.send(new CreateTableCommand(tableDefinition(await compileTemplate(), table.name)));
  tell({ say: `writing ${grouped(grants)} grants` });
  const pairs = await seedChecks(table, grants);
  const plain = { ...table, client: DynamoDBDocumentClient.from(new DynamoDBClient()) };
  const kinds = { plain: bareOf(plain, pairs), own: bareOf(table, pairs), check: checkOf(pairs) };
  for (const count of callers) {
    tell({ say: `timing ${grouped(grants)} grants, ${count} at once` });
    tell({ row: { grants, callers: count, ...(await compare(kinds, count, rounds, calls)) } });
  }
}

function tell(message: Message): void {
  process.send?.(message);
}

/** What a check reads, and nothing else. */
function bareOf(table: Table, pairs: readonly Pair[]): Call {
  return (index) => {
    const { userArn, stackId } = at(pairs, index);
    const Keys = [keys.user(userArn), keys.stack(stackId), keys.grant(stackId, userArn)];
    return table.client.send(
      new BatchGetCommand({ RequestItems: { [table.name]: { Keys, ConsistentRead: true } } }),
    );
  };
}

const Answer = z.object({ statusCode: z.literal(200) });

/** Somebody asks what they may do themselves. */
function checkOf(pairs: readonly Pair[]): Call {
  return async (index) => {
    const { userArn, userId, stackId } = at(pairs, index);
    const body = JSON.stringify({
      subject: { type: "user", id: userArn },
      action: { name: ACTIONS[index % ACTIONS.length] },
      resource: { type: "stack", id: stackId },
    });
    const event = {
      version: "2.0",
      headers: { "content-type": "application/json" },
      isBase64Encoded: false,
      body,
      requestContext: {
        requestId: "bench",
        http: { sourceIp: "203.0.113.9", userAgent: "bench" },
        authorizer: { iam: { userArn, userId } },
      },
    };
    Answer.parse(await handler(event, CONTEXT));
  };
}

/** Far apart from one question to the next. */
function at(pairs: readonly Pair[], index: number): Pair {
  const pair = pairs[(index * 7919) % pairs.length];
  if (!pair) throw new Error("there are no grants");
  return pair;
}

async function compare(
  kinds: Readonly<Record<"plain" | "own" | "check", Call>>,
  callers: number,
  rounds: number,
  calls: number,
) {
  const timed = async (call: Call) => {
    await timesOf(call, callers, calls, 0);
    return { call, taken: [] as QuantilesOfRound[] };
  };
  const plain = await timed(kinds.plain);
  const own = await timed(kinds.own);
  const check = await timed(kinds.check);
  for (let round = 0; round < rounds; round += 1) {
    const turns = [plain, own, check].map((kind) => ({ ...kind, times: [] as number[] }));
    for (let done = 0; done < calls; done += TURN) {
      for (const { call, times } of turns)
        times.push(...(await timesOf(call, callers, TURN, round * calls + done)));
      // So that none always clears away another's garbage.
      turns.reverse();
    }
    for (const { taken, times } of turns) taken.push(quantilesOf(times));
  }
  const times = (of: readonly QuantilesOfRound[]) =>
    spreadsOf(
      check.taken.map(({ p50, p95 }, round) => ({
        p50: p50 / (of[round]?.p50 ?? Number.NaN),
        p95: p95 / (of[round]?.p95 ?? Number.NaN),
      })),
    );
  return {
    plain: spreadsOf(plain.taken),
    own: spreadsOf(own.taken),
    check: spreadsOf(check.taken),
    timesPlain: times(plain.taken),
    timesOwn: times(own.taken),
  };
}

type QuantilesOfRound = { readonly p50: number; readonly p95: number };

function spreadsOf(taken: readonly QuantilesOfRound[]) {
  return { p50: spreadOf(taken.map(({ p50 }) => p50)), p95: spreadOf(taken.map(({ p95 }) => p95)) };
}

/** How long each of so many calls took, some at once. */
async function timesOf(call: Call, callers: number, calls: number, from: number): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  const worker = async () => {
    while (next < calls) {
      const index = from + next;
      next += 1;
      const start = performance.now();
      await call(index);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: callers }, worker));
  return times;
}

function quantilesOf(times: readonly number[]): QuantilesOfRound {
  const sorted = times.toSorted((left, right) => left - right);
  const quantile = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
  return { p50: quantile(0.5), p95: quantile(0.95) };
}

function toMarkdown(rows: readonly Row[], rounds: number, calls: number): string {
  const milliseconds = ({ median }: Spread) => median.toFixed(2);
  return [
    `Node ${process.version}, ${availableParallelism()} cores, ${new Date().toISOString().slice(0, 10)}; the median of ${rounds} rounds of ${grouped(calls)} calls of each kind, in milliseconds; how many times as long a check took as a read, with the lowest and the highest.`,
    "",
    ...markdownTable([
      ["grants", "at once", "", "SDK's read", "own read", "check", "check / SDK's read", "check / own read"],
      ...rows.flatMap((row) =>
        (["p50", "p95"] as const).map((quantile) => [
          grouped(row.grants),
          String(row.callers),
          quantile,
          milliseconds(row.plain[quantile]),
          milliseconds(row.own[quantile]),
          milliseconds(row.check[quantile]),
          ratio(row.timesPlain[quantile]),
          ratio(row.timesOwn[quantile]),
        ]),
      ),
    ]),
    "",
  ].join("\n");
}

const [job] = process.argv.slice(2);
try {
  await (process.send && job ? measureHere(Job.parse(JSON.parse(job))) : main());
  process.exitCode = 0;
} catch (error) {
  tell({ say: String(error) });
  if (!process.send)
    process.stderr.write(`bench:checks: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
if (process.send) process.disconnect();
