import { randomUUID } from "node:crypto";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { BatchWriteCommand, ScanCommand } from "@aws-sdk/lib-dynamodb";
import { gatewayEvent, lambdaContext } from "../../infra/local/event.ts";
import { type Handler } from "../../infra/local/gateway.ts";
import { loadHandler, useLocalDynamoDb } from "../../infra/local/local-stack.ts";
import { type Template, tableDefinition } from "../../infra/local/template.ts";
import { importAccount } from "../../shared/account/import-account.ts";
import { resolveAccount } from "../../shared/account/resolve-account.ts";
import { writeDocuments, writeUsers } from "../../shared/account/write-users.ts";
import { OPERATIONS } from "../../shared/contract/index.ts";
import { readJson } from "../../shared/iam/json.ts";
import { ask } from "../../shared/table/ask.ts";
import { faultOfAws } from "../../shared/table/aws-fault.ts";
import { openTable, type Table } from "../../shared/table/table.ts";
import { Proxy } from "./proxy.ts";

const ACCOUNT = "123456789012";
const REGION = "us-east-1";

const userArn = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`;
export const stackArn = (id: string) => `arn:aws:opsworks:${REGION}:${ACCOUNT}:stack/${id}/`;
export const layerArn = (id: string) => `arn:aws:opsworks:${REGION}:${ACCOUNT}:layer/${id}/`;

/** An EC2 instance's own session. */
export const instanceArn = (ec2InstanceId: string) =>
  `arn:aws:sts::${ACCOUNT}:assumed-role/aws-opsworks-ec2-role/${ec2InstanceId}`;
export const INSTANCE_KEY = { Modulus: Buffer.alloc(256, 0xab).toString("base64"), Exponent: "AQAB" };

/** Who there is: an administrator, managers, users who come and go (some by a group), and one whom a policy lets look at all stacks. */
export const ADMINISTRATOR = userArn("ann");
export const MANAGERS = ["mia", "max", "moe"].map(userArn);
export const USERS = ["una", "uri", "tea", "tom"].map(userArn);
export const LOOKER = userArn("pat");
export const TEAM = "team";
/** Who the events of imports are by. */
export const IMPORTER = "operator";
export const IN_TEAM: ReadonlySet<string> = new Set(["tea", "tom"].map(userArn));

export const ROLES = {
  ServiceRoleArn: `arn:aws:iam::${ACCOUNT}:role/aws-opsworks-service-role`,
  DefaultInstanceProfileArn: `arn:aws:iam::${ACCOUNT}:instance-profile/aws-opsworks-ec2-role`,
};

export const SSH_KEYS = [
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGintl9j7am8QbjJXnqP0WCCbfJbYTcc0uNJSJh9EcAA one",
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIORiUD+Q2PtaAfSD1BdFDd5H1j4BsB+e07SdpgR7BRNG two",
];

// oxlint-disable-next-line typescript/no-explicit-any -- whatever came back, or is kept
export type Wire = any;

export type World = Awaited<ReturnType<typeof openWorld>>;

/** The functions over a table of their own, with a proxy between them and DynamoDB. One a process: they share its environment. */
export async function openWorld(given: {
  readonly endpoint: string;
  readonly template: Template;
  /** After which the functions give a request to the table up. */
  readonly timeoutMs: number;
  /** Which a function has. */
  readonly functionMs: number;
}) {
  const proxy = await Proxy.open(given.endpoint);
  useLocalDynamoDb(proxy.url, REGION);
  const tableName = `faults-${randomUUID()}`;
  Object.assign(process.env, {
    TABLE_NAME: tableName,
    TABLE_TIMEOUT_MS: String(given.timeoutMs),
    ADMINISTRATORS: ADMINISTRATOR,
    AWS_ENDPOINT_URL_IAM: "http://127.0.0.1:9",
    LOG_LEVEL: process.env.LOG_LEVEL ?? "silent",
  });
  const table = openTable(tableName, undefined, 60_000);
  const importing = openTable(tableName, undefined, given.timeoutMs);
  await table.client.send(new CreateTableCommand(tableDefinition(given.template, tableName)));
  await importAccount(table, accountOf(ACCOUNT_DETAILS), { caller: IMPORTER, now: new Date() });
  const handlers = new Map<string, Handler>();
  for (const { name } of OPERATIONS) handlers.set(name, await loadHandler({ handler: handlerOf(name) }));

  return {
    proxy,
    table,
    timeoutMs: given.timeoutMs,

    /** As API Gateway hands a request over. */
    async call(caller: string, operation: string, input: object, userAgent: string) {
      const route = {
        method: "POST",
        path: OPERATIONS.find(({ name }) => name === operation)?.path ?? "",
        authorizationType: "AWS_IAM" as const,
        functionName: operation,
        alias: "gateway",
        handler: handlerOf(operation),
        environment: {},
      };
      const circumstances = {
        requestId: randomUUID(),
        receivedAt: new Date(),
        httpVersion: "1.1",
        sourceIp: "127.0.0.1",
        accountId: ACCOUNT,
        region: REGION,
        identity: identityOf(caller),
      };
      const headers = new Map([
        ["content-type", ["application/json"]],
        ["user-agent", [userAgent]],
      ]);
      const request = {
        method: "POST",
        path: route.path,
        query: "",
        headers,
        body: Buffer.from(JSON.stringify(input)),
      };
      // Before and after a run, nothing is to be short.
      const deadline = Date.now() + (proxy.plan ? given.functionMs : 30_000);
      const context = lambdaContext(route, circumstances, () => Math.max(0, deadline - Date.now()));
      const reply: Wire = await handlers.get(operation)?.(
        gatewayEvent(route, request, circumstances),
        context,
      );
      const body: Wire = JSON.parse(reply.body);
      return { status: Number(reply.statusCode), body };
    },

    /**
     * Imports what IAM says of the users who have a profile: each time another policy, about nothing that is asked for. Answers whether it
     * came to its end; one that did not begins again, as an import job does.
     */
    async importUsers(count: number): Promise<boolean> {
      const users = USERS.map((arn) => person(arn, { UserPolicyList: [policyOf(count)] }));
      const { documents, users: given } = accountOf({
        ...ACCOUNT_DETAILS,
        UserDetailList: users,
        RoleDetailList: [],
      });
      // Before and after a run, nothing is to be short.
      const to = proxy.plan ? importing : table;
      try {
        await writeDocuments(to, documents);
        await writeUsers(to, given, { caller: IMPORTER, now: new Date(), onlyKnown: true });
        return true;
      } catch (error) {
        if (to === importing && faultOfAws(error)) return false;
        throw error;
      }
    },

    /** Everything that is kept. */
    items: () => scan(table),

    /** Forgets the stacks and the trail of an earlier run. */
    async clear(): Promise<void> {
      const old = (await scan(table)).filter(({ pk }) => OF_A_RUN.test(pk));
      for (let from = 0; from < old.length; from += 25) {
        const some = old.slice(from, from + 25).map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } }));
        const remove = new BatchWriteCommand({ RequestItems: { [tableName]: some } });
        await ask(table, (how) => table.client.send(remove, how));
      }
    },

    close: () => proxy.close(),
  };
}

const OF_A_RUN = /^(STACK|SETTINGS|LAYERS?|INSTANCES?|EC2|LOGINS|EVENTS)#/;

async function scan(table: Table): Promise<Wire[]> {
  const items: Wire[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const scan = new ScanCommand({ TableName: table.name, ConsistentRead: true, ExclusiveStartKey });
    const page = await ask(table, (how) => table.client.send(scan, how));
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return items;
}

function handlerOf(operation: string): string {
  return `functions/${operation.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.handler`;
}

function identityOf(arn: string) {
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  return {
    accessKeyId: `AKIA${name}`,
    secretAccessKey: "",
    accountId: ACCOUNT,
    userArn: arn,
    userId: arn.includes(":assumed-role/") ? `AROAEC2:${name}` : uniqueId(name),
  };
}

function uniqueId(name: string): string {
  return `AIDA${name.toUpperCase()}`;
}

const trust = (service: string) => ({
  Version: "2012-10-17",
  Statement: { Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" },
});
const allow = (Action: string) => ({
  PolicyName: "own",
  PolicyDocument: { Version: "2012-10-17", Statement: { Effect: "Allow", Action, Resource: "*" } },
});
const person = (arn: string, rest: object = {}) => {
  const UserName = arn.slice(arn.lastIndexOf("/") + 1);
  return {
    UserName,
    UserId: uniqueId(UserName),
    Arn: arn,
    UserPolicyList: [],
    GroupList: IN_TEAM.has(arn) ? [TEAM] : [],
    ...rest,
  };
};

/** What the imports of a run give each user; `count` is which of them. */
export const policyOf = (count: number) => ({
  PolicyName: `import-${count}`,
  PolicyDocument: { Version: "2012-10-17", Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" } },
});

const accountOf = (details: object) => resolveAccount(readJson(JSON.stringify(details), 1_000_000));

const ACCOUNT_DETAILS = {
  UserDetailList: [
    person(ADMINISTRATOR, { UserPolicyList: [allow("iam:PassRole")] }),
    ...[...MANAGERS, ...USERS].map((arn) => person(arn)),
    person(LOOKER, { UserPolicyList: [allow("opsworks:Describe*")] }),
  ],
  GroupDetailList: [
    {
      GroupName: TEAM,
      GroupId: "AGPATEAM",
      Arn: `arn:aws:iam::${ACCOUNT}:group/${TEAM}`,
      GroupPolicyList: [],
      AttachedManagedPolicies: [],
    },
  ],
  RoleDetailList: [
    {
      RoleName: "aws-opsworks-service-role",
      RoleId: "AROASERVICE",
      Arn: ROLES.ServiceRoleArn,
      AssumeRolePolicyDocument: trust("opsworks.amazonaws.com"),
      RolePolicyList: [allow("ec2:*")],
    },
    {
      RoleName: "aws-opsworks-ec2-role",
      RoleId: "AROAEC2",
      Arn: `arn:aws:iam::${ACCOUNT}:role/aws-opsworks-ec2-role`,
      AssumeRolePolicyDocument: trust("ec2.amazonaws.com"),
      RolePolicyList: [allow("s3:GetObject")],
      InstanceProfileList: [{ Arn: ROLES.DefaultInstanceProfileArn }],
    },
  ],
};
