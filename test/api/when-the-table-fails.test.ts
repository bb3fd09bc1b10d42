import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { loadHandler } from "../../infra/local/local-stack.ts";
import type { Identity } from "../../infra/local/sigv4.ts";
import {
  databaseEndpoint,
  iamUser,
  openTestStack,
  policy,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

let stack: TestStack;
let stackId: string;
let way: Way;
let bob: Identity;
let manager: Identity;

/** The way from the functions to DynamoDB, which can be blocked. */
type Way = { readonly url: string; state: "open" | "hangs" | "hangs up"; close(): void };

beforeAll(async () => {
  process.env.TABLE_TIMEOUT_MS = "1200";
  way = await openWay(databaseEndpoint());
  stack = await openTestStack({ endpoint: way.url });
  stackId = await stack.addStack();
  await stack.importAccount({
    UserDetailList: [iamUser("bob"), iamUser("manager"), iamUser("auditor")],
  });
  await stack.grant(stackId, userArn("bob"), { Level: "deploy" });
  await stack.grant(stackId, userArn("manager"), { Level: "manage" });
  bob = stack.asUser("bob");
  manager = stack.asUser("manager");
});
afterAll(async () => {
  await stack.close();
  way.close();
});
afterEach(() => {
  way.state = "open";
  stack.obstruct();
  stack.faults.length = 0;
});

const check = () =>
  stack.post(bob, "/access/v1/evaluation", {
    subject: { type: "user", id: bob.userArn },
    action: { name: "opsworks:CreateDeployment" },
    resource: { type: "stack", id: stackId },
  });
const setPermission = () =>
  stack.post(manager, "/SetPermission", { StackId: stackId, IamUserArn: bob.userArn, Level: "manage" });
const describePermissions = () => stack.post(manager, "/DescribePermissions", { StackId: stackId });

test("a check is allowed while the table can be reached, so that what follows is no refusal anyway", async () => {
  expect(await check()).toMatchObject({ status: 200, body: { decision: true } });
});

describe("the way to the table", () => {
  test("that hangs is given up within the time that a check has, and is no allow", async () => {
    way.state = "hangs";
    const start = performance.now();
    const [allowed, set] = await Promise.all([check(), setPermission()]);
    expect(performance.now() - start).toBeLessThan(5000);
    for (const reply of [allowed, set]) {
      expect(reply).toMatchObject({
        status: 503,
        body: { __type: "ServiceUnavailableException", message: "the table cannot be reached, try again" },
      });
      expect(reply.body).not.toHaveProperty("decision");
    }
  });

  test("that hangs is given up before Lambda ends the function, however little time that has", async () => {
    const handler = await loadHandler({ handler: "functions/check-authorization.handler" });
    way.state = "hangs";
    const start = performance.now();
    const asked = handler(
      {
        caller: bob.userArn,
        input: {
          subject: { type: "user", id: bob.userArn },
          action: { name: "opsworks:CreateDeployment" },
          resource: { type: "stack", id: stackId },
        },
      },
      {
        invokedFunctionArn: "arn:aws:lambda:us-east-1:123456789012:function:any",
        getRemainingTimeInMillis: () => 900,
      },
    );
    await expect(asked).rejects.toMatchObject({ name: "ServiceUnavailableException" });
    expect(performance.now() - start).toBeLessThan(900);
  });

  test("that hangs up is no allow", async () => {
    way.state = "hangs up";
    expect((await check()).status).toBe(503);
    expect((await describePermissions()).status).toBe(503);
  });

  test("that is open again is used again", async () => {
    expect((await check()).status).toBe(200);
  });
});

describe("DynamoDB", () => {
  const failure = (name: string, code?: string) =>
    Object.assign(new Error(`${name} inside`), { name }, code === undefined ? {} : { code });

  test.for([
    ["ThrottlingException", 429, failure("ThrottlingException")],
    ["ThrottlingException", 429, failure("ProvisionedThroughputExceededException")],
    ["ThrottlingException", 429, failure("RequestLimitExceeded")],
    ["ServiceUnavailableException", 503, failure("InternalServerError")],
    ["ServiceUnavailableException", 503, failure("TimeoutError")],
    ["ServiceUnavailableException", 503, failure("ConnectionRefused", "ECONNREFUSED")],
    ["ServiceUnavailableException", 503, failure("NoNameServer", "EAI_AGAIN")],
    ["ConflictException", 409, failure("TransactionInProgressException")],
    ["InternalFailure", 500, failure("AccessDeniedException")],
    ["InternalFailure", 500, failure("ResourceNotFoundException")],
    ["InternalFailure", 500, failure("ValidationException")],
    ["InternalFailure", 500, failure("TypeError")],
  ] as const)("that fails makes a %s with the status %i: %s", async ([code, status, error]) => {
    stack.obstruct(() => Promise.reject(error));
    for (const ask of [check, setPermission, describePermissions]) {
      const reply = await ask();
      expect(reply).toMatchObject({ status, body: { __type: code } });
      expect(JSON.stringify(reply.body)).not.toContain("inside");
      expect(Object.keys(reply.body)).toEqual(["__type", "message"]);
    }
  });

  test("tells the caller nothing of an error that nobody foresaw", async () => {
    stack.obstruct(() => Promise.reject(new Error("secret: /var/task/index.js")));
    expect((await check()).body).toEqual({
      __type: "InternalFailure",
      message: "something went wrong on our side",
    });
  });

  test("that fails after the user was read, on the way to the policies, is no allow", async () => {
    await stack.importAccount({
      UserDetailList: [
        iamUser("auditor", {
          policies: { "not-read-yet": policy("Allow", "opsworks:StopStack", "*", { Sid: "NotReadYet" }) },
        }),
      ],
    });
    const auditor = stack.asUser("auditor");
    stack.obstruct(({ input }, pass) =>
      JSON.stringify(input).includes("POLICY#") ? Promise.reject(failure("TimeoutError")) : pass(),
    );
    const ask = () =>
      stack.post(auditor, "/access/v1/evaluation", {
        subject: { type: "user", id: auditor.userArn },
        action: { name: "opsworks:StopStack" },
        resource: { type: "stack", id: stackId },
      });
    expect((await ask()).status).toBe(503);
    stack.obstruct();
    expect((await ask()).body).toMatchObject({ decision: true });
  });

  test("that answers with an item that is none of ours is no allow", async () => {
    stack.obstruct(async (_request, pass) => {
      const output = await pass();
      for (const item of output.Responses[stack.tableName]) delete item.ProfileId;
      return output;
    });
    expect(await check()).toMatchObject({ status: 500, body: { __type: "InternalFailure" } });
  });

  test("that leaves a key unprocessed is asked again for that key alone", async () => {
    let times = 0;
    stack.sent.length = 0;
    stack.obstruct(async (_request, pass) => {
      const output = await pass();
      times += 1;
      if (times > 1) return output;
      const { [stack.tableName]: items } = output.Responses;
      const held = items.find(({ sk }: { sk: string }) => sk.startsWith("GRANT#"));
      return {
        Responses: { [stack.tableName]: items.filter((item: unknown) => item !== held) },
        UnprocessedKeys: {
          [stack.tableName]: { Keys: [{ pk: held.pk, sk: held.sk }], ConsistentRead: true },
        },
      };
    });
    expect((await check()).body.context.level).toBe("deploy");
    expect(stack.sent).toHaveLength(2);
  });
});

async function openWay(endpoint: string): Promise<Way> {
  const target = new URL(endpoint);
  const sockets = new Set<Socket>();
  const opened: Way = { url: "", state: "open", close: () => undefined };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    const onward = connect(Number(target.port), target.hostname);
    onward.on("error", () => socket.destroy());
    onward.pipe(socket);
    socket.on("close", () => onward.destroy());
    socket.on("data", (data) => {
      if (opened.state === "open") onward.write(data);
      if (opened.state === "hangs up") socket.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return Object.assign(opened, {
    url: `http://127.0.0.1:${address.port}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
}
