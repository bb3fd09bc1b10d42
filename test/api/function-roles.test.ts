import { randomUUID } from "node:crypto";
import { PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import * as z from "zod";
import { type IamEndpoint, startIamEndpoint } from "../../infra/local/iam-endpoint.ts";
import type { Identity } from "../../infra/local/sigv4.ts";
import { readTemplate } from "../../infra/local/template.ts";
import { importAccount } from "../../shared/account/import-account.ts";
import { resolveAccount } from "../../shared/account/resolve-account.ts";
import { OPERATIONS } from "../../shared/contract/index.ts";
import { decide } from "../../shared/decision/decide.ts";
import { Context } from "../../shared/iam/context.ts";
import { parsePolicy } from "../../shared/iam/policy.ts";
import { getItems } from "../../shared/table/get-items.ts";
import { keys } from "../../shared/table/keys.ts";
import { openTable, type Table } from "../../shared/table/table.ts";
import { putUser, readUser } from "../../shared/table/users.ts";
import { transact } from "../../shared/table/write.ts";
import { readRequest } from "../../shared/iam/request.ts";
import { consoleToken, Visitor } from "../setup/console-visitor.ts";
import { importWith, newTable, seamOf } from "../setup/import-job.ts";
import {
  ACCOUNT,
  iamRole,
  arnOfStack,
  iamUser,
  INSTANCE_PROFILE,
  openTestStack,
  policy,
  REGION,
  roleArn,
  SERVICE_ROLE,
  stackRoles,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const TABLE_ARN = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/stackwarden`;
const SOURCE = "eu-west-1";
const SOURCE_ARN = `arn:aws:dynamodb:${SOURCE}:${ACCOUNT}:table/source`;
const LEADING_KEYS = "dynamodb:LeadingKeys";

/** One action that DynamoDB checks for a request, on the table or its index, with the partition keys it touches. */
type Touch = { readonly action: string; readonly resource: string; readonly leadingKeys: readonly string[] };

const Statement = z.object({
  Effect: z.literal("Allow"),
  Action: z.array(z.string()),
  Resource: z.unknown(),
  Condition: z.object({
    "ForAllValues:StringLike": z.object({ [LEADING_KEYS]: z.array(z.string()) }),
  }),
});
type Statement = z.infer<typeof Statement>;
const Role = z.object({
  Policies: z.tuple([z.object({ PolicyDocument: z.object({ Statement: z.array(z.unknown()) }) })]),
});

let stack: TestStack;
let rolesOf: ReadonlyMap<string, readonly Statement[]>;
let stackId: string;
let as: Identity;
let iam: IamEndpoint;
/** The table of another region. */
let source: Table;

beforeAll(async () => {
  iam = await startIamEndpoint({});
  const opened = await openTestStack();
  stack = {
    ...opened,
    post: (by, path, body, headers) => opened.post(by, path, withToken(path, body, headers), headers),
  };
  source = await newTable(await readTemplate(inject("packageFolder")), SOURCE);
  source.client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        stack.sent.push({ command: (commandName ?? "").replace(/Command$/, ""), input: args.input });
        return next(args);
      },
    { step: "initialize", name: "recordRequests" },
  );
  rolesOf = await readRoles();
  stackId = await stack.addStack();
  await stack.addStack("another");
  await stack.importAccount({
    UserDetailList: [
      iamUser("asks", { policies: { all: policy("Allow", ["opsworks:*", "stackwarden:*"]) } }),
      iamUser("bob", { policies: { own: policy("Allow", "opsworks:StopStack") } }),
    ],
    RoleDetailList: stackRoles(),
  });
  as = stack.asUser("asks");
});
afterAll(async () => {
  await stack.close();
  await iam.close();
});

const WRITING = new Set(
  OPERATIONS.filter(({ input }) => "ClientToken" in ((input as { shape?: object }).shape ?? {})).map(
    ({ name }): string => name,
  ),
);

/** Every request that may have a token has one, so that what it takes is asked for. */
function withToken(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): unknown {
  const name = path === "/" ? headers["x-amz-target"]?.split(".")[1] : path.slice(1);
  return WRITING.has(name ?? "") ? { ...(body as object), ClientToken: randomUUID() } : body;
}

/** Every way through each operation that leads to the table. */
const RUNS: Readonly<Record<string, () => Promise<unknown>>> = {
  CheckAuthorization: () =>
    stack.post(as, "/access/v1/evaluation", {
      subject: { type: "user", id: userArn("bob") },
      action: { name: "opsworks:StopStack" },
      resource: { type: "stack", id: stackId },
    }),
  SetPermission: async () => {
    const IamUserArn = newUser();
    await stack.post(as, "/CreateUserProfile", { IamUserArn });
    await useUpUnixIds();
    stack.sent.length = 0;
    await renew();
    const change = { StackId: stackId, IamUserArn };
    await stack.post(as, "/SetPermission", { ...change, AllowSsh: true });
    await stack.post(as, "/SetPermission", { ...change, Level: "show" });
    await stack.post(as, "/SetPermission", { ...change, Level: "deploy" });
    await stack.post(as, "/SetPermission", { ...change, Level: "iam_only", AllowSsh: false });
    await setLevelOfGroup();
  },
  SetPermissions: async () => {
    const IamUserArn = newUser();
    await stack.post(as, "/CreateUserProfile", { IamUserArn });
    await useUpUnixIds();
    await stack.addGroups("ops");
    stack.sent.length = 0;
    await renew();
    const set = (permission: object, groups: object = {}) =>
      stack.post(as, "/SetPermissions", {
        StackId: stackId,
        Permissions: [{ IamUserArn, ...permission }],
        ...groups,
      });
    await set({ AllowSsh: true });
    await set({ Level: "show" }, { GroupPermissions: [{ GroupName: "ops", Level: "deploy" }] });
    await set({ Level: "iam_only", AllowSsh: false });
  },
  PreviewPermissions: async () => {
    await stack.addGroups("ops");
    await renew();
    await stack.post(as, "/PreviewPermissions", {
      StackId: stackId,
      Permissions: [{ IamUserArn: userArn("bob"), Level: "manage" }],
      GroupPermissions: [{ GroupName: "ops", Level: "deny" }],
    });
  },
  DescribePermissions: async () => {
    for (const input of [
      { StackId: stackId },
      { IamUserArn: userArn("bob") },
      { StackId: stackId, IamUserArn: userArn("bob") },
    ]) {
      await stack.post(as, "/DescribePermissions", input);
      const { body } = await stack.post(as, "/DescribePermissions", { ...input, MaxResults: 1 });
      if (body.NextToken)
        await stack.post(as, "/DescribePermissions", { ...input, NextToken: body.NextToken });
    }
  },
  DescribePermissionsAt: async () => {
    const { body } = await stack.post(as, "/CreateStack", newStack);
    const set = { StackId: body.StackId, IamUserArn: userArn("bob"), Level: "show" };
    await stack.post(as, "/SetPermission", set);
    stack.sent.length = 0;
    await renew();
    await stack.post(as, "/DescribePermissionsAt", { StackId: body.StackId });
    await stack.post(as, "/DescribePermissionsAt", { IamUserArn: userArn("bob") });
  },
  DescribeEvents: async () => {
    await stack.post(as, "/CreateUserProfile", { IamUserArn: newUser() });
    stack.sent.length = 0;
    await renew();
    await stack.post(as, "/DescribeEvents", { StackId: stackId });
    await stack.post(as, "/DescribeEvents", { IamUserArn: userArn("bob") });
    await stack.post(as, "/DescribeEvents", {});
  },
  DescribeMyUserProfile: async () => {
    await stack.post(as, "/DescribeMyUserProfile", {});
    await stack.post(stack.asFederated(randomUUID().slice(0, 8)), "/DescribeMyUserProfile", {});
  },
  DescribeOrphans: async () => {
    await stack.grant(stackId, userArn("bob"), { AllowSsh: true });
    await stack.loseFromIam(userArn("bob"));
    await stack.post(as, "/DescribeOrphans", {});
  },
  BatchCheckAuthorization: () =>
    stack.post(as, "/access/v1/evaluations", {
      resource: { type: "stack", id: stackId },
      action: { name: "opsworks:StopStack" },
      evaluations: [{ subject: { type: "user", id: userArn("bob") } }],
    }),
  CreateUserProfile: () => stack.post(as, "/CreateUserProfile", { IamUserArn: newUser() }),
  UpdateUserProfile: async () => {
    const IamUserArn = newUser();
    await stack.post(as, "/CreateUserProfile", { IamUserArn });
    stack.sent.length = 0;
    await renew();
    await stack.post(as, "/UpdateUserProfile", { IamUserArn, SshUsername: `n${randomUUID().slice(0, 8)}` });
  },
  UpdateMyUserProfile: () => stack.post(as, "/UpdateMyUserProfile", { SshPublicKey: "" }),
  DescribeUserProfiles: async () => {
    await stack.post(as, "/DescribeUserProfiles", {});
    await stack.post(as, "/DescribeUserProfiles", { IamUserArns: [userArn("bob")] });
  },
  DeleteUserProfile: async () => {
    const IamUserArn = newUser();
    await stack.post(as, "/CreateUserProfile", { IamUserArn });
    stack.sent.length = 0;
    await renew();
    await stack.post(as, "/DeleteUserProfile", { IamUserArn });
  },
  ImportUsers: async () => {
    await endJob();
    await stack.post(as, "/ImportUsers", {});
  },
  DescribeImport: () => stack.post(as, "/DescribeImport", {}),
  RunImport: async () => {
    await endJob();
    const name = `u${randomUUID().slice(0, 8)}`;
    const deleted = await deletedUser();
    const policies = { own: policy("Allow", "opsworks:*", "*", { Sid: name }) };
    iam.account = {
      UserDetailList: [iamUser(name, { policies }), iamUser("bob")],
      GroupDetailList: [{ GroupName: name }],
      RoleDetailList: [
        ...stackRoles(),
        iamRole(name, { InstanceProfileList: [{ Arn: `arn:aws:iam::${ACCOUNT}:instance-profile/${name}` }] }),
      ],
    };
    const there = openTable(source.name, SOURCE);
    await importAccount(there, resolveAccount(iam.account), { caller: "operator", now: new Date() });
    const seam = seamOf(stack.ownTable, iam.url, { sourceIn: () => source });
    await importWith(seam, { IamUserArns: [userArn(name), roleArn(name)] });
    await rename(there, userArn(name), `n${name}`);
    await importWith(seam, { SourceRegion: SOURCE });
    iam.account = {
      UserDetailList: [iamUser("bob"), iamUser(deleted, { policies })],
      RoleDetailList: stackRoles(),
    };
    await importWith(seam, { OnlyKnown: true });
  },
  ScheduledImport: async () => {
    await endJob();
    const { handler } = await import("../../functions/scheduled-import.ts");
    const invokedFunctionArn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:ScheduledImport`;
    const context = { invokedFunctionArn, getRemainingTimeInMillis: () => 10_000 };
    await handler({}, context as Parameters<typeof handler>[1]);
  },
  CreateStack: () => createStack(),
  DescribeStacks: async () => {
    await stack.post(as, "/DescribeStacks", {});
    await stack.post(as, "/DescribeStacks", { StackIds: [stackId] });
  },
  UpdateStack: () =>
    stack.post(as, "/UpdateStack", { StackId: stackId, DefaultInstanceProfileArn: INSTANCE_PROFILE }),
  CheckStackRoles: () => stack.post(as, "/CheckStackRoles", { StackId: stackId }),
  DeleteStack: async () => {
    const StackId = await stack.addStack("doomed");
    await stack.post(as, "/DeleteStack", { StackId });
  },
  CloneStack: async () => {
    const source = await stack.addStack("source");
    await stack.grant(source, userArn("bob"), { Level: "show" });
    await addLayer(source);
    stack.sent.length = 0;
    await renew();
    const input = { SourceStackId: source, ServiceRoleArn: newStack.ServiceRoleArn, ClonePermissions: true };
    await stack.post(as, "/CloneStack", input);
  },
  CreateLayer: async () => addLayer(await stack.addStack()),
  DescribeLayers: async () => {
    const { StackId, LayerId } = await newLayer();
    await stack.post(as, "/DescribeLayers", { StackId });
    await stack.post(as, "/DescribeLayers", { LayerIds: [LayerId] });
  },
  UpdateLayer: async () => {
    const { LayerId } = await newLayer();
    const change = { LayerId, Shortname: "renamed", CustomInstanceProfileArn: INSTANCE_PROFILE };
    await stack.post(as, "/UpdateLayer", change);
  },
  DeleteLayer: async () => {
    const { StackId, LayerId } = await newLayer();
    await addInstance(StackId);
    stack.sent.length = 0;
    await renew();
    await stack.post(as, "/DeleteLayer", { LayerId });
  },
  RegisterInstance: async () => {
    const { StackId, LayerId } = await newLayer();
    await addInstance(StackId, [LayerId]);
  },
  DescribeInstances: async () => {
    const { StackId, LayerId } = await newLayer();
    const InstanceId = await addInstance(StackId, [LayerId]);
    stack.sent.length = 0;
    await renew();
    for (const input of [{ StackId }, { LayerId }, { InstanceIds: [InstanceId] }])
      await stack.post(as, "/DescribeInstances", input);
  },
  DeregisterInstance: async () => {
    const InstanceId = await addInstance(await stack.addStack());
    stack.sent.length = 0;
    await renew();
    await stack.post(as, "/DeregisterInstance", { InstanceId });
  },
  DescribeInstanceAccess: async () => {
    const { StackId, LayerId } = await newLayer();
    await stack.grant(StackId, userArn("bob"), { AllowSsh: true });
    const Ec2InstanceId = `i-${randomUUID().slice(0, 8)}`;
    await addInstance(StackId, [LayerId], Ec2InstanceId);
    stack.sent.length = 0;
    const instance = stack.asRole("aws-opsworks-ec2-role", Ec2InstanceId);
    await stack.post(instance, "/DescribeInstanceAccess", {
      StackId,
      Nonce: randomUUID(),
      PublicKey: PUBLIC_KEY,
    });
  },
  GrantAccess: async () => {
    const { StackId } = await newLayer();
    await stack.grant(StackId, userArn("asks"), { AllowSsh: true });
    const Ec2InstanceId = `i-${randomUUID().slice(0, 8)}`;
    const InstanceId = await addInstance(StackId, [], Ec2InstanceId);
    const instance = stack.asRole("aws-opsworks-ec2-role", Ec2InstanceId);
    await stack.post(instance, "/DescribeInstanceAccess", {
      StackId,
      Nonce: randomUUID(),
      PublicKey: PUBLIC_KEY,
    });
    stack.sent.length = 0;
    await renew();
    await stack.post(as, "/GrantAccess", { InstanceId });
  },
  TagResource: async () => {
    const { arns } = await newLayer();
    for (const ResourceArn of arns) await stack.post(as, "/TagResource", { ResourceArn, Tags: { a: "1" } });
  },
  UntagResource: async () => {
    const { arns } = await newLayer();
    for (const ResourceArn of arns) await stack.post(as, "/TagResource", { ResourceArn, Tags: { a: "1" } });
    stack.sent.length = 0;
    await renew();
    for (const ResourceArn of arns) await stack.post(as, "/UntagResource", { ResourceArn, TagKeys: ["a"] });
  },
  ListTags: async () => {
    const { arns } = await newLayer();
    for (const ResourceArn of arns) await stack.post(as, "/ListTags", { ResourceArn });
  },
  OpsWorks: async () => {
    const IamUserArn = newUser();
    const { body } = await wire("CreateStack", newStack);
    const { StackId } = body;
    await wire("UpdateStack", { StackId, Name: "renamed" });
    await wire("DescribeStacks", {});
    await wire("CreateUserProfile", { IamUserArn });
    await wire("UpdateUserProfile", { IamUserArn, SshUsername: `n${randomUUID().slice(0, 8)}` });
    await wire("DescribeUserProfiles", {});
    await useUpUnixIds();
    await wire("SetPermission", { StackId, IamUserArn, Level: "show", AllowSsh: true });
    await wire("SetPermission", { StackId, IamUserArn, Level: "deploy" });
    await wire("DescribePermissions", { StackId });
    await setLevelOfGroup();
    await wire("SetPermission", { StackId, IamUserArn, Level: "iam_only", AllowSsh: false });
    const layer = { StackId, Type: "custom", Name: "layer", Shortname: "layer" };
    const { LayerId } = (await wire("CreateLayer", layer)).body;
    await wire("DescribeLayers", { StackId });
    await wire("UpdateLayer", { LayerId, Name: "renamed" });
    const Ec2InstanceId = `i-${randomUUID().slice(0, 8)}`;
    const registered = { StackId, Ec2InstanceId, LayerIds: [LayerId], Platform: "Windows" };
    const { InstanceId } = (await wire("RegisterInstance", registered)).body;
    await wire("DescribeInstances", { InstanceIds: [InstanceId] });
    await wire("DescribeInstances", { StackId });
    const own = stack.sent.splice(0);
    await stack.grant(StackId, userArn("asks"), { AllowSsh: true });
    const instance = stack.asRole("aws-opsworks-ec2-role", Ec2InstanceId);
    await stack.post(instance, "/DescribeInstanceAccess", {
      StackId,
      Nonce: randomUUID(),
      PublicKey: PUBLIC_KEY,
    });
    stack.sent.splice(0, stack.sent.length, ...own);
    await wire("GrantAccess", { InstanceId });
    await wire("DeregisterInstance", { InstanceId });
    const { ServiceRoleArn } = newStack;
    await wire("CloneStack", { SourceStackId: StackId, ServiceRoleArn, ClonePermissions: true });
    await wire("DeleteLayer", { LayerId });
    await wire("DeleteUserProfile", { IamUserArn });
    await wire("DeleteStack", { StackId });
  },
  CreateConsoleToken: async () => {
    for (const one of [as, stack.asRoot()]) await stack.post(one, "/CreateConsoleToken", {});
  },
  Console: async () => {
    const { StackId, LayerId } = await newLayer();
    await addInstance(StackId, [LayerId]);
    await stack.grant(StackId, userArn("bob"), { AllowSsh: true });
    await stack.loseFromIam(userArn("bob"));
    await endJob();
    const stranger = await consoleToken(stack, stack.asFederated(randomUUID().slice(0, 8)));
    const own = await consoleToken(stack, as);
    const setArn = newUser();
    await stack.post(as, "/CreateUserProfile", { IamUserArn: setArn });
    await useUpUnixIds();
    const GroupName = `g${randomUUID().slice(0, 8)}`;
    await stack.addGroups(GroupName);
    stack.sent.length = 0;
    await renew();
    await new Visitor(stack).signInBy(stranger);
    const visitor = new Visitor(stack);
    await visitor.signInBy(own);
    const form = { "form-token": await visitor.formToken() };
    const pages = ["", "/my-settings", "/users", "/users/orphans", `/users/history?user=${userArn("bob")}`];
    for (const page of pages) await visitor.get(`/console${page}`);
    for (const page of ["", "/permissions", "/history", "/history?at=2026-01-01T00:00"])
      await visitor.get(`/console/stacks/${StackId}${page}`);
    const permissions = `/console/stacks/${stackId}/permissions`;
    await visitor.get(permissions);
    await visitor.get(`/console/users/permissions?user=${encodeURIComponent(setArn)}`);
    await visitor.get(`/console/explain?user=${encodeURIComponent(setArn)}&action=ListTags&stack=${stackId}`);
    const row = { ...form, "user.0": setArn, "user.0.version": "none", "user.0.was": "iam_only" };
    const group = { "group.new": GroupName, "group.new.level": "show" };
    const given = { ...row, ...group, "user.0.level": "show", "user.0.ssh": "yes" };
    await visitor.send(permissions, { ...given, step: "preview" });
    await visitor.send(permissions, { ...given, "client-token": randomUUID(), step: "save" });
    await visitor.send(permissions, { ...given, "user.0.level": "deploy", step: "save" });
    const { body } = await stack.post(as, "/DescribePermissions", { StackId: stackId, IamUserArn: setArn });
    const taken = { "user.0.version": body.Permissions[0].Version, "user.0.was": "show ssh" };
    await visitor.send(permissions, { ...row, ...taken, "user.0.level": "iam_only", step: "save" });
    await visitor.send("/console/my-settings", { ...form, SshPublicKey: "" });
    await visitor.send("/console/users/import", form);
    const IamUserArn = newUser();
    await visitor.send("/console/users/new", { ...form, IamUserArn });
    const SshUsername = `n${randomUUID().slice(0, 8)}`;
    for (const page of ["profile", "delete"]) {
      const path = `/console/users/${page}?user=${IamUserArn}`;
      const [, Version = ""] = /name="Version" value="([^"]+)"/.exec((await visitor.get(path)).body) ?? [];
      await visitor.send(path, { ...form, Version, SshUsername });
    }
    await visitor.send("/console/sign-out", form);
  },
};
const setLevelOfGroup = async () => {
  await stack.addGroups("ops");
  await stack.post(as, "/SetPermission", { StackId: stackId, GroupName: "ops", Level: "show" });
};
const newStack = {
  Name: "new",
  Region: REGION,
  ServiceRoleArn: SERVICE_ROLE,
  DefaultInstanceProfileArn: INSTANCE_PROFILE,
};
const addLayer = async (StackId: string): Promise<string> => {
  const layer = { StackId, Type: "custom", Name: "layer", Shortname: "layer" };
  return (await stack.post(as, "/CreateLayer", layer)).body.LayerId;
};
const PUBLIC_KEY = { Modulus: Buffer.alloc(256, 0xab).toString("base64"), Exponent: "AQAB" };
const addInstance = async (
  StackId: string,
  LayerIds: string[] = [],
  Ec2InstanceId = `i-${randomUUID().slice(0, 8)}`,
): Promise<string> => {
  const instance = { StackId, LayerIds, Ec2InstanceId, Platform: "Windows" };
  return (await stack.post(as, "/RegisterInstance", instance)).body.InstanceId;
};
/** A stack with a layer, which was made before what is looked at begins. */
const newLayer = async () => {
  const StackId = await stack.addStack();
  const LayerId = await addLayer(StackId);
  stack.sent.length = 0;
  await renew();
  const arns = [arnOfStack(StackId), `arn:aws:opsworks:${REGION}:${ACCOUNT}:layer/${LayerId}/`];
  return { StackId, LayerId, arns };
};
/** All but one that was returned, so that the whole way to an id is gone. */
const useUpUnixIds = () =>
  stack.table.client.send(
    new PutCommand({
      TableName: stack.tableName,
      Item: { ...keys.unixIds(), LastGiven: 4000, Returned: new Set([2000]) },
    }),
  );
/** Somebody of whom is kept what IAM said. */
async function deletedUser(): Promise<string> {
  const name = `d${randomUUID().slice(0, 8)}`;
  await stack.importAccount({ UserDetailList: [iamUser(name)] });
  await stack.post(as, "/DeleteUserProfile", { IamUserArn: userArn(name) });
  stack.sent.length = 0;
  return name;
}

/** So that another one may begin. */
const endJob = () =>
  stack.table.client
    .send(
      new UpdateCommand({
        TableName: stack.tableName,
        Key: keys.sync(),
        UpdateExpression: "SET #status = :ended",
        ConditionExpression: "attribute_exists(pk)",
        ExpressionAttributeNames: { "#status": "Status" },
        ExpressionAttributeValues: { ":ended": "failed" },
      }),
    )
    .catch(() => undefined);
async function rename(table: Table, arn: string, SshUsername: string): Promise<void> {
  const user = readUser((await getItems(table, [keys.user(arn)])).get(keys.user(arn)));
  if (user) await transact(table, [putUser(table, { ...user, SshUsername }, user.Revision)]);
}
const createStack = () => stack.post(as, "/CreateStack", newStack);
const newUser = () => userArn(`u${randomUUID().slice(0, 8)}`);
const wire = (operation: string, input: object) =>
  stack.post(as, "/", input, { "x-amz-target": `OpsWorks_20130218.${operation}` });
const names = Object.keys(RUNS);

/** What a run asked of DynamoDB, as its authorization sees it. */
async function touches(name: string): Promise<Touch[]> {
  await renew();
  stack.sent.length = 0;
  await RUNS[name]?.();
  return stack.sent.flatMap(({ command, input }) => touchesOf(command, input));
}

/** Gives the asker a policy nobody has seen yet, so that its document is fetched too. */
async function renew(): Promise<void> {
  const sid = { Sid: randomUUID().replaceAll("-", "") };
  const fresh = policy("Allow", ["opsworks:*", "stackwarden:*", "iam:PassRole"], "*", sid);
  await stack.importAccount({ UserDetailList: [iamUser("asks", { policies: { all: fresh } })] });
}

function touchesOf(command: string, input: Wire): Touch[] {
  const touch = (action: string, leadingKeys: string[], resource = TABLE_ARN) => [
    { action: `dynamodb:${action}`, resource, leadingKeys },
  ];
  const arnOf = (tableName: string) => (tableName === source.name ? SOURCE_ARN : TABLE_ARN);
  if (command === "BatchGetItem") {
    return Object.entries<Wire>(input.RequestItems).flatMap(([tableName, { Keys }]) =>
      touch(
        command,
        Keys.map(({ pk }: { pk: string }) => pk),
        arnOf(tableName),
      ),
    );
  }
  if (command === "Query") {
    const { IndexName, KeyConditionExpression, ExpressionAttributeValues, TableName } = input;
    const [, placeholder = ""] = /^\w*pk = (:\w+)/.exec(KeyConditionExpression) ?? [];
    const asked = IndexName === undefined ? arnOf(TableName) : `${arnOf(TableName)}/index/${IndexName}`;
    return touch(command, [ExpressionAttributeValues[placeholder]], asked);
  }
  if (command === "TransactWriteItems") {
    return input.TransactItems.flatMap(({ ConditionCheck, Put, Update, Delete }: Wire) => {
      if (ConditionCheck) return touch("ConditionCheckItem", [ConditionCheck.Key.pk]);
      if (Put) return touch("PutItem", [Put.Item.pk]);
      if (Update) return touch("UpdateItem", [Update.Key.pk]);
      return touch("DeleteItem", [Delete.Key.pk]);
    });
  }
  if (command === "PutItem") return touch(command, [input.Item.pk]);
  if (command === "UpdateItem") return touch(command, [input.Key.pk]);
  throw new Error(`what right does ${command} take?`);
}

/** What a role says of other regions' tables, if there are any. */
const IF_SOURCE_TABLES = JSON.stringify({
  "Fn::If": ["HasSourceTables", { Ref: "SourceTables" }, [{ "Fn::GetAtt": ["Table", "Arn"] }]],
});
const IF_SOURCE_INDEXES = JSON.stringify({
  "Fn::If": [
    "HasSourceTables",
    {
      "Fn::Split": [
        ",",
        {
          "Fn::Sub": [
            "${Tables}/index/gsi1",
            { Tables: { "Fn::Join": ["/index/gsi1,", { Ref: "SourceTables" }] } },
          ],
        },
      ],
    },
    [{ "Fn::Sub": "${Table.Arn}/index/gsi1" }],
  ],
});

/** The statements of every function's role that are about the table, its name put in. */
async function readRoles(): Promise<Map<string, Statement[]>> {
  const { Resources } = await readTemplate(inject("packageFolder"));
  return new Map(
    names.map((name) => {
      const lambda = z
        .object({ Role: z.object({ "Fn::GetAtt": z.tuple([z.string(), z.literal("Arn")]) }) })
        .parse(Resources[`${name}LambdaFunction`]?.Properties);
      const [{ PolicyDocument }] = Role.parse(Resources[lambda.Role["Fn::GetAtt"][0]]?.Properties).Policies;
      const text = JSON.stringify(PolicyDocument.Statement)
        .replaceAll(IF_SOURCE_TABLES, JSON.stringify([SOURCE_ARN]))
        .replaceAll(IF_SOURCE_INDEXES, JSON.stringify([`${SOURCE_ARN}/index/gsi1`]))
        .replaceAll('{"Fn::GetAtt":["Table","Arn"]}', JSON.stringify(TABLE_ARN))
        .replaceAll('{"Fn::Sub":"${Table.Arn}/index/gsi1"}', JSON.stringify(`${TABLE_ARN}/index/gsi1`))
        .replaceAll('{"Fn::Sub":"${Table.Arn}/index/gsi2"}', JSON.stringify(`${TABLE_ARN}/index/gsi2`));
      const statements = (JSON.parse(text) as { Action: string[] }[]).filter(({ Action }) =>
        Action.some((action) => /^dynamodb:(?:.*Item|Query|Scan)$/.test(action)),
      );
      return [name, z.array(Statement).parse(statements)];
    }),
  );
}

/** Whether the statements allow it, by the evaluator that decides for everybody else. */
function mayTouch(statements: readonly Statement[], { action, resource, leadingKeys }: Touch): boolean {
  const document = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  const facts = { accountOwner: false, unreadable: [], selfManagement: false };
  const policies = [{ name: "role", policy: parsePolicy(document) }];
  const request = readRequest(action, resource, new Context([[LEADING_KEYS, leadingKeys]]));
  return decide({ ...facts, policies }, request).decision === "allowed";
}

/** Each action of a role, with each of its key patterns by itself; what a check reads is one right, the same for all. */
function grantsOf(name: string): Statement[] {
  return (rolesOf.get(name) ?? []).flatMap((statement) => {
    const patterns = statement.Condition["ForAllValues:StringLike"][LEADING_KEYS];
    return statement.Action.flatMap((action) =>
      (action === "dynamodb:BatchGetItem" ? [patterns] : patterns.map((pattern) => [pattern])).map(
        (keys) => ({
          ...statement,
          Action: [action],
          Condition: { "ForAllValues:StringLike": { [LEADING_KEYS]: keys } },
        }),
      ),
    );
  });
}

test("every operation is run here", () => {
  expect(names.toSorted()).toEqual(
    [...OPERATIONS.map(({ name }) => name), "OpsWorks", "Console", "RunImport", "ScheduledImport"].toSorted(),
  );
});

describe("the role of a function", () => {
  test.for(names)("allows all that the function asks of the table: %s", async (name) => {
    const asked = await touches(name);
    expect(asked.length).toBeGreaterThan(1);
    const refused = asked.filter((touch) => !mayTouch(rolesOf.get(name) ?? [], touch));
    expect(refused).toEqual([]);
  });

  test.for(names)("grants nothing that goes unused: %s", async (name) => {
    const asked = (await touches(name)).flatMap((touch) =>
      touch.leadingKeys.map((key) => ({ ...touch, leadingKeys: [key] })),
    );
    const unused = grantsOf(name).filter((grant) => !asked.some((touch) => mayTouch([grant], touch)));
    expect(unused).toEqual([]);
  });

  test.for(names)("lets the function change or delete no event: %s", (name) => {
    for (const operation of [
      "UpdateItem",
      "DeleteItem",
      "BatchWriteItem",
      "PartiQLDelete",
      "PartiQLUpdate",
    ]) {
      const touch = {
        action: `dynamodb:${operation}`,
        resource: TABLE_ARN,
        leadingKeys: [`EVENTS#STACK#${stackId}`],
      };
      expect(mayTouch(rolesOf.get(name) ?? [], touch), operation).toBe(false);
    }
  });

  test.for(names)(
    "lets the function scan nothing, nor write policies, which the import alone does: %s",
    (name) => {
      const refused = [
        { action: "dynamodb:Scan", leadingKeys: [] },
        ...(name === "RunImport" ? [] : [{ action: "dynamodb:PutItem", leadingKeys: ["POLICY#0"] }]),
        { action: "dynamodb:PutItem", leadingKeys: ["STACK#0", "POLICY#0"] },
        { action: "dynamodb:UpdateItem", leadingKeys: [`USER#${userArn("bob")}`] },
      ];
      for (const touch of refused)
        expect(mayTouch(rolesOf.get(name) ?? [], { ...touch, resource: TABLE_ARN })).toBe(false);
    },
  );
});

test("the role of another function would not do: SetPermission's writes are refused to those that read", async () => {
  const writes = (await touches("SetPermission")).filter(({ action }) => /Put|Delete/.test(action));
  for (const reader of ["CheckAuthorization", "DescribePermissions", "DescribeUserProfiles"]) {
    for (const touch of writes) expect(mayTouch(rolesOf.get(reader) ?? [], touch)).toBe(false);
  }
});
