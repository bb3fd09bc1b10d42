import { randomUUID } from "node:crypto";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { expect, inject } from "vitest";
import { loadHandler, startLocalStack } from "../../infra/local/local-stack.ts";
import { signedPost } from "../../infra/local/signed-post.ts";
import type { Identity } from "../../infra/local/sigv4.ts";
import { readTemplate, routes } from "../../infra/local/template.ts";
import { importAccount } from "../../shared/account/import-account.ts";
import { resolveAccount } from "../../shared/account/resolve-account.ts";
import { OPERATIONS } from "../../shared/contract/index.ts";
import { readJson } from "../../shared/iam/json.ts";
import { deploymentOf } from "../../shared/lambda/environment.ts";
import type { Event } from "../../shared/model/event.ts";
import type { Permission } from "../../shared/model/grant.ts";
import { getItems } from "../../shared/table/get-items.ts";
import { readGrant, setGrant } from "../../shared/table/grants.ts";
import { INDEX, indexKeys, type Key, keys } from "../../shared/table/keys.ts";
import { queryPages } from "../../shared/table/list.ts";
import { putUser, readUser } from "../../shared/table/users.ts";
import { newStack } from "../../shared/table/stacks.ts";
import { transact } from "../../shared/table/write.ts";
import { stackArn } from "../../shared/model/stack-arn.ts";

export const ACCOUNT = "123456789012";
export const REGION = "us-east-1";

export const userArn = (name: string) => `arn:aws:iam::${ACCOUNT}:user/${name}`;
export const roleArn = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
export const sessionArn = (role: string, sessionName: string) =>
  `arn:aws:sts::${ACCOUNT}:assumed-role/${role}/${sessionName}`;
export const arnOfStack = (id: string) =>
  stackArn({ partition: "aws", region: REGION, accountId: ACCOUNT }, id);

/** Where this worker's DynamoDB Local answers. */
export function databaseEndpoint(): string {
  const endpoints = inject("endpoints");
  return endpoints[Number(process.env.VITEST_POOL_ID ?? 1) % endpoints.length] ?? "";
}

/** What came over the wire: nobody knows its type, and the test says what it must be. */
// oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would need a cast at every member of every expectation
export type Wire = any;

/** The version of something, of which nothing is known but that there is one. */
export const ANY_VERSION = { Version: expect.any(String) as unknown };

export type Reply = { readonly status: number; readonly body: Wire; readonly headers: Headers };

/** A DynamoDB request that a function sent. */
export type Sent = { readonly command: string; readonly input: Wire };

/** Stands between the functions and DynamoDB; `pass` sends the request on. */
export type Obstacle = (request: Sent, pass: () => Promise<Wire>) => Promise<Wire>;

export type TestStack = Awaited<ReturnType<typeof openTestStack>>;

/**
 * The local stack with a table of its own: real functions, real HTTP and signatures, real DynamoDB Local. One a test file,
 * since the functions of a process share one environment.
 */
export async function openTestStack(
  options: {
    administrators?: string[];
    directWrites?: boolean;
    endpoint?: string;
    sourceTables?: string[];
    streams?: boolean;
    eventBus?: string;
  } = {},
) {
  // No test asks AWS itself; whoever serves IAM or a bus says where.
  process.env.AWS_ENDPOINT_URL_IAM ??= "http://127.0.0.1:9";
  process.env.AWS_ENDPOINT_URL_EVENTBRIDGE ??= "http://127.0.0.1:9";
  const template = await readTemplate(inject("packageFolder"));
  const faults: unknown[] = [];
  const stack = await startLocalStack({
    template,
    endpoint: databaseEndpoint(),
    tableName: `test-${randomUUID()}`,
    port: 0,
    accountId: ACCOUNT,
    region: REGION,
    onFault: (error) => faults.push(error),
    ...options,
  });
  const allRoutes = routes(template);
  const { table } = stack;

  const sent: Sent[] = [];
  let obstacle: Obstacle = (_request, pass) => pass();
  const context = (name: string) => ({
    awsRequestId: randomUUID(),
    invokedFunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`,
    getRemainingTimeInMillis: () => 29_000,
  });
  deploymentOf(context("any") as Parameters<typeof deploymentOf>[0]).table.client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const request = { command: (commandName ?? "").replace(/Command$/, ""), input: args.input as Wire };
        sent.push(request);
        const output = await obstacle(request, async () => (await next(args)).output);
        return { output, response: undefined };
      },
    { step: "initialize", name: "recordRequests" },
  );

  const query = async (partition: string, index?: string): Promise<Event[]> => {
    const query = {
      ...(index === undefined ? {} : { IndexName: index }),
      KeyConditionExpression: `${index ?? ""}pk = :partition`,
      ExpressionAttributeValues: { ":partition": partition },
    };
    const found: unknown[] = [];
    for await (const items of queryPages(table, query)) found.push(...items);
    return found as Event[];
  };

  return {
    ...stack,
    /** What the functions asked DynamoDB for, in order; a test empties it when it likes. */
    sent,
    /** What the gateway could only answer with a 500. */
    faults,
    /** The functions' table, whose requests are recorded and may be obstructed. */
    ownTable: deploymentOf(context("any") as Parameters<typeof deploymentOf>[0]).table,
    /** The writes among what was sent. */
    writes: () => sent.filter(({ command }) => !["BatchGetItem", "Query"].includes(command)),

    /** Puts an obstacle in the way of the functions' requests; without one, the way is free again. */
    obstruct(by: Obstacle = (_request, pass) => pass()): void {
      obstacle = by;
    },

    /** Credentials of an IAM user; the unique id is that of {@link iamUser}, unless said otherwise. */
    asUser: (name: string, id = uniqueId("AIDA", name)) => stack.signIn(userArn(name), id),

    /** Credentials of a role's session, likewise. */
    asRole: (role: string, sessionName: string, id = uniqueId("AROA", role)) =>
      stack.signIn(sessionArn(role, sessionName), `${id}:${sessionName}`),

    /** Credentials of a federated user, as GetFederationToken gives them. */
    asFederated: (name: string) =>
      stack.signIn(`arn:aws:sts::${ACCOUNT}:federated-user/${name}`, `${ACCOUNT}:${name}`),

    asRoot: () => stack.signIn(`arn:aws:iam::${ACCOUNT}:root`, ACCOUNT),

    /** An item as it is stored. */
    async read(key: Key): Promise<Wire> {
      return (await getItems(table, [key])).get(key);
    },

    /** Everything in a partition. */
    partition: (pk: string): Promise<Wire[]> => query(pk),

    /** How many grants there are for a user's name, whoever they were given to. */
    async countGrantsOf(arn: string): Promise<number> {
      return (await query(indexKeys.userGrants(arn, "").gsi1pk, INDEX)).length;
    },

    /** The trail of a stack, oldest first. */
    eventsOfStack: (stackId: string) => query(keys.stackEvent(stackId, "").pk),

    /** The events of a user that are about no stack, oldest first. */
    eventsAboutUser: (arn: string) => query(keys.userEvent(arn, "").pk),

    /** The events of stacks that are about a user, oldest first. */
    eventsOfUser: (arn: string) => query(keys.userEvent(arn, "").pk, INDEX),

    /** Puts an item past every function. */
    async put(Item: Key & Record<string, unknown>): Promise<void> {
      await table.client.send(new PutCommand({ TableName: table.name, Item }));
    },

    /** Makes groups known, as an import does. */
    addGroups(...names: string[]): Promise<void> {
      return this.put({ ...keys.groups(), Groups: names.map((Name) => ({ Name })) });
    },

    /** Marks a user as an import does who does not find them in IAM any more. */
    async loseFromIam(arn: string, GoneSince = new Date().toISOString()): Promise<void> {
      const user = readUser((await getItems(table, [keys.user(arn)])).get(keys.user(arn)));
      if (!user) throw new Error(`${arn} is not there`);
      await transact(table, [putUser(table, { ...user, GoneSince, Revision: randomUUID() }, user.Revision)]);
    },

    /** Imports users and roles in the shape of GetAccountAuthorizationDetails. */
    async importAccount(details: object) {
      const account = resolveAccount(readJson(JSON.stringify(details), 50_000_000));
      return importAccount(table, account, { caller: "operator", now: new Date() });
    },

    async addStack(name = "stack", tags: Record<string, string> = {}): Promise<string> {
      const StackId = randomUUID();
      const place = {
        Arn: arnOfStack(StackId),
        Region: REGION,
        ServiceRoleArn: roleArn("service-role"),
        DefaultInstanceProfileArn: `arn:aws:iam::${ACCOUNT}:instance-profile/ec2`,
      };
      const rest = { Tags: tags, CreatedAt: new Date().toISOString(), Revision: randomUUID() };
      await transact(table, newStack(table, { StackId, Name: name, ...place, ...rest }, {}));
      return StackId;
    },

    async grant(stackId: string, arn: string, permission: Partial<Permission>): Promise<void> {
      const items = await getItems(table, [keys.user(arn), keys.grant(stackId, arn)]);
      const user = readUser(items.get(keys.user(arn)));
      if (!user) throw new Error(`${arn} is not there`);
      const whole = { Level: "iam_only" as const, AllowSsh: false, AllowSudo: false, ...permission };
      const write = setGrant(table, user, stackId, whole, readGrant(items.get(keys.grant(stackId, arn))));
      if (write) await transact(table, [write]);
    },

    /** A signed request over HTTP. */
    async post(
      as: Identity,
      path: string,
      body: unknown,
      headers: Record<string, string> = {},
    ): Promise<Reply> {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const response = await signedPost(`${stack.url}${path}`, REGION, as, text, headers);
      const answer = await response.text();
      const reply = answer === "" ? undefined : JSON.parse(answer);
      if (response.status === 200) expectOnlyWhatIsPromised(path, reply);
      return { status: response.status, body: reply, headers: response.headers };
    },

    /** As another Lambda invokes it; what it throws is what the invoker gets. */
    async invoke(functionName: string, event: unknown): Promise<Wire> {
      const handler = await loadHandler(allRoutes.find((route) => route.functionName === functionName));
      return handler(event, context(functionName));
    },
  };
}

/** An answer has what its contract says and nothing else: what is kept may be more than a caller should see. */
function expectOnlyWhatIsPromised(path: string, reply: unknown): void {
  const promised = OPERATIONS.find((operation) => operation.path === path)?.output;
  if (promised) expect(promised.parse(reply)).toEqual(reply);
}

/** An IAM user as GetAccountAuthorizationDetails shows it; `policies` are inline documents by name. */
export function iamUser(
  name: string,
  {
    id = uniqueId("AIDA", name),
    policies = {},
    ...rest
  }: { id?: string; policies?: Record<string, unknown> } & Record<string, unknown> = {},
) {
  return { UserName: name, UserId: id, Arn: userArn(name), UserPolicyList: inline(policies), ...rest };
}

/** An IAM role, likewise; `trusts` is the service that may assume it. */
export function iamRole(
  name: string,
  {
    id = uniqueId("AROA", name),
    path = "",
    trusts = "lambda.amazonaws.com",
    policies = {},
    ...rest
  }: { id?: string; path?: string; trusts?: string; policies?: Record<string, unknown> } & Record<
    string,
    unknown
  > = {},
) {
  return {
    RoleName: name,
    RoleId: id,
    Arn: roleArn(`${path}${name}`),
    AssumeRolePolicyDocument: {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Principal: { Service: trusts }, Action: "sts:AssumeRole" },
    },
    RolePolicyList: inline(policies),
    ...rest,
  };
}

export const SERVICE_ROLE = roleArn("aws-opsworks-service-role");
export const INSTANCE_PROFILE = `arn:aws:iam::${ACCOUNT}:instance-profile/aws-opsworks-ec2-role`;

/**
 * The roles that a stack takes, as they should be: the usual ones, those of {@link TestStack.addStack}, and more service roles; the instance
 * profiles all hold one role.
 */
export function stackRoles(more: { serviceRoles?: string[]; profiles?: string[] } = {}) {
  const serviceRoles = ["aws-opsworks-service-role", "service-role", ...(more.serviceRoles ?? [])];
  const profiles = ["ec2", ...(more.profiles ?? [])].map((name) => ({
    Arn: `arn:aws:iam::${ACCOUNT}:instance-profile/${name}`,
  }));
  return [
    ...serviceRoles.map((name) =>
      iamRole(name, { trusts: "opsworks.amazonaws.com", policies: { own: policy("Allow", "ec2:*") } }),
    ),
    iamRole("aws-opsworks-ec2-role", {
      trusts: "ec2.amazonaws.com",
      policies: { own: policy("Allow", "s3:GetObject") },
      InstanceProfileList: [{ Arn: INSTANCE_PROFILE }, ...profiles],
    }),
  ];
}

/** A policy of one statement. */
export function policy(
  Effect: "Allow" | "Deny",
  Action: string | string[],
  Resource = "*",
  rest: object = {},
) {
  return { Version: "2012-10-17", Statement: [{ Effect, Action, Resource, ...rest }] };
}

function uniqueId(prefix: string, name: string): string {
  return `${prefix}${name.toUpperCase()}`;
}

function inline(policies: Record<string, unknown>) {
  return Object.entries(policies).map(([PolicyName, PolicyDocument]) => ({ PolicyName, PolicyDocument }));
}
