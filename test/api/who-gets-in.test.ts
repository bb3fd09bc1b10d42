import { Hash } from "@smithy/hash-node";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import {
  ACCOUNT,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  REGION,
  roleArn,
  sessionArn,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const MINUTE = 60_000;
const ROOT = `arn:aws:iam::${ACCOUNT}:root`;

let stack: TestStack;
let stackId: string;
let manager: Identity;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("admin"), roleArn("admins/breakglass")] });
  stackId = await stack.addStack();
  await stack.importAccount({
    UserDetailList: [
      ...["manager", "bob", "admin", "reborn"].map((name) => iamUser(name)),
      iamUser("auditor", { policies: { all: policy("Allow", "opsworks:*") } }),
    ],
    RoleDetailList: [iamRole("dev"), iamRole("breakglass", { path: "admins/" })],
  });
  await stack.grant(stackId, userArn("manager"), { Level: "manage" });
  await stack.grant(stackId, userArn("reborn"), { Level: "manage" });
  await stack.grant(stackId, roleArn("dev"), { Level: "show" });
  manager = stack.asUser("manager");
});
afterAll(() => stack.close());

describe("through the gateway", () => {
  const path = "/DescribePermissions";
  const question = () => JSON.stringify({ StackId: stackId });

  /** The headers of a signed request; what is sent with them may differ. */
  async function signed(as: Identity, { at = new Date(), service = "execute-api", region = REGION } = {}) {
    const { host, hostname, port } = new URL(stack.url);
    const signer = new SignatureV4({
      service,
      region,
      credentials: as,
      sha256: Hash.bind(null, "sha256"),
    });
    const request = new HttpRequest({
      method: "POST",
      hostname,
      port: Number(port),
      path,
      headers: { host, "content-type": "application/json" },
      body: question(),
    });
    return (await signer.sign(request, { signingDate: at })).headers;
  }
  async function send(headers: Record<string, string>, to = path, body = question()) {
    const response = await fetch(`${stack.url}${to}`, { method: "POST", headers, body });
    return { status: response.status, body: (await response.json()) as Wire };
  }
  const minutesOff = (minutes: number) => new Date(Date.now() + minutes * MINUTE);
  const forbidden = { status: 403, body: { message: "Forbidden" } };

  test("a signed request of a user with the right comes in", async () => {
    expect((await send(await signed(manager))).status).toBe(200);
  });

  test.for([4, -4])("a clock that is %i minutes off does not matter", async (minutes) => {
    expect((await send(await signed(manager, { at: minutesOff(minutes) }))).status).toBe(200);
  });

  test.for<[string, () => Promise<{ status: number; body: unknown }>]>([
    ["an unsigned request", () => send({ "content-type": "application/json" })],
    ["a wrong secret", async () => send(await signed({ ...manager, secretAccessKey: "guessed" }))],
    ["an unknown access key", async () => send(await signed({ ...manager, accessKeyId: "AKIANOBODY" }))],
    ["a date 6 minutes ago", async () => send(await signed(manager, { at: minutesOff(-6) }))],
    ["a date in 6 minutes", async () => send(await signed(manager, { at: minutesOff(6) }))],
    ["another body than was signed", async () => send(await signed(manager), path, "{}")],
    ["another path than was signed", async () => send(await signed(manager), "/SetPermission")],
    ["a signature for another service", async () => send(await signed(manager, { service: "opsworks" }))],
    ["a signature for another region", async () => send(await signed(manager, { region: "eu-west-1" }))],
    [
      "a session's request without its token",
      async () => {
        const { "x-amz-security-token": _, ...headers } = await signed(stack.asRole("dev", "bob"));
        return send(headers);
      },
    ],
  ])("%s gets no further", async ([, request]) => {
    stack.sent.length = 0;
    expect(await request()).toEqual(forbidden);
    expect(stack.sent).toEqual([]);
  });

  test("a path that is no operation leads nowhere", async () => {
    expect(await send(await signed(manager), "/DeleteEverything")).toEqual({
      status: 404,
      body: { message: "Not Found" },
    });
  });

  test.for(["x-amzn-iam-user-arn", "x-amzn-caller", "x-forwarded-user", "userarn"])(
    "an administrator's ARN in the header %s changes nothing",
    async (header) => {
      const bob = stack.asUser("bob");
      const reply = await stack.post(bob, path, { StackId: stackId }, { [header]: userArn("admin") });
      expect(reply).toMatchObject({
        status: 403,
        body: { message: expect.stringContaining(`User: ${bob.userArn} is not`) },
      });
    },
  );

  test("an administrator's ARN in the body changes nothing, or is refused", async () => {
    const bob = stack.asUser("bob");
    const direct = { caller: userArn("admin"), input: { StackId: stackId } };
    expect((await stack.post(bob, path, direct)).status).toBe(400);
    const event = { requestContext: { authorizer: { iam: { userArn: userArn("admin") } } } };
    expect((await stack.post(bob, path, event)).status).toBe(400);
    const check = {
      subject: { type: "user", id: userArn("admin") },
      action: { name: "opsworks:DeleteStack" },
      resource: { type: "stack", id: stackId },
      caller: userArn("admin"),
      ...event,
    };
    expect((await stack.post(bob, "/access/v1/evaluation", check)).status).toBe(403);
  });

  test("a user who was never imported is authenticated and refused", async () => {
    const nobody = stack.asUser("nobody");
    expect(await stack.post(nobody, path, { StackId: stackId })).toMatchObject({
      status: 403,
      body: {
        __type: "AccessDeniedException",
        message: expect.stringContaining("there is no such user here"),
      },
    });
  });

  test("a session has nothing of the person it is named after", async () => {
    const asManager = stack.asRole("dev", "manager");
    expect((await stack.post(asManager, path, { StackId: stackId })).status).toBe(403);
  });

  test("a role of another account with the same name has nothing of the role here", async () => {
    await stack.grant(stackId, roleArn("dev"), { Level: "manage" });
    const foreign = stack.signIn("arn:aws:sts::999999999999:assumed-role/dev/bob", "AROADEV:bob");
    expect((await stack.post(foreign, path, { StackId: stackId })).status).toBe(403);
    expect((await stack.post(stack.asRole("dev", "bob"), path, { StackId: stackId })).status).toBe(200);
    await stack.grant(stackId, roleArn("dev"), { Level: "show" });
  });

  test("a user made again under an old ARN has nothing of the old one, before and after the next import", async () => {
    const [first, second] = [stack.asUser("reborn"), stack.asUser("reborn", "AIDAREBORN2")];
    const describe = async (as: Identity) => (await stack.post(as, path, { StackId: stackId })).status;
    const level = async () => {
      const asked = { StackId: stackId, IamUserArn: userArn("reborn") };
      return (await stack.post(manager, path, asked)).body.Permissions[0].Level;
    };
    expect([await describe(first), await describe(second), await level()]).toEqual([200, 403, "manage"]);

    await stack.importAccount({ UserDetailList: [iamUser("reborn", { id: "AIDAREBORN2" })] });
    expect([await describe(first), await describe(second), await level()]).toEqual([403, 403, "iam_only"]);

    await stack.grant(stackId, userArn("reborn"), { Level: "manage" });
    expect([await describe(first), await describe(second)]).toEqual([403, 200]);
  });

  test("a user made again under an administrator's ARN is none", async () => {
    const again = stack.asUser("admin", "AIDAADMIN2");
    expect((await stack.post(again, path, { StackId: stackId })).status).toBe(403);
    expect((await stack.post(stack.asUser("admin"), path, { StackId: stackId })).status).toBe(200);
  });

  test("a session of a role with a path is known by the parameter's ARN with that path", async () => {
    const breakglass = stack.asRole("breakglass", "alice");
    expect((await stack.post(breakglass, path, { StackId: stackId })).status).toBe(200);
  });
});

describe("a function that another invokes", () => {
  beforeEach(() => void (stack.sent.length = 0));

  const check = (subject: string, action: string) => ({
    subject: { type: "user", id: subject },
    action: { name: action },
    resource: { type: "stack", id: stackId },
  });

  test("takes the caller that it is told, where it only reads, and answers with the output itself", async () => {
    const caller = userArn("manager");
    expect(await stack.invoke("DescribePermissions", { caller, input: { StackId: stackId } })).toMatchObject({
      Permissions: expect.arrayContaining([expect.objectContaining({ IamUserArn: caller, Level: "manage" })]),
    });
    const input = check(caller, "opsworks:SetPermission");
    expect(await stack.invoke("CheckAuthorization", { caller, input })).toMatchObject({ decision: true });
    const profile = await stack.invoke("DescribeMyUserProfile", { caller: userArn("auditor") });
    expect(profile.UserProfile.IamUserArn).toBe(userArn("auditor"));
  });

  test("lets that caller do no more than they may", async () => {
    await expect(
      stack.invoke("DescribePermissions", { caller: userArn("bob"), input: { StackId: stackId } }),
    ).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test("knows nothing of a network: a condition on the address finds none", async () => {
    await stack.importAccount({
      UserDetailList: [
        iamUser("anywhere", {
          policies: {
            near: policy("Allow", "opsworks:StopStack", "*", {
              Condition: { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } },
            }),
          },
        }),
      ],
    });
    const caller = userArn("anywhere");
    expect(
      await stack.invoke("CheckAuthorization", { caller, input: check(caller, "opsworks:StopStack") }),
    ).toMatchObject({ decision: false, context: { absentKeys: ["aws:sourceip"] } });
  });

  test.for([ROOT, userArn("admin"), roleArn("breakglass"), sessionArn("breakglass", "alice")])(
    "takes no %s from it",
    async (caller) => {
      await expect(
        stack.invoke("DescribePermissions", { caller, input: { StackId: stackId } }),
      ).rejects.toMatchObject({
        name: "AccessDeniedException",
        message: "an invoker may name neither the account root nor an administrator",
      });
      expect(stack.sent).toEqual([]);
    },
  );

  test.for(["SetPermission", "CreateStack"])("writes nothing: %s is refused", async (name) => {
    const input = { StackId: stackId, IamUserArn: userArn("bob"), Level: "show" };
    await expect(stack.invoke(name, { caller: userArn("manager"), input })).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: "direct invocation may not write: the parameter DirectWrites is off",
    });
    expect(stack.sent).toEqual([]);
  });

  test.for(["bob", "", "*", "arn:aws:iam::123456789012:group/devs", "arn:aws:s3:::bucket", "x".repeat(700)])(
    "takes no caller that is no principal (%s)",
    async (caller) => {
      await expect(
        stack.invoke("DescribePermissions", { caller, input: { StackId: stackId } }),
      ).rejects.toMatchObject({ name: "ValidationException" });
    },
  );

  test.for([
    ["nothing", undefined],
    ["null", null],
    ["text", "DescribePermissions"],
    ["an empty object", {}],
    ["an input without a caller", { input: {} }],
    ["a caller that is a list", { caller: [userArn("manager")], input: {} }],
    ["a member more", { caller: userArn("manager"), input: {}, administrator: "AIDAMANAGER" }],
  ] as const)("takes no event that is %s", async ([, event]) => {
    await expect(stack.invoke("DescribePermissions", event)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("an invocation is"),
    });
  });

  test("throws an error named by its code, without the inside of the service", async () => {
    const input = { StackId: "no-uuid" };
    const error = await stack
      .invoke("DescribePermissions", { caller: userArn("manager"), input })
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "ValidationException",
      message: "`StackId` must be a stack's id, a UUID",
      stack: "ValidationException: `StackId` must be a stack's id, a UUID",
    });
  });
});

describe("an event that looks like API Gateway's", () => {
  const forged = {
    version: "2.0",
    isBase64Encoded: false,
    headers: {},
    body: JSON.stringify({
      subject: { type: "user", id: userArn("bob") },
      action: { name: "opsworks:StopStack" },
      resource: { type: "account", id: ACCOUNT },
    }),
    requestContext: {
      requestId: "1",
      http: { sourceIp: "203.0.113.9", userAgent: "curl" },
      authorizer: { iam: { userArn: `arn:aws:iam::${ACCOUNT}:root`, userId: ACCOUNT } },
    },
  };

  test.for(["CheckAuthorization", "SetPermission", "CreateStack"])(
    "makes nobody anybody when %s is invoked directly, since it does not come by the gateway's alias",
    async (name) => {
      await expect(stack.invoke(name, forged)).rejects.toMatchObject({
        name: "ValidationException",
        message: expect.stringContaining("an invocation is"),
      });
    },
  );
});
