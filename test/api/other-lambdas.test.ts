import { Lambda } from "@aws-sdk/client-lambda";
import middy from "@middy/core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Client, createClient, StackwardenError } from "../../shared/contract/client.ts";
import { requirePermission } from "../../shared/contract/require-permission.ts";
import { type Behaviour, failing, invoking, startLambdaEndpoint } from "../setup/lambda-endpoint.ts";
import {
  ACCOUNT,
  iamUser,
  openTestStack,
  policy,
  REGION,
  roleArn,
  type TestStack,
  userArn,
  iamRole,
} from "../setup/test-stack.ts";

const BOB = userArn("bob");
const CAROL = userArn("carol");
const TOOL = roleArn("tool");

let stack: TestStack;
let endpoint: Awaited<ReturnType<typeof startLambdaEndpoint>>;
let client: Client;
let service: Behaviour;
let stackId: string;

beforeAll(async () => {
  stack = await openTestStack({ directWrites: true });
  stackId = await stack.addStack();
  await stack.importAccount({
    UserDetailList: [
      iamUser("bob"),
      iamUser("carol"),
      iamUser("here", { id: "AIDAHERE" }),
      iamUser("not-outside", {
        id: "AIDANOTOUTSIDE",
        policies: {
          inside: policy("Deny", "*", "*", {
            Condition: { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
          }),
        },
      }),
    ],
    RoleDetailList: [
      iamRole("tool", { policies: { ask: policy("Allow", "stackwarden:CheckAuthorization") } }),
    ],
  });
  await stack.grant(stackId, BOB, { Level: "deploy" });
  await stack.grant(stackId, CAROL, { Level: "manage" });
  service = invoking((name, payload) => stack.invoke(name.replace("stackwarden-test-", ""), payload));
  endpoint = await startLambdaEndpoint(service);
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const lambda = new Lambda({ endpoint: endpoint.url, region: REGION, credentials, maxAttempts: 1 });
  client = createClient({ lambda, functionPrefix: "stackwarden-test-", timeBudget: 1500 });
});
afterAll(async () => {
  endpoint.close();
  await stack.close();
});
beforeEach(() => void endpoint.behave(service));

/** A Lambda function of somebody else's, that deploys. */
const deploy = middy(async () => ({ statusCode: 200, body: "deployed" })).use({
  before: (request) =>
    requirePermission({
      client,
      action: "opsworks:CreateDeployment",
      stackId: (event) => event.pathParameters.stackId,
    }).before(request),
});
const request = (userArn: string | undefined) => ({
  pathParameters: { stackId },
  headers: { "x-user-arn": CAROL },
  requestContext: userArn === undefined ? {} : { authorizer: { iam: { userArn } } },
});
const run = (event: unknown) => deploy(event, {} as Parameters<typeof deploy>[1]);

describe("a function that requires a permission", () => {
  test("lets an allowed caller through", async () => {
    expect(await run(request(BOB))).toEqual({ statusCode: 200, body: "deployed" });
  });

  test("answers a denied caller 403, with the reason", async () => {
    await stack.grant(stackId, BOB, { Level: "show" });
    const refused = await run(request(BOB));
    await stack.grant(stackId, BOB, { Level: "deploy" });
    expect(refused).toMatchObject({ statusCode: 403 });
    expect(JSON.parse(refused.body)).toEqual({
      __type: "AccessDeniedException",
      message: `User: ${BOB} is not authorized to perform: opsworks:CreateDeployment (nothing allows it: the level \`deploy\` or a policy would)`,
    });
  });

  test.for([undefined, userArn("nobody"), `arn:aws:iam::${ACCOUNT}:root`])(
    "refuses %s as its caller, whatever a header says",
    async (caller) => {
      expect(await run(request(caller))).toMatchObject({ statusCode: 403 });
    },
  );

  test("refuses when the event has no stack", async () => {
    const { pathParameters: _none, ...event } = request(BOB);
    expect(await run(event)).toMatchObject({ statusCode: 400 });
    expect(await run({ ...event, pathParameters: {} })).toMatchObject({ statusCode: 400 });
  });

  test("says nothing of how it is set up to whom it cannot answer", async () => {
    endpoint.behave(failing(404, "ResourceNotFoundException"));
    const refused = await run(request(BOB));
    expect(refused.statusCode).toBe(503);
    expect(refused.body).not.toContain("ResourceNotFound");
  });
});

describe("what the gateway verified of a caller", () => {
  const verified = (name: string, userId: string, sourceIp: string) => ({
    ...request(undefined),
    requestContext: {
      http: { sourceIp, userAgent: "curl" },
      authorizer: { iam: { userArn: userArn(name), userId } },
    },
  });

  test("keeps out somebody who was made again under an old name", async () => {
    await stack.grant(stackId, userArn("here"), { Level: "deploy" });
    expect(await run(verified("here", "AIDAHERE", "192.0.2.1"))).toMatchObject({ statusCode: 200 });
    expect(await run(verified("here", "AIDASOMEBODYELSE", "192.0.2.1"))).toMatchObject({ statusCode: 403 });
  });

  test("decides the conditions of policies, as over HTTP", async () => {
    await stack.grant(stackId, userArn("not-outside"), { Level: "manage" });
    expect(await run(verified("not-outside", "AIDANOTOUTSIDE", "192.0.2.1"))).toMatchObject({
      statusCode: 200,
    });
    expect(await run(verified("not-outside", "AIDANOTOUTSIDE", "203.0.113.9"))).toMatchObject({
      statusCode: 403,
    });
  });
});

const MISBEHAVIOURS: Record<string, Behaviour> = {
  hangs: () => {},
  throttles: failing(429, "TooManyRequestsException"),
  "answers 500": failing(500, "ServiceException"),
  "cuts the connection": (_name, _payload, response) => void response.destroy(),
  "answers no JSON": (_name, _payload, response) => void response.end("decision: true"),
  "answers nothing": (_name, _payload, response) => void response.end(),
  "answers null": (_name, _payload, response) => void response.end("null"),
  "answers a decision that is no boolean": (_name, _payload, response) =>
    void response.end('{"decision": "true"}'),
  "answers a decision one level down": (_name, _payload, response) =>
    void response.end('{"body": {"decision": true}}'),
  "crashes with a yes in its payload": (_name, _payload, response) =>
    void response.writeHead(200, { "x-amz-function-error": "Unhandled" }).end('{"decision": true}'),
};

describe.each(Object.keys(MISBEHAVIOURS))("when the service %s", (name) => {
  beforeEach(() => void endpoint.behave(MISBEHAVIOURS[name] ?? service));

  test("nobody is let through, and it says so within its time", async () => {
    const startedAt = performance.now();
    expect(await run(request(BOB))).toMatchObject({ statusCode: 503 });
    expect(performance.now() - startedAt).toBeLessThan(4000);
  });
});

describe("the client", () => {
  test("checks for an enforcement point, with a context", async () => {
    const question = {
      user: BOB,
      action: "opsworks:CreateDeployment",
      stackId,
      context: { "aws:MultiFactorAuthPresent": true },
    };
    expect(await client.check(TOOL, question)).toEqual({
      decision: true,
      rule: "level-allow",
      reason: "the level `deploy` includes it",
      level: "deploy",
    });
    await expect(client.check(BOB, { ...question, user: CAROL })).rejects.toMatchObject({
      code: "AccessDeniedException",
    });
  });

  test("checks many at once, in their order", async () => {
    const answers = await client.checkAll(TOOL, [
      { user: BOB, action: "opsworks:CreateDeployment", stackId },
      { user: BOB, action: "opsworks:SetPermission", stackId },
      { user: "nonsense", action: "opsworks:SetPermission", stackId },
      { user: CAROL, action: "opsworks:CreateStack", accountId: ACCOUNT },
    ]);
    expect(answers.map(({ decision, error }) => error?.code ?? decision)).toEqual([
      true,
      false,
      "ValidationException",
      false,
    ]);
    expect(await client.checkAll(TOOL, [])).toEqual([]);
  });

  test("sets and describes permissions where the deployment lets it", async () => {
    await client.setPermission(CAROL, { StackId: stackId, IamUserArn: BOB, AllowSsh: true });
    expect(await client.describePermissions(CAROL, { stackId, user: BOB })).toEqual([
      { StackId: stackId, IamUserArn: BOB, Level: "deploy", AllowSsh: true, AllowSudo: false },
    ]);
    await expect(
      client.setPermission(BOB, { StackId: stackId, IamUserArn: CAROL, Level: "deny" }),
    ).rejects.toThrow(StackwardenError);
  });

  test("never does a write again whose outcome it does not know", async () => {
    let calls = 0;
    endpoint.behave(async (...all) => {
      calls += 1;
      if (calls > 1) return service(...all);
      await stack.invoke("SetPermission", all[1]);
      all[2].destroy();
    });
    const change = { StackId: stackId, IamUserArn: BOB, AllowSsh: false };
    await expect(client.setPermission(CAROL, change)).rejects.toMatchObject({
      code: "ServiceUnavailableException",
    });
    expect(calls).toBe(1);
  });

  test("tries again what may pass, within its time", async () => {
    let calls = 0;
    endpoint.behave((...all) =>
      (calls += 1) < 3 ? failing(429, "TooManyRequestsException")(...all) : service(...all),
    );
    expect(await client.check(BOB, { user: BOB, action: "opsworks:DescribeStacks", stackId })).toMatchObject({
      decision: true,
    });
    expect(calls).toBe(3);
  });
});
