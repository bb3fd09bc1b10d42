import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { unzipSync } from "fflate";
import { beforeAll, describe, expect, inject, test } from "vitest";
import * as z from "zod";
import { resolveEnvironment } from "../../infra/local/intrinsics.ts";
import { matches } from "../../infra/local/streams.ts";
import { OPERATIONS } from "../../shared/contract/index.ts";
import {
  readTemplate,
  type Route,
  routes,
  streamSources,
  tableDefinition,
  type Template,
} from "../../infra/local/template.ts";

const Statement = z.object({
  Effect: z.literal("Allow"),
  Action: z.union([z.string().transform((action) => [action]), z.array(z.string())]),
  Resource: z.unknown(),
  Condition: z
    .strictObject({
      "ForAllValues:StringLike": z.strictObject({ "dynamodb:LeadingKeys": z.array(z.string()) }),
    })
    .optional(),
});
const PolicyDocument = z.object({ Statement: z.array(Statement) });
const LambdaFunction = z.object({
  Role: z.object({ "Fn::GetAtt": z.tuple([z.string(), z.literal("Arn")]) }),
  Runtime: z.string(),
  Architectures: z.array(z.string()),
  Timeout: z.number(),
  LoggingConfig: z.object({ LogFormat: z.string() }),
});
const Role = z.object({ Policies: z.tuple([z.object({ PolicyDocument })]) });
const ManagedPolicy = z.object({ PolicyDocument });

const KEEP_TOKEN = "BatchGetItem+PutItem TOKEN#*";
const mayDo: Record<string, string[]> = {
  CheckAuthorization: ["BatchGetItem STACK#* USER#* POLICY#* SYNC"],
  BatchCheckAuthorization: ["BatchGetItem STACK#* USER#* POLICY#* SYNC"],
  SetPermission: [
    "BatchGetItem STACK#* USER#* POLICY#* UNIXIDS GROUPS SYNC",
    "ConditionCheckItem STACK#* USER#*",
    "PutItem STACK#* USER#* EVENTS#*",
    "UpdateItem UNIXIDS",
    KEEP_TOKEN,
  ],
  SetPermissions: [
    "BatchGetItem STACK#* USER#* POLICY#* UNIXIDS GROUPS SYNC",
    "ConditionCheckItem STACK#* USER#*",
    "PutItem STACK#* USER#* EVENTS#*",
    "UpdateItem UNIXIDS",
    KEEP_TOKEN,
  ],
  PreviewPermissions: ["BatchGetItem STACK#* USER#* POLICY#* GROUPS SYNC", "Query gsi1 USERS"],
  DescribePermissions: ["BatchGetItem STACK#* USER#* POLICY#* SYNC", "Query gsi1 USERS STACKS"],
  DescribePermissionsAt: [
    "BatchGetItem STACK#* USER#* POLICY#* SYNC",
    "Query EVENTS#*",
    "Query gsi1 EVENTS#*",
  ],
  DescribeEvents: [
    "BatchGetItem STACK#* USER#* POLICY#* SYNC",
    "BatchGetItem EVENTS#*",
    "Query EVENTS#*",
    "Query gsi1 EVENTS#*",
    "Query gsi2 EVENTS#*",
  ],
  DescribeMyUserProfile: [
    "BatchGetItem STACK#* USER#* POLICY#* SSHNAME#* SYNC",
    "Query gsi1 STACKS",
    "ConditionCheckItem USER#*",
    "PutItem USER#* SSHNAME#* EVENTS#*",
  ],
  UpdateMyUserProfile: ["BatchGetItem STACK#* USER#* POLICY#* SYNC", "PutItem USER#* EVENTS#*", KEEP_TOKEN],
  CreateUserProfile: [
    "BatchGetItem STACK#* USER#* POLICY#* SSHNAME#* SYNC",
    "ConditionCheckItem USER#*",
    "PutItem USER#* SSHNAME#* EVENTS#*",
    KEEP_TOKEN,
  ],
  DescribeUserProfiles: ["BatchGetItem STACK#* USER#* POLICY#* SYNC", "Query gsi1 USERS"],
  DescribeOrphans: ["BatchGetItem STACK#* USER#* POLICY#* SYNC", "Query gsi1 USERS USER#*"],
  UpdateUserProfile: [
    "BatchGetItem STACK#* USER#* POLICY#* SYNC",
    "PutItem USER#* SSHNAME#* EVENTS#*",
    "DeleteItem SSHNAME#*",
    KEEP_TOKEN,
  ],
  DeleteUserProfile: [
    "BatchGetItem STACK#* USER#* POLICY#* SYNC",
    "PutItem USER#* EVENTS#*",
    "DeleteItem USER#* SSHNAME#*",
    KEEP_TOKEN,
  ],
  ImportUsers: ["BatchGetItem STACK#* USER#* POLICY#* SYNC", "PutItem SYNC", KEEP_TOKEN],
  DescribeImport: ["BatchGetItem STACK#* USER#* POLICY#* SYNC"],
  CreateStack: [
    "BatchGetItem STACK#* USER#* POLICY#* PROFILE#* SYNC",
    "PutItem STACK#* SETTINGS#* EVENTS#*",
    KEEP_TOKEN,
  ],
  CheckStackRoles: ["BatchGetItem STACK#* USER#* POLICY#* PROFILE#* SYNC", "Query LAYERS#*"],
  DescribeStacks: ["BatchGetItem STACK#* SETTINGS#* USER#* POLICY#* SYNC", "Query gsi1 STACKS"],
  UpdateStack: [
    "BatchGetItem STACK#* SETTINGS#* USER#* POLICY#* PROFILE#* SYNC",
    "PutItem STACK#* SETTINGS#* EVENTS#*",
    KEEP_TOKEN,
  ],
  DeleteStack: [
    "BatchGetItem STACK#* USER#* POLICY#* SYNC",
    "PutItem EVENTS#*",
    "DeleteItem STACK#* SETTINGS#*",
    KEEP_TOKEN,
  ],
  CloneStack: [
    "BatchGetItem STACK#* SETTINGS#* USER#* POLICY#* PROFILE#* SYNC",
    "Query STACK#* LAYERS#*",
    "ConditionCheckItem STACK#*",
    "PutItem STACK#* SETTINGS#* LAYERS#* LAYER#* EVENTS#*",
    "DeleteItem STACK#*",
    KEEP_TOKEN,
  ],
  CreateLayer: [
    "BatchGetItem STACK#* USER#* POLICY#* PROFILE#* SYNC",
    "Query LAYERS#*",
    "PutItem STACK#* LAYERS#* LAYER#* EVENTS#*",
    KEEP_TOKEN,
  ],
  DescribeLayers: ["BatchGetItem STACK#* LAYERS#* LAYER#* USER#* POLICY#* SYNC", "Query LAYERS#*"],
  UpdateLayer: [
    "BatchGetItem STACK#* LAYERS#* LAYER#* USER#* POLICY#* PROFILE#* SYNC",
    "Query LAYERS#*",
    "PutItem STACK#* LAYERS#* EVENTS#*",
    KEEP_TOKEN,
  ],
  DeleteLayer: [
    "BatchGetItem STACK#* LAYERS#* LAYER#* USER#* POLICY#* SYNC",
    "Query INSTANCES#*",
    "PutItem STACK#* EVENTS#*",
    "DeleteItem LAYERS#* LAYER#*",
    KEEP_TOKEN,
  ],
  RegisterInstance: [
    "BatchGetItem STACK#* LAYERS#* USER#* POLICY#* SYNC",
    "PutItem STACK#* INSTANCES#* INSTANCE#* EC2#* EVENTS#*",
    KEEP_TOKEN,
  ],
  DescribeInstances: [
    "BatchGetItem STACK#* LAYERS#* LAYER#* INSTANCES#* INSTANCE#* USER#* POLICY#* SYNC",
    "Query INSTANCES#*",
  ],
  DeregisterInstance: [
    "BatchGetItem STACK#* INSTANCES#* INSTANCE#* USER#* POLICY#* SYNC",
    "PutItem STACK#* EVENTS#*",
    "DeleteItem INSTANCES#* INSTANCE#* EC2#* LOGINS#*",
    KEEP_TOKEN,
  ],
  DescribeInstanceAccess: [
    "BatchGetItem STACK#* LAYERS#* INSTANCES#* EC2#* USER#* POLICY#* PROFILE#*",
    "Query STACK#* LOGINS#*",
    "ConditionCheckItem INSTANCES#*",
    "PutItem NONCE#* LOGINS#* EVENTS#*",
  ],
  GrantAccess: [
    "BatchGetItem STACK#* INSTANCES#* INSTANCE#* USER#* POLICY#* SYNC",
    "Query LOGINS#*",
    "ConditionCheckItem INSTANCES#*",
    "PutItem LOGINS#* EVENTS#*",
    KEEP_TOKEN,
  ],
  TagResource: [
    "BatchGetItem STACK#* LAYERS#* LAYER#* USER#* POLICY#* SYNC",
    "PutItem STACK#* LAYERS#* EVENTS#*",
    KEEP_TOKEN,
  ],
  UntagResource: [
    "BatchGetItem STACK#* LAYERS#* LAYER#* USER#* POLICY#* SYNC",
    "PutItem STACK#* LAYERS#* EVENTS#*",
    KEEP_TOKEN,
  ],
  ListTags: ["BatchGetItem STACK#* LAYERS#* LAYER#* USER#* POLICY#* SYNC"],
  OpsWorks: [
    "BatchGetItem STACK#* SETTINGS#* LAYERS#* LAYER#* INSTANCES#* INSTANCE#* USER#* POLICY#* PROFILE#* SSHNAME#* UNIXIDS GROUPS SYNC",
    "Query gsi1 USERS STACKS",
    "Query STACK#* LAYERS#* INSTANCES#* LOGINS#*",
    "ConditionCheckItem STACK#* INSTANCES#* USER#*",
    "PutItem STACK#* SETTINGS#* LAYERS#* LAYER#* INSTANCES#* INSTANCE#* EC2#* LOGINS#* USER#* SSHNAME#* EVENTS#*",
    "DeleteItem STACK#* SETTINGS#* LAYERS#* LAYER#* INSTANCES#* INSTANCE#* EC2#* LOGINS#* USER#* SSHNAME#*",
    "UpdateItem UNIXIDS",
    KEEP_TOKEN,
  ],
  CreateConsoleToken: ["PutItem SIGNIN#*"],
  Console: [
    "BatchGetItem STACK#* SETTINGS#* LAYERS#* USER#* POLICY#* PROFILE#* SSHNAME#* SIGNIN#* SESSION#* UNIXIDS GROUPS SYNC",
    "Query gsi1 USERS STACKS USER#* EVENTS#*",
    "Query LAYERS#* INSTANCES#* EVENTS#*",
    "ConditionCheckItem STACK#* USER#*",
    "PutItem STACK#* USER#* SSHNAME#* SESSION#* EVENTS#* SYNC",
    "DeleteItem USER#* SSHNAME#* SIGNIN#* SESSION#*",
    "UpdateItem UNIXIDS",
    KEEP_TOKEN,
  ],
};
/** The one whose routes are open: browsers sign nothing, and it has sessions. */
const CONSOLE = "Console";
/** Those that a route leads to, in the template's order. */
const names = Object.keys(mayDo);
/** Those that nobody calls: the table's stream and the clock do. */
const unrouted = ["FollowTable", "RunImport", "ScheduledImport"];

const packageFolder = inject("packageFolder");
let template: Template;
let served: Route[];

beforeAll(async () => {
  template = await readTemplate(packageFolder);
  served = routes(template);
}, 120_000);

const properties = (id: string) => template.Resources[id]?.Properties;
const lambda = (name: string) => LambdaFunction.parse(properties(`${name}LambdaFunction`));
const statementsOf = (name: string) =>
  Role.parse(properties(lambda(name).Role["Fn::GetAtt"][0])).Policies[0].PolicyDocument.Statement;

const pathOf = (name: string) =>
  name === "OpsWorks" ? "/" : OPERATIONS.find((operation) => operation.name === name)?.path;

const spelledRoutes = (isWanted: (route: Route) => boolean) =>
  served
    .filter(isWanted)
    .map((route) => [route.functionName, route.method, route.path, route.authorizationType]);

describe("the routes", () => {
  test("are those of the contract, the one of OpsWorks' own protocol, and the console's", () => {
    expect(names.toSorted()).toEqual([...OPERATIONS.map(({ name }) => name), "OpsWorks", CONSOLE].toSorted());
  });

  test("every operation has one, which IAM guards", () => {
    const ofOperations = names.filter((name) => name !== CONSOLE);
    expect(spelledRoutes(({ functionName }) => functionName !== CONSOLE)).toEqual(
      ofOperations.map((name) => [name, "POST", pathOf(name), "AWS_IAM"]),
    );
  });

  test("the console's alone are open", () => {
    expect(spelledRoutes(({ authorizationType }) => authorizationType !== "AWS_IAM")).toEqual([
      [CONSOLE, "GET", "/console", "NONE"],
      [CONSOLE, "ANY", "/console/{proxy+}", "NONE"],
    ]);
  });

  test("every file in functions/ is deployed, under its own name", () => {
    const files = readdirSync(new URL("../../functions/", import.meta.url)).map((file) =>
      basename(file, ".ts"),
    );
    const kebab = (name: string) => name.replace(/(?<!^)[A-Z]/g, "-$&").toLowerCase();
    const deployed = [
      ...new Set(served.map(({ handler }) => handler)),
      ...unrouted.map((name) => `functions/${kebab(name)}.handler`),
    ];
    expect(deployed.toSorted()).toEqual(files.map((file) => `functions/${file}.handler`).toSorted());
    for (const { functionName, handler } of served)
      expect(handler).toBe(`functions/${kebab(functionName)}.handler`);
  });

  test("reach each function by its alias `gateway`, which nobody else is given", () => {
    expect(new Set(served.map(({ alias }) => alias))).toEqual(new Set(["gateway"]));
    const permissions = Object.values(template.Resources).filter(
      ({ Type, Properties }) =>
        Type === "AWS::Lambda::Permission" && !JSON.stringify(Properties).includes("events.amazonaws.com"),
    );
    expect(permissions.map(({ Properties }) => Properties)).toEqual(
      names.map((functionName) =>
        expect.objectContaining({
          Principal: "apigateway.amazonaws.com",
          FunctionName: { Ref: `${functionName}GatewayAlias` },
        }),
      ),
    );
    expect(
      JSON.stringify(
        ["StackwardenUser", "StackwardenEnforcementPoint", "StackwardenInstance"].map(properties),
      ),
    ).not.toContain("GatewayAlias");
  });

  test("the policy for users allows each of them and nothing else, but what instances alone ask", () => {
    const [statement, ...others] = ManagedPolicy.parse(properties("StackwardenUser")).PolicyDocument
      .Statement;
    expect(others).toEqual([]);
    const forUsers = served.filter(
      ({ functionName }) => functionName !== "DescribeInstanceAccess" && functionName !== CONSOLE,
    );
    expect(statement?.Action).toEqual(["execute-api:Invoke"]);
    expect(statement?.Resource).toEqual(
      forUsers.map(({ method, path }) => ({
        "Fn::Sub": expect.stringMatching(`:\\$\\{HttpApi\\}/\\$default/${method}${path}$`),
      })),
    );
  });

  test("the policy for instances allows to ask who may log in, and nothing else", () => {
    const { Statement } = ManagedPolicy.parse(properties("StackwardenInstance")).PolicyDocument;
    expect(Statement.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [
        ["execute-api:Invoke"],
        { "Fn::Sub": expect.stringMatching(/\$default\/POST\/DescribeInstanceAccess$/) },
      ],
    ]);
  });

  test("the policy for enforcement points allows checks, over HTTP and directly, and nothing else", () => {
    const { Statement } = ManagedPolicy.parse(properties("StackwardenEnforcementPoint")).PolicyDocument;
    expect(Statement.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [
        ["execute-api:Invoke"],
        { "Fn::Sub": expect.stringMatching(/:\$\{HttpApi\}\/\$default\/POST\/access\/v1\/\*$/) },
      ],
      [
        ["lambda:InvokeFunction"],
        ["CheckAuthorizationLambdaFunction", "BatchCheckAuthorizationLambdaFunction"].map((id) => ({
          "Fn::GetAtt": [id, "Arn"],
        })),
      ],
    ]);
  });
});

describe("the roles", () => {
  test("every function has its own, and there is no other", () => {
    const used = [...names, ...unrouted].map((name) => lambda(name).Role["Fn::GetAtt"][0]);
    const all = Object.entries(template.Resources).filter(([, { Type }]) => Type === "AWS::IAM::Role");
    expect(all.map(([id]) => id).toSorted()).toEqual(used.toSorted());
    expect(new Set(names.map((name) => lambda(name).Role["Fn::GetAtt"][0])).size).toBe(names.length);
  });

  test.for(names)("%s may do this to the table and no more", (name) => {
    const onTable = statementsOf(name).filter(({ Action }) =>
      Action.some((action) => !/^(?:logs|iam):/.test(action)),
    );
    const spelled = onTable.map(({ Action, Resource, Condition }) => {
      const [, ...index] =
        /^\{"Fn::Sub":"\$\{Table\.Arn\}\/index\/(gsi\d)"\}$/.exec(JSON.stringify(Resource)) ?? [];
      if (index.length === 0) expect(Resource).toEqual({ "Fn::GetAtt": ["Table", "Arn"] });
      const keys = Condition?.["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] ?? ["any key"];
      return [Action.join("+").replaceAll("dynamodb:", ""), ...index, ...keys].join(" ");
    });
    expect(spelled).toEqual(mayDo[name]);
  });

  test.for([
    "CheckStackRoles",
    "CloneStack",
    CONSOLE,
    "CreateLayer",
    "CreateStack",
    "OpsWorks",
    "UpdateLayer",
    "UpdateStack",
  ])("%s may look into roles, and change nothing in IAM", (name) => {
    const onIam = statementsOf(name).filter(({ Action }) => Action[0]?.startsWith("iam:"));
    const here = ["role", "instance-profile", "policy"].map((type) => `\${AWS::AccountId}:${type}/*`);
    expect(onIam.map(({ Resource }) => Resource)).toEqual([
      [...here, "aws:policy/*"].map((which) => ({ "Fn::Sub": `arn:\${AWS::Partition}:iam::${which}` })),
    ]);
    expect(onIam.map(({ Action }) => Action)).toEqual([
      [
        "iam:GetInstanceProfile",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
      ],
    ]);
  });

  test("none has a wildcard in an action", () => {
    const actions = [...names, ...unrouted].flatMap(statementsOf).flatMap(({ Action }) => Action);
    expect(actions.filter((action) => action.includes("*"))).toEqual([]);
  });

  test("the housekeeper may delete grants and layers, and nobody may call it", () => {
    const own = statementsOf("FollowTable").filter(({ Action }) => Action.some((a) => /Item|Query/.test(a)));
    expect(own.map(({ Action }) => Action.join("+"))).toEqual([
      "dynamodb:Query",
      "dynamodb:Query+dynamodb:DeleteItem",
      "dynamodb:DeleteItem",
      "dynamodb:BatchGetItem",
    ]);
    const mapping = template.Resources["FollowTableEventSourceMappingDynamodbTable"]?.Properties;
    expect(mapping).toMatchObject({
      EventSourceArn: { "Fn::GetAtt": ["Table", "StreamArn"] },
      BisectBatchOnFunctionError: true,
    });
    const [source] = streamSources(template);
    const isSeen = (eventName: string, pk: string, sk: string) =>
      source?.filters.some((filter) =>
        matches(filter, { eventName, dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } } } }),
      );
    for (const kind of ["USER", "STACK", "CLONE"]) {
      expect(isSeen("REMOVE", "any", kind)).toBe(true);
      expect(isSeen("INSERT", "any", kind)).toBe(false);
    }
    expect(isSeen("INSERT", "EVENTS#STACK#x", "2026-01-01T00:00:00.000Z#x")).toBe(true);
    expect(isSeen("INSERT", "EVENTS#USER#x", "2026-01-01T00:00:00.000Z#x")).toBe(true);
    expect(isSeen("MODIFY", "EVENTS#USER#x", "2026-01-01T00:00:00.000Z#x")).toBe(false);
    expect(isSeen("INSERT", "USER#EVENTS#", "GRANT")).toBe(false);
  });

  test("events go to no bus unless a parameter names one, and to that alone", () => {
    expect(template.Parameters).toMatchObject({ EventBus: { Type: "String", Default: "" } });
    const environment = streamSources(template)[0]?.environment ?? {};
    expect(resolveEnvironment(template, environment, { Table: "here" })).toMatchObject({ EVENT_BUS: "" });
    expect(template.Resources["FollowTablePublishes"]).toEqual({
      Type: "AWS::IAM::Policy",
      Condition: "HasEventBus",
      Properties: {
        PolicyName: "publish-events",
        Roles: [{ Ref: lambda("FollowTable").Role["Fn::GetAtt"][0] }],
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Action: ["events:PutEvents"],
              Resource: {
                "Fn::Sub":
                  "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/${EventBus}",
              },
            },
          ],
        },
      },
    });
    const policies = Object.values(template.Resources).filter(({ Type }) => Type === "AWS::IAM::Policy");
    expect(policies).toHaveLength(1);
    const actions = [...names, ...unrouted].flatMap(statementsOf).flatMap(({ Action }) => Action);
    expect(actions.filter((action) => action.startsWith("events:"))).toEqual([]);
  });

  test("no more than two functions read the stream, which is all that a shard of it bears", () => {
    const mappings = Object.values(template.Resources).filter(
      ({ Type }) => Type === "AWS::Lambda::EventSourceMapping",
    );
    expect(mappings.length).toBeLessThanOrEqual(2);
    expect(streamSources(template)).toHaveLength(mappings.length);
  });

  test("the import may read users, roles and policies of IAM, and of other regions' tables the users", () => {
    const own = statementsOf("RunImport").filter(
      ({ Action }) => !/^(?:logs|dynamodb:.*Stream)/.test(Action[0] ?? ""),
    );
    const spelled = own.map(({ Action, Resource, Condition }) => [
      Action.join("+"),
      JSON.stringify(Resource).includes("SourceTables") ? "SourceTables" : "",
      ...(Condition?.["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] ?? []),
    ]);
    expect(spelled.map((words) => words.filter(Boolean).join(" "))).toEqual([
      "dynamodb:GetRecords+dynamodb:GetShardIterator+dynamodb:DescribeStream+dynamodb:ListStreams",
      "iam:GetAccountAuthorizationDetails",
      "iam:GetPolicy+iam:GetPolicyVersion",
      "dynamodb:BatchGetItem STACK#* USER#* POLICY#* PROFILE#* SSHNAME#* SYNC GROUPS",
      "dynamodb:Query USERS STACKS",
      "dynamodb:Query LAYERS#*",
      "dynamodb:ConditionCheckItem USER#*",
      "dynamodb:PutItem USER#* POLICY#* PROFILE#* SSHNAME#* EVENTS#* SYNC GROUPS",
      "dynamodb:DeleteItem SSHNAME#*",
      "dynamodb:BatchGetItem SourceTables USER#*",
      "dynamodb:Query SourceTables USERS",
    ]);
  });

  test("the import runs when a job is due, and not at its own notes of how far it is", () => {
    const sources = streamSources(template);
    expect(sources.map(({ functionName }) => functionName)).toEqual(["FollowTable", "RunImport"]);
    const isRun = (eventName: string, pk: string, Status: string) => {
      const record = {
        eventName,
        dynamodb: { Keys: { pk: { S: pk } }, NewImage: { Status: { S: Status } } },
      };
      return sources[1]?.filters.some((filter) => matches(filter, record));
    };
    expect([isRun("INSERT", "SYNC", "due"), isRun("MODIFY", "SYNC", "due")]).toEqual([true, true]);
    expect([isRun("MODIFY", "SYNC", "running"), isRun("MODIFY", "GROUPS", "due")]).toEqual([false, false]);
    expect(sources[1]).toMatchObject({ batchSize: 1, retries: 20, timeoutMs: 900_000 });
  });

  test("the clock starts an import of who is known every hour", () => {
    const [rule, ...others] = Object.values(template.Resources).filter(
      ({ Type }) => Type === "AWS::Events::Rule",
    );
    expect(others).toEqual([]);
    expect(rule?.Properties).toMatchObject({
      ScheduleExpression: "rate(1 hour)",
      State: "ENABLED",
      Targets: [{ Arn: { "Fn::GetAtt": ["ScheduledImportLambdaFunction", "Arn"] } }],
    });
  });

  test("none may update or delete an event", () => {
    for (const { Action, Condition } of [...names, ...unrouted].flatMap(statementsOf)) {
      expect(Action).not.toContain("dynamodb:BatchWriteItem");
      if (!Action.some((action) => /(?:Update|Delete)Item$/.test(action))) continue;
      const keys = Condition?.["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] ?? ["any key"];
      for (const key of keys)
        expect(key).toMatch(
          /^(?:STACK#|SETTINGS#|LAYERS#|LAYER#|INSTANCES#|INSTANCE#|EC2#|LOGINS#|USER#|SSHNAME#|SIGNIN#|SESSION#|UNIXIDS$)/,
        );
    }
  });
});

describe("the limits", () => {
  const properties = (name: string): unknown => template.Resources[name]?.Properties;

  test("of requests a second are parameters: one for every route, another for the checks", () => {
    const limit = (name: string) => ({
      ThrottlingRateLimit: { Ref: name },
      ThrottlingBurstLimit: { Ref: name },
    });
    expect(properties("HttpApiStage")).toMatchObject({
      DefaultRouteSettings: limit("RequestRate"),
      RouteSettings: {
        "POST /access/v1/evaluation": limit("CheckRate"),
        "POST /access/v1/evaluations": limit("CheckRate"),
      },
    });
    expect(template.Parameters).toMatchObject({
      RequestRate: { Type: "Number", MinValue: 1, Default: "200" },
      CheckRate: { Type: "Number", MinValue: 1, Default: "2000" },
    });
  });

  test("name routes that are there, and wait for them", () => {
    const { RouteSettings } = z
      .object({ RouteSettings: z.record(z.string(), z.unknown()) })
      .parse(properties("HttpApiStage"));
    const { DependsOn } = z
      .object({ DependsOn: z.array(z.string()) })
      .parse(template.Resources["HttpApiStage"]);
    const keyOf = (id: string) => z.object({ RouteKey: z.string() }).parse(properties(id)).RouteKey;
    expect(DependsOn.map(keyOf)).toEqual(Object.keys(RouteSettings));
  });

  test("of Lambda are kept for the check if told so, and nothing is by itself", () => {
    expect(properties("CheckAuthorizationLambdaFunction")).toMatchObject({
      ReservedConcurrentExecutions: {
        "Fn::If": ["ReservesChecks", { Ref: "ReservedChecks" }, { Ref: "AWS::NoValue" }],
      },
    });
    expect(template.Parameters).toMatchObject({ ReservedChecks: { Default: "0" } });
  });
});

describe("the table", () => {
  test("has the keys and the index of the design", () => {
    expect(tableDefinition(template, "here", { stream: true })).toEqual({
      TableName: "here",
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"].map((AttributeName) => ({
        AttributeName,
        AttributeType: "S",
      })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: "gsi1",
          KeySchema: [
            { AttributeName: "gsi1pk", KeyType: "HASH" },
            { AttributeName: "gsi1sk", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "ALL" },
        },
        {
          IndexName: "gsi2",
          KeySchema: [
            { AttributeName: "gsi2pk", KeyType: "HASH" },
            { AttributeName: "gsi2sk", KeyType: "RANGE" },
          ],
          Projection: { ProjectionType: "KEYS_ONLY" },
        },
      ],
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    });
  });

  test("expires items, can be restored to any moment, is encrypted and outlives its stack", () => {
    expect(template.Resources["Table"]).toMatchObject({
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        TimeToLiveSpecification: { AttributeName: "ExpiresAt", Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true },
      },
    });
  });
});

describe("the functions", () => {
  const timeoutOf = (name: string) => {
    if (name.endsWith("CheckAuthorization")) return 5;
    return name === "CloneStack" || name === "OpsWorks" ? 29 : 10;
  };

  test("run on nodejs24.x and arm64, log JSON, a check gives up first, and only a copy may take long", () => {
    for (const name of names) {
      expect(lambda(name)).toMatchObject({
        Runtime: "nodejs24.x",
        Architectures: ["arm64"],
        LoggingConfig: { LogFormat: "JSON" },
        Timeout: timeoutOf(name),
      });
      expect(properties(`${name}LogGroup`)).toMatchObject({ RetentionInDays: 30 });
    }
  });

  test("get the table and the parameters, which default to nobody and no", () => {
    for (const { functionName, environment } of served) {
      expect(resolveEnvironment(template, environment, { Table: "here" })).toEqual({
        TABLE_NAME: "here",
        ADMINISTRATORS: "",
        DIRECT_WRITES: "false",
        ...(["ImportUsers", CONSOLE].includes(functionName) ? { SOURCE_TABLES: "" } : {}),
      });
    }
  });

  test("get the administrators as one list", () => {
    const given = { Table: "here", Administrators: "arn:one,arn:two", DirectWrites: "true" };
    expect(resolveEnvironment(template, served[0]!.environment, given)).toMatchObject({
      ADMINISTRATORS: "arn:one,arn:two",
      DIRECT_WRITES: "true",
    });
  });

  test("only that of the function that publishes knows EventBridge", () => {
    const knowing = [...names, ...unrouted].filter((name) => {
      const [bundle] = Object.values(unzipSync(readFileSync(join(packageFolder, `${name}.zip`))));
      return Buffer.from(bundle!).includes("AWSEvents");
    });
    expect(knowing).toEqual(["FollowTable"]);
  });

  test.for([...names, ...unrouted])("%s starts from a bundle of one small file", (name) => {
    const files = new Map(Object.entries(unzipSync(readFileSync(join(packageFolder, `${name}.zip`)))));
    const file = `functions/${name.replace(/(?<!^)[A-Z]/g, "-$&").toLowerCase()}.cjs`;
    expect([...files.keys()]).toEqual([file]);
    // Two serve the operations of many others.
    const isOfMany = name === "OpsWorks" || name === CONSOLE;
    expect(files.get(file)!.length).toBeLessThan(isOfMany ? 1_000_000 : 800_000);

    const bundle = join(packageFolder, basename(file));
    writeFileSync(bundle, files.get(file)!);
    const env = { AWS_REGION: "us-east-1", TABLE_NAME: "here", ADMINISTRATORS: "", DIRECT_WRITES: "false" };
    const start = `process.stdout.write(typeof require(${JSON.stringify(bundle)}).handler)`;
    expect(execFileSync(process.execPath, ["-e", start], { env, encoding: "utf8" })).toBe("function");
  });
});

describe("an environment", () => {
  test("refuses an intrinsic that it does not know, by name", () => {
    expect(() => resolveEnvironment(template, { X: { "Fn::GetAtt": ["Table", "Arn"] } }, {})).toThrow(
      "Fn::GetAtt",
    );
  });

  test("refuses a reference that nothing is given for, by name", () => {
    expect(() => resolveEnvironment(template, { X: { Ref: "Table" } }, {})).toThrow("`Table`");
  });
});
