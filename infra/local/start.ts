import { parseArgs } from "node:util";
import { importAccount } from "../../shared/account/import-account.ts";
import { readPrincipal } from "../../shared/model/principal.ts";
import { readAccount, summarize } from "../read-account.ts";
import {
  DEMO_ACCOUNT_FILE,
  DEMO_ACCOUNT_ID,
  DEMO_ADMINISTRATORS,
  type DemoStack,
  seedStacks,
} from "./demo/seed-demo.ts";
import { startDynamoDb } from "./dynamodb.ts";
import { type LocalStack, startLocalStack } from "./local-stack.ts";
import type { Identity } from "./sigv4.ts";
import { removeState, writeState } from "./state.ts";
import { compileTemplate } from "./template.ts";
import { welcome } from "./welcome.ts";

const HELP = `Runs Stackwarden on this machine: DynamoDB Local, the table, every function, and a gateway that verifies SigV4.

  npm start                              with a demo account
  npm start -- --import account.json     with the account of \`aws iam get-account-authorization-details\`
  npm start -- --port 0                  on any free port (default 3000)
  npm start -- --json                    prints one line of JSON when it is ready, for scripts:
                                         url, region, accountId, users, roles, root, stacks
  npm start -- --log                     prints a line for every request, as the functions log in AWS

Ends with Ctrl-C; the data with it.
`;

/** Whom the local stack can sign requests as. */
export type Credentials = Pick<Identity, "accessKeyId" | "secretAccessKey" | "sessionToken"> & {
  IamUserArn: string;
};

export type Running = {
  readonly stack: LocalStack;
  readonly users: readonly Credentials[];
  readonly roles: readonly Credentials[];
  readonly root: Credentials;
  readonly stacks: readonly DemoStack[];
};

async function start(options: {
  port: number;
  importFile: string | undefined;
  say: (line: string) => void;
}): Promise<Running> {
  const { port, importFile, say } = options;
  say(importFile === undefined ? "reading the demo account ..." : `reading ${importFile} ...`);
  const account = await readAccount(importFile ?? DEMO_ACCOUNT_FILE);
  say("starting DynamoDB Local, compiling the template ...");
  const [database, template] = await Promise.all([startDynamoDb(), compileTemplate()]);
  const accountId =
    importFile === undefined
      ? DEMO_ACCOUNT_ID
      : (readPrincipal(account.users[0]?.IamUserArn ?? "")?.accountId ?? DEMO_ACCOUNT_ID);
  const stack = await startLocalStack({
    template,
    endpoint: database.endpoint,
    tableName: "stackwarden-local",
    port,
    accountId,
    administrators: importFile === undefined ? DEMO_ADMINISTRATORS : [],
    onRefusal: (why) => process.stderr.write(`gateway: 403: ${why}\n`),
    onFault: (error) => process.stderr.write(`gateway: 500: ${String(error)}\n`),
  });
  const report = await importAccount(stack.table, account, {
    caller: "operator",
    now: new Date(),
    onProgress: (done, of) => say(`imported ${done} of ${of} users and roles`),
  });
  say(summarize(report));
  const stacks = await seedStacks(stack.table, stack.region, accountId);
  await writeState({
    url: stack.url,
    endpoint: database.endpoint,
    tableName: stack.tableName,
    region: stack.region,
    accountId,
    environment: {
      TABLE_NAME: stack.tableName,
      ADMINISTRATORS: process.env.ADMINISTRATORS ?? "",
      DIRECT_WRITES: process.env.DIRECT_WRITES ?? "false",
    },
  });
  const signIn = (arn: string, userId: string, IamUserArn = arn): Credentials => {
    const { accessKeyId, secretAccessKey, sessionToken } = stack.signIn(arn, userId);
    return {
      IamUserArn,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    };
  };
  return {
    stack,
    users: account.users
      .filter(({ Kind }) => Kind === "user")
      .map(({ IamUserArn, UserId }) => signIn(IamUserArn, UserId ?? "")),
    roles: account.users
      .filter(({ Kind }) => Kind === "role")
      .map(({ IamUserArn, UserId, Name }) =>
        signIn(`arn:aws:sts::${accountId}:assumed-role/${Name}/local`, `${UserId}:local`, IamUserArn),
      ),
    root: signIn(`arn:aws:iam::${accountId}:root`, accountId),
    stacks,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      json: { type: "boolean" },
      log: { type: "boolean" },
      port: { type: "string", default: "3000" },
      import: { type: "string" },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error("`--port` is a number from 0 to 65535");

  process.env.LOG_LEVEL = values.log ? "info" : "error";
  const running = await start({
    port,
    importFile: values.import,
    say: (line) => process.stderr.write(`${line}\n`),
  });
  process.once("exit", removeState);
  if (values.json) {
    const { stack, users, roles, root, stacks } = running;
    const { url, region, accountId } = stack;
    process.stdout.write(`${JSON.stringify({ url, region, accountId, users, roles, root, stacks })}\n`);
  } else process.stdout.write(await welcome(running));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`start: ${explainStart(error)}\n`);
  process.exit(1);
}

function explainStart(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
    return "the port is in use: choose another with `npm start -- --port 0`";
  }
  return error instanceof Error ? error.message : "failed";
}
