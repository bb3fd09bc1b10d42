import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import * as z from "zod";
import { startDynamoDb } from "../../infra/local/dynamodb.ts";
import { startLocalStack } from "../../infra/local/local-stack.ts";
import { signedPost } from "../../infra/local/signed-post.ts";
import { compileTemplate } from "../../infra/local/template.ts";
import { CreateConsoleToken } from "../../shared/contract/create-console-token.ts";
import { deploymentOf } from "../../shared/lambda/environment.ts";
import { markdownTable } from "./markdown-table.ts";
import { spreadOf } from "./measure.ts";
import { grouped, ratio } from "./report.ts";
import { PLACE, seedChecks } from "./seed-checks.ts";

const HELP = `Times a stack's Permissions page in the console beside its bare queries, in turns.

  npm run bench:page

  --users <n>    on the stack; 1000 if left out
  --rounds <n>   of ten pages each; 11 if left out

A page is a request over HTTP through the gateway of the local stack: session, operations, decisions, markup. Its bare queries are the requests that
it sends to DynamoDB, sent again one after the other.
`;
const PER_ROUND = 10;
const CONTEXT = {
  invokedFunctionArn: `arn:aws:lambda:${PLACE.region}:${PLACE.accountId}:function:console:gateway`,
};

type Client = ReturnType<typeof deploymentOf>["table"]["client"];
/** Sends one request to the table once more. */
type Again = () => Promise<unknown>;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      users: { type: "string", default: "1000" },
      rounds: { type: "string", default: "11" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  process.env.LOG_LEVEL = "silent";
  const [users, rounds] = [Number(values.users), Number(values.rounds)];
  const database = await startDynamoDb();
  try {
    process.stdout.write(await measure(database.endpoint, users, rounds));
  } finally {
    await database.stop();
  }
}

async function measure(endpoint: string, users: number, rounds: number): Promise<string> {
  const stack = await startLocalStack({
    template: await compileTemplate(),
    endpoint,
    tableName: `bench-${randomUUID()}`,
    port: 0,
    accountId: PLACE.accountId,
    region: PLACE.region,
  });
  const pairs = await seedChecks(stack.table, users, users);
  const manager = pairs[2];
  if (!manager) throw new Error("`--users` is 3 or more");
  const cookie = await signIn(stack.url, stack.signIn(manager.userArn, manager.userId));
  const page = async () => {
    const response = await fetch(`${stack.url}/console/stacks/${manager.stackId}/permissions`, {
      headers: { cookie },
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`the page answered ${response.status}`);
    return text;
  };
  const { client } = deploymentOf(CONTEXT as never).table;
  await page();
  const sent = await record(client, page);
  const bare = async () => {
    for (const again of sent) await again();
  };
  const times: number[] = [];
  const taken = { page: [] as number[], bare: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    const [ofPage, ofBare] = [await timeOf(page), await timeOf(bare)];
    taken.page.push(ofPage);
    taken.bare.push(ofBare);
    times.push(ofPage / ofBare);
  }
  const text = await page();
  const milliseconds = (of: readonly number[]) => spreadOf(of).median.toFixed(1);
  const rows = [
    ["users", "requests to the table", "bare, ms", "page, ms", "times", "markup"],
    [
      grouped(users),
      String(sent.length),
      milliseconds(taken.bare),
      milliseconds(taken.page),
      ratio(spreadOf(times)),
      `${Math.round(text.length / 1000)} KB`,
    ],
  ];
  await stack.close();
  return `${markdownTable(rows).join("\n")}\n`;
}

const Answer = z.object({ Token: z.string() });

async function signIn(url: string, as: Parameters<typeof signedPost>[2]): Promise<string> {
  const answer = await signedPost(`${url}${CreateConsoleToken.path}`, PLACE.region, as, "{}");
  const { Token: token } = Answer.parse(await answer.json());
  const confirmed = await fetch(`${url}/console/sign-in/confirm`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: url },
    body: new URLSearchParams({ token }),
  });
  const cookie = confirmed.headers.getSetCookie().find((one) => one.startsWith("__Host-stackwarden="));
  if (cookie === undefined) throw new Error("nobody was signed in");
  return cookie.split(";", 1)[0] ?? "";
}

/** What is sent to the table while something is done. */
async function record(client: Client, act: () => Promise<unknown>): Promise<Again[]> {
  const sent: Again[] = [];
  client.middlewareStack.add(
    (next) => (args) => {
      sent.push(() => next(args));
      return next(args);
    },
    { step: "initialize", priority: "low", name: "record" },
  );
  await act();
  client.middlewareStack.remove("record");
  return sent;
}

/** In milliseconds, on average. */
async function timeOf(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let done = 0; done < PER_ROUND; done += 1) await act();
  return (performance.now() - start) / PER_ROUND;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench:page: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
