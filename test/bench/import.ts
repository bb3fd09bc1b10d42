import { fork } from "node:child_process";
import { once } from "node:events";
import { randomUUID } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseArgs } from "node:util";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { IAMClient } from "@aws-sdk/client-iam";
import { startDynamoDb } from "../../infra/local/dynamodb.ts";
import { startIamEndpoint } from "../../infra/local/iam-endpoint.ts";
import { useLocalDynamoDb } from "../../infra/local/local-stack.ts";
import { compileTemplate, tableDefinition } from "../../infra/local/template.ts";
import { IamReader } from "../../shared/account/iam-reader.ts";
import { runImport } from "../../shared/account/run-import.ts";
import { startImport } from "../../shared/account/start-import.ts";
import { actionNames } from "../../shared/decision/levels.ts";
import { readSync } from "../../shared/table/sync.ts";
import { openTable } from "../../shared/table/table.ts";

const ACCOUNT = "123456789012";
const ENDPOINT = "--endpoint";

/**
 * An import of many users through the real SDKs, a DynamoDB Local and an IAM endpoint in a process of its own: how long, how many
 * write units, how much memory.
 *
 *   npm run -s bench:import -- --users 10000
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { users: { type: "string", default: "10000" } } });
  const users = Number(values.users);
  const [database, template] = await Promise.all([startDynamoDb(), compileTemplate()]);
  useLocalDynamoDb(database.endpoint, "us-east-1");
  const table = openTable(`bench-${randomUUID()}`);
  await table.client.send(new CreateTableCommand(tableDefinition(template, table.name)));
  const child = fork(import.meta.filename, [ENDPOINT, String(users)]);
  const [iamUrl] = await once(child, "message");

  const heap = heapMeter();
  const run = async (title: string, OnlyKnown: boolean) => {
    await startImport(table, { caller: "bench", OnlyKnown }, new Date());
    const began = performance.now();
    const base = heap.start();
    for (let tries = 1; ; tries += 1) {
      const sync = await readSync(table);
      if (!sync) throw new Error("there is no job");
      const iam = new IamReader(new IAMClient({ endpoint: String(iamUrl) }));
      const seam = { table, iam, accountId: ACCOUNT, catalogue: actionNames() };
      const rest = { sourceIn: () => undefined, now: () => new Date(), timeLeft: () => 900_000 };
      const isOver = await runImport({ ...seam, ...rest }, sync).then(
        () => true,
        (error: unknown) => void process.stderr.write(`interrupted: ${String(error)}\n`),
      );
      if (isOver || tries === 20) break;
    }
    const { Added, Changed, Unchanged, WriteUnits, Progress, Status } = (await readSync(table)) ?? {};
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    const heapGrowth = `${Math.round((heap.most() - base) / 1e5) / 10} MB`;
    process.stdout.write(
      `${JSON.stringify({ title, Status, Progress, Added, Changed, Unchanged, WriteUnits, seconds, heapGrowth })}\n`,
    );
  };
  await run("everybody is new", false);
  await run("nothing has changed", false);
  await run("only who is known", true);
  heap.stop();
  child.kill();
  await database.stop();
}

/** Twice a second, after a collection: what the job holds, not what it has let go. */
function heapMeter() {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  let most = 0;
  const measure = () => {
    collect();
    const { heapUsed } = process.memoryUsage();
    most = Math.max(most, heapUsed);
    return heapUsed;
  };
  const timer = setInterval(measure, 500);
  return {
    start: () => (most = measure()),
    most: () => most,
    stop: () => clearInterval(timer),
  };
}

/** Nine users of ten share policies, the tenth has one of their own; all are in a group. */
async function serveAccount(users: number): Promise<void> {
  const statement = (Resource: string) => ({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["opsworks:Describe*", "opsworks:CreateDeployment"], Resource }],
  });
  const UserDetailList = Array.from({ length: users }, (_, index) => ({
    Arn: `arn:aws:iam::${ACCOUNT}:user/teams/user-${index}`,
    UserName: `user-${index}`,
    UserId: `AIDA${String(index).padStart(17, "0")}`,
    GroupList: ["developers"],
    UserPolicyList: [
      {
        PolicyName: "own",
        PolicyDocument: statement(index % 10 === 0 ? `arn:aws:opsworks:*:*:stack/${index}/` : "*"),
      },
    ],
    AttachedManagedPolicies: [
      { PolicyName: `p${index % 20}`, PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/p${index % 20}` },
    ],
    Tags: [{ Key: "team", Value: `team-${index % 50}` }],
  }));
  const Policies = Array.from({ length: 20 }, (_, index) => ({
    Arn: `arn:aws:iam::${ACCOUNT}:policy/p${index}`,
    DefaultVersionId: "v1",
    PolicyVersionList: [{ VersionId: "v1", Document: statement(`arn:aws:opsworks:*:*:stack/${index}/`) }],
  }));
  const GroupDetailList = [
    {
      GroupName: "developers",
      GroupPolicyList: [{ PolicyName: "see", PolicyDocument: statement("*") }],
    },
  ];
  const { url } = await startIamEndpoint({ UserDetailList, GroupDetailList, Policies }, 1000);
  process.send?.(url);
}

const [first, count] = process.argv.slice(2);
await (first === ENDPOINT ? serveAccount(Number(count)) : main());
