import { once } from "node:events";
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import { importAccount } from "../../shared/account/import-account.ts";
import { isIdentityCenterRole, type Principal, readPrincipal } from "../../shared/model/principal.ts";
import type { Account } from "../../shared/account/resolve-account.ts";
import type { User } from "../../shared/model/user.ts";
import { everyPage } from "../../shared/table/list.ts";
import { listStacks } from "../../shared/table/stacks.ts";
import { listUsers } from "../../shared/table/users.ts";
import { readAccount, readDetails, summarize } from "../read-account.ts";
import { openDataFolder } from "./data-folder.ts";
import {
  DEMO_ACCOUNT_FILE,
  DEMO_ACCOUNT_ID,
  DEMO_ADMINISTRATORS,
  type DemoStack,
  seedStacks,
} from "./demo/seed-demo.ts";
import { requireJava, startDynamoDb } from "./dynamodb.ts";
import { type IamAccount, startIamEndpoint } from "./iam-endpoint.ts";
import { type LocalStack, startLocalStack } from "./local-stack.ts";
import { type Demo, localSignIn } from "./sign-in-page.ts";
import type { Identity } from "./sigv4.ts";
import { removeState, writeState } from "./state.ts";
import { compileTemplate } from "./template.ts";
import { welcome } from "./welcome.ts";

const HELP = `Runs Stackwarden on this machine: DynamoDB Local, the table, every function, and a gateway that verifies SigV4.

  npm start                              with a demo account
  npm start -- --import account.json     with the account of \`aws iam get-account-authorization-details\`
                                         (and --administrators <arn>,<arn>: who may set levels beside the root)
  npm start -- --port 0                  on any free port (default 3000)
  npm start -- --data <folder>           keeps the data there, and goes on with it at the next start
  npm start -- --sign-in <arn>,<arn>     credentials for them, too: arn:aws:sts::123456789012:federated-user/fay, or a session of a
                                         role, arn:aws:sts::123456789012:assumed-role/<role>/<session name>
  npm start -- --direct-writes           lets a direct invocation write, as the parameter DirectWrites does
  npm start -- --json                    prints one line of JSON when it is ready, for scripts:
                                         url, region, accountId, users, roles, root, others, stacks
  npm start -- --log                     prints a line for every request, as the functions log in AWS

Ends with Ctrl-C; the data with it, unless it is kept. Credentials are made anew at every start.
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
  /** Whom `--sign-in` names. */
  readonly others: readonly Credentials[];
  readonly stacks: readonly DemoStack[];
};

async function start(options: {
  port: number;
  importFile: string | undefined;
  dataFolder: string | undefined;
  administrators: string[];
  signIn: string[];
  directWrites: boolean;
  say: (line: string) => void;
}): Promise<Running> {
  const { port, importFile, say } = options;
  requireJava();
  await requireFree(port);
  const folder = options.dataFolder === undefined ? undefined : await openDataFolder(options.dataFolder);
  const isKept = folder?.ownership?.seeded ?? false;
  const accountFile = importFile ?? (isKept ? undefined : DEMO_ACCOUNT_FILE);
  say(
    accountFile === undefined
      ? `going on with ${folder?.path} ...`
      : `reading ${importFile ?? "the demo account"} ...`,
  );
  const account = accountFile === undefined ? undefined : await readAccount(accountFile);
  if (isKept && options.administrators.length > 0) {
    throw new Error("`--administrators` goes with the first start of a data folder; this one has its own");
  }
  const ownership = folder?.ownership ?? {
    seeded: false,
    accountId: importFile === undefined ? DEMO_ACCOUNT_ID : accountIdOf(account),
    administrators:
      importFile === undefined ? [...DEMO_ADMINISTRATORS, ...options.administrators] : options.administrators,
  };
  if (account && importFile !== undefined && accountIdOf(account) !== ownership.accountId) {
    throw new Error(
      `${folder?.path} has the data of account ${ownership.accountId}, not of ${accountIdOf(account)}`,
    );
  }

  say("starting DynamoDB Local, compiling the template ...");
  const [database, template] = await Promise.all([
    startDynamoDb(folder ? { dbPath: folder.path } : {}),
    compileTemplate(),
  ]);
  let running: Running | undefined;
  const stack = await startLocalStack({
    template,
    ownPages: localSignIn(() => running && demoOf(running)),
    endpoint: database.endpoint,
    tableName: "stackwarden-local",
    port,
    accountId: ownership.accountId,
    administrators: ownership.administrators,
    directWrites: options.directWrites,
    streams: true,
    onRefusal: (why) => process.stderr.write(`gateway: 403: ${why}\n`),
    onFault: (error) => process.stderr.write(`gateway: 500: ${String(error)}\n`),
  });
  database.beforeStop(() => stack.close());
  await serveIam(accountFile ?? (ownership.accountId === DEMO_ACCOUNT_ID ? DEMO_ACCOUNT_FILE : undefined));
  await folder?.keep(ownership);
  if (account) {
    const report = await importAccount(stack.table, account, {
      caller: "operator",
      now: new Date(),
      onProgress: (done, of) => say(`imported ${done} of ${of} users and roles`),
    });
    say(summarize(report));
  }
  if (!ownership.seeded) await seedStacks(stack.table, stack.region, stack.accountId);
  if (!ownership.seeded && ownership.accountId !== DEMO_ACCOUNT_ID) {
    say("made stacks to try with, on which nobody has a level: the root and `--administrators` can set them");
  }
  await folder?.keep({ ...ownership, seeded: true });
  await writeState({
    url: stack.url,
    endpoint: database.endpoint,
    tableName: stack.tableName,
    region: stack.region,
    accountId: stack.accountId,
    pid: process.pid,
    environment: {
      TABLE_NAME: stack.tableName,
      ADMINISTRATORS: process.env.ADMINISTRATORS ?? "",
      DIRECT_WRITES: process.env.DIRECT_WRITES ?? "false",
    },
  });
  running = await signEverybodyIn(stack, options.signIn);
  return running;
}

function demoOf({ stack: { url, region }, users, roles, root, others }: Running): Demo {
  return { url, region, people: [...users, root, ...roles, ...others] };
}

/** ImportUsers reads the account's file as if it were IAM, unless another IAM is named; without a file, an account of nobody. */
async function serveIam(file: string | undefined): Promise<void> {
  if (process.env.AWS_ENDPOINT_URL_IAM !== undefined) return;
  const details = file === undefined ? {} : await readDetails(file);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `readAccount` has read the same file
  const iam = await startIamEndpoint(details as IamAccount);
  // The file as it is when an import begins; one that cannot be read meanwhile changes nothing.
  iam.before = async ({ action, parameters }) => {
    const isBeginning = action === "GetAccountAuthorizationDetails" && !parameters.has("Marker");
    if (file !== undefined && isBeginning)
      iam.account = await readDetails(file).then(
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is wrong in it is the import's to say
        (now) => now as IamAccount,
        () => iam.account,
      );
    return undefined;
  };
  process.env.AWS_ENDPOINT_URL_IAM = iam.url;
}

function requireAdministrator(arn: string): string {
  const kind = readPrincipal(arn)?.kind;
  if (kind === "user" || kind === "role") return arn;
  throw new Error(`\`--administrators\` takes ARNs of IAM users and roles, not \`${arn}\``);
}

/** Whoever can sign a request. */
function requirePrincipal(arn: string): Principal {
  const principal = readPrincipal(arn);
  if (principal && principal.kind !== "role" && principal.kind !== "person") return principal;
  throw new Error(`\`--sign-in\` takes ARNs of users, federated users and sessions of roles, not \`${arn}\``);
}

/** Found out before anything is started. */
async function requireFree(port: number): Promise<void> {
  const probe = createServer();
  try {
    await once(probe.listen(port, "127.0.0.1"), "listening");
  } catch (error) {
    throw new Error(`port ${port} is in use: choose another with \`npm start -- --port 0\``, {
      cause: error,
    });
  } finally {
    probe.close();
  }
}

function accountIdOf(account: Account | undefined): string {
  return readPrincipal(account?.users[0]?.IamUserArn ?? "")?.accountId ?? DEMO_ACCOUNT_ID;
}

const PAGE = 500;

/** Credentials for everybody in the table, and what stacks there are. */
async function signEverybodyIn(stack: LocalStack, others: readonly string[]): Promise<Running> {
  const users = await everyPage((token) => listUsers(stack.table, PAGE, token));
  const stacks = await everyPage((token) => listStacks(stack.table, PAGE, token));
  const signIn = (arn: string, userId: string, IamUserArn = arn): Credentials => {
    const { accessKeyId, secretAccessKey, sessionToken } = stack.signIn(arn, userId);
    return {
      IamUserArn,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    };
  };
  const arnOf = ({ Name, RoleArn = "" }: User) =>
    `arn:aws:sts::${stack.accountId}:assumed-role/${Name}/${isIdentityCenterRole(RoleArn) ? "jane@example.com" : "local"}`;
  const idOf = (arn: string) => {
    const { kind, accountId, name, userArn, sessionName } = requirePrincipal(arn);
    const id = users.find(({ IamUserArn }) => IamUserArn === userArn)?.UserId;
    if (kind === "federated") return `${accountId}:${name}`;
    return kind === "session" ? `${id ?? "AROALOCAL"}:${sessionName}` : (id ?? "AIDALOCAL");
  };
  return {
    stack,
    users: users
      .filter(({ Kind }) => Kind === "user" || Kind === "federated")
      .map(({ IamUserArn }) => signIn(IamUserArn, idOf(IamUserArn))),
    roles: users
      .filter(({ Kind }) => Kind === "role")
      .map((role) => signIn(arnOf(role), idOf(arnOf(role)), role.IamUserArn)),
    others: others.map((arn) => signIn(arn, idOf(arn))),
    root: signIn(`arn:aws:iam::${stack.accountId}:root`, stack.accountId),
    stacks: stacks.map(({ StackId, Name, Arn }) => ({ StackId, Name, Arn })),
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
      data: { type: "string" },
      administrators: { type: "string", default: "" },
      "sign-in": { type: "string", default: "" },
      "direct-writes": { type: "boolean", default: false },
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
    dataFolder: values.data,
    administrators: values.administrators.split(",").filter(Boolean).map(requireAdministrator),
    signIn: values["sign-in"]
      .split(",")
      .filter(Boolean)
      .map((arn) => requirePrincipal(arn).arn),
    directWrites: values["direct-writes"],
    say: (line) => process.stderr.write(`${line}\n`),
  });
  process.once("exit", removeState);
  if (values.json) {
    const { stack, users, roles, root, others, stacks } = running;
    const { url, region, accountId } = stack;
    process.stdout.write(
      `${JSON.stringify({ url, region, accountId, users, roles, root, others, stacks })}\n`,
    );
  } else process.stdout.write(await welcome(running));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`start: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exit(1);
}
