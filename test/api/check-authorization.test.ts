import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { iamRole, iamUser, openTestStack, policy, type TestStack, userArn } from "../setup/test-stack.ts";

let stack: TestStack;
let stackId: string;
let bob: Identity;
let tool: Identity;

beforeAll(async () => {
  stack = await openTestStack();
  stackId = await stack.addStack("webshop", { team: "shop" });
  await stack.importAccount({
    UserDetailList: [
      iamUser("bob"),
      iamUser("carol", { policies: { "no-layers": policy("Deny", "opsworks:CreateLayer") } }),
    ],
    RoleDetailList: [
      iamRole("tool", { policies: { ask: policy("Allow", "stackwarden:CheckAuthorization") } }),
    ],
  });
  await stack.grant(stackId, userArn("bob"), { Level: "deploy" });
  await stack.grant(stackId, userArn("carol"), { Level: "manage" });
  bob = stack.signIn(userArn("bob"), "AIDABOB");
  tool = stack.signIn("arn:aws:sts::123456789012:assumed-role/tool/run-1", "AROATOOL:run-1");
});
afterAll(() => stack.close());

const ask = (as: Identity, id: string, name: string, more: object = {}) =>
  stack.post(as, "/access/v1/evaluation", {
    subject: { type: "user", id },
    action: { name },
    resource: { type: "stack", id: stackId },
    ...more,
  });

describe("a user who asks about themselves", () => {
  test("is told what the level allows, and why", async () => {
    const { status, body } = await ask(bob, userArn("bob"), "opsworks:CreateDeployment");
    expect(status).toBe(200);
    expect(body).toEqual({
      decision: true,
      context: {
        decision: "allowed",
        rule: "level-allow",
        level: "deploy",
        reason: "the level `deploy` includes it",
      },
    });
  });
});

describe("a check", () => {
  beforeEach(async () => {
    await ask(tool, userArn("carol"), "opsworks:CreateLayer");
    stack.sent.length = 0;
  });

  test("is exactly one strongly consistent BatchGetItem, once the documents are cached", async () => {
    const { body } = await ask(tool, userArn("carol"), "opsworks:CreateLayer");
    expect(body.context.rule).toBe("policy-deny");
    expect(stack.sent.map(({ command }) => command)).toEqual(["BatchGetItemCommand"]);
    const [[, request]] = Object.entries<any>(stack.sent[0]?.input.RequestItems) as [[string, any]];
    expect(request.ConsistentRead).toBe(true);
    expect(request.Keys).toHaveLength(5);
  });
});
