import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type IamEndpoint, startIamEndpoint } from "../../infra/local/iam-endpoint.ts";
import { matches } from "../../infra/local/streams.ts";
import { iamUser, openTestStack, type TestStack, userArn, type Wire } from "../setup/test-stack.ts";

let stack: TestStack;
let iam: IamEndpoint;

beforeAll(async () => {
  iam = await startIamEndpoint({ UserDetailList: [iamUser("admin"), iamUser("bob"), iamUser("carol")] });
  process.env.AWS_ENDPOINT_URL_IAM = iam.url;
  stack = await openTestStack({ administrators: [userArn("admin")], streams: true });
  await stack.importAccount({ UserDetailList: [iamUser("admin")] });
});
afterAll(async () => {
  await stack.close();
  await iam.close();
});

async function finished(): Promise<Wire> {
  for (;;) {
    const { body } = await stack.post(stack.asUser("admin"), "/DescribeImport", {});
    if (body.Status !== "running") return body;
    await sleep(100);
  }
}

test("the table's stream runs a job that is asked for", async () => {
  await stack.post(stack.asUser("admin"), "/ImportUsers", {});
  expect(await finished()).toMatchObject({ Status: "succeeded", Added: 2, Unchanged: 1 });
});

test("and runs it again when the function fails", async () => {
  let failures = 0;
  stack.obstruct((_request, pass) => {
    if (iam.calls.length % 2 === 1 && failures < 2) {
      failures += 1;
      throw new Error("the function is gone");
    }
    return pass();
  });
  await stack.post(stack.asUser("admin"), "/ImportUsers", {});
  const report = await finished();
  stack.obstruct();
  expect([report.Status, report.Unchanged, failures]).toEqual(["succeeded", 3, 2]);
});

test("the stream sweeps the grants of a user who is deleted", async () => {
  const stackId = await stack.addStack();
  await stack.grant(stackId, userArn("bob"), { Level: "deploy" });
  await stack.post(stack.asUser("admin"), "/DeleteUserProfile", { IamUserArn: userArn("bob") });
  while ((await stack.countGrantsOf(userArn("bob"))) > 0) await sleep(100);
});

test.for([
  [{ a: ["x", "y"] }, { a: "y", b: 1 }, true],
  [{ a: ["x"] }, { a: "y" }, false],
  [{ a: { b: [true] } }, { a: { b: true } }, true],
  [{ a: { b: ["x"] } }, { a: "x" }, false],
  [{ a: ["x"] }, {}, false],
  [{ a: [{ prefix: "x#" }] }, { a: "x#y" }, true],
  [{ a: [{ prefix: "x#" }] }, { a: "y#x#" }, false],
  [{ a: [{ prefix: "x#" }] }, { a: 1 }, false],
] as const)("a filter pattern names the values that will do: %j, %j", ([pattern, record, is]) => {
  expect(matches(pattern, record)).toBe(is);
});
