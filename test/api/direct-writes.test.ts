import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ACCOUNT, iamUser, openTestStack, type TestStack, userArn } from "../setup/test-stack.ts";

let stack: TestStack;
let stackId: string;

beforeAll(async () => {
  stack = await openTestStack({ directWrites: true, administrators: [userArn("admin")] });
  stackId = await stack.addStack();
  await stack.importAccount({
    UserDetailList: ["manager", "bob", "admin"].map((name) => iamUser(name)),
  });
  await stack.grant(stackId, userArn("manager"), { Level: "manage" });
});
afterAll(() => stack.close());
beforeEach(() => void (stack.sent.length = 0));

const set = (caller: string, name: string) =>
  stack.invoke("SetPermission", {
    caller,
    input: { StackId: stackId, IamUserArn: userArn(name), Level: "show" },
  });

test("with DirectWrites on, an invoker names the caller, who is in the trail; no address is", async () => {
  expect(await set(userArn("manager"), "bob")).toEqual({});
  const [event, ...others] = await stack.eventsOfStack(stackId);
  expect(others).toEqual([]);
  expect(event).toMatchObject({ Caller: userArn("manager"), After: { Level: "show" } });
  expect(event).not.toHaveProperty("SourceIp");
});

test("the caller still needs the right", async () => {
  await expect(set(userArn("bob"), "manager")).rejects.toMatchObject({ name: "AccessDeniedException" });
  expect(stack.writes()).toEqual([]);
});

test("nobody changes their own level this way either", async () => {
  await expect(set(userArn("manager"), "manager")).rejects.toMatchObject({
    name: "ValidationException",
    message: "Unable to change own permission level. Only AllowSsh and AllowSudo allowed.",
  });
});

test.for([userArn("admin"), `arn:aws:iam::${ACCOUNT}:root`])("%s is still no caller", async (caller) => {
  await expect(set(caller, "bob")).rejects.toMatchObject({ name: "AccessDeniedException" });
  expect(stack.sent).toEqual([]);
});
