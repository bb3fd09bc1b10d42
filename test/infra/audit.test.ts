import { execFile } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import {
  iamUser,
  openTestStack,
  policy,
  REGION,
  stackRoles,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";
import { NEW_STACK } from "../setup/writing-requests.ts";

let stack: TestStack;
let StackId: string;
let auditor: Identity;
let between: string;

beforeAll(async () => {
  stack = await openTestStack();
  const all = policy("Allow", "stackwarden:*");
  await stack.importAccount({
    UserDetailList: [
      iamUser("auditor", { policies: { all } }),
      ...["bob", "carol"].map((name) => iamUser(name)),
    ],
    RoleDetailList: stackRoles(),
  });
  await stack.addGroups("ops");
  auditor = stack.asUser("auditor");
  const post = async (operation: string, input: object) => {
    const reply = await stack.post(stack.asRoot(), `/${operation}`, input);
    expect(reply.status).toBe(200);
    return reply.body;
  };
  StackId = (await post("CreateStack", NEW_STACK)).StackId;
  const set = (of: object) => post("SetPermission", { StackId, ...of });
  await set({ IamUserArn: userArn("bob"), Level: "manage", AllowSsh: true, Reason: "on call" });
  await new Promise((resolve) => setTimeout(resolve, 5));
  between = new Date().toISOString();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await set({ GroupName: "ops", Level: "manage", Reason: "the team\u202ereversed" });
  await set({ IamUserArn: userArn("bob"), Level: "show", Reason: "off call" });
  await set({ IamUserArn: userArn("carol"), Level: "deny" });
});
afterAll(() => stack.close());

/** As a shell runs it, with somebody's credentials. */
function audit(words: string[], as = auditor): Promise<{ code: number; out: string; err: string }> {
  const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = as;
  const env = {
    PATH: process.env.PATH,
    STACKWARDEN_URL: stack.url,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ["infra/audit.ts", ...words], { env }, (error, out, err) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, out, err });
    });
  });
}

describe("an auditor's question", () => {
  test("who can manage this stack, since when, by whom, why", async () => {
    const { code, out } = await audit(["who-can", "--stack", StackId, "--level", "manage"]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^group ops: manage since 2\S+Z, by arn:aws:iam::123456789012:root: the team\?reversed\n$/,
    );
  });

  test("who could, at a time", async () => {
    const { out } = await audit([
      "who-can",
      "--stack",
      StackId,
      "--level",
      "deploy",
      "--at",
      between,
      "--json",
    ]);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([{ IamUserArn: userArn("bob"), Level: "manage", Reason: "on call" }]);
  });

  test("what changed this week", async () => {
    const { out } = await audit(["changes", "--since", "7d", "--stack", StackId]);
    const lines = out.trim().split("\n");
    expect(lines).toHaveLength(5);
    expect(lines[0]).toMatch(
      /^\S+Z SetPermission by arn:aws:iam::123456789012:root, stack \S+, .*user\/carol \(.*iam_only.* -> .*deny/,
    );
    expect(lines.at(-1)).toContain(" CreateStack by ");
    const { out: since } = await audit(["changes", "--since", between, "--user", userArn("bob"), "--json"]);
    expect(JSON.parse(since)).toMatchObject({ Operation: "SetPermission", Reason: "off call" });
    const { out: all } = await audit(["changes", "--since", between, "--json"]);
    expect(all.trim().split("\n")).toHaveLength(3);
  });

  test("what had this user on that date", async () => {
    const { out } = await audit(["user", userArn("bob"), "--at", between]);
    expect(out).toMatch(new RegExp(`^stack ${StackId}: manage, SSH/RDP since \\S+, by \\S+: on call\n$`));
    const { out: before, err } = await audit(["user", userArn("bob"), "--at", "2020-01-01"]);
    expect([before, err]).toEqual(["", `${userArn("bob")} had nothing at 2020-01-01T00:00:00.000Z\n`]);
  });
});

describe("there is no answer", () => {
  test("for whom the service refuses, in its own words", async () => {
    const { code, err } = await audit(["user", userArn("bob")], stack.asUser("bob"));
    expect(code).toBe(2);
    expect(err).toMatch(
      /^audit: \S+ answered 403, User: .*bob is not authorized to perform: stackwarden:DescribePermissionsAt/,
    );
  });

  test.for([
    [["who-can", "--level", "manage"], "audit: on which stack? add `--stack <StackId>`"],
    [
      ["who-can", "--stack", "x"],
      "audit: which level? add `--level`, one of deny, iam_only, show, deploy, manage",
    ],
    [["changes"], "audit: since when? add `--since <time>`"],
    [
      ["changes", "--since", "once"],
      "audit: `--since` is a time, such as 2026-03-01T09:00:00Z, or how long ago: 7d",
    ],
    [["user"], "audit: ask `who-can`, `changes` or `user <IamUserArn>`; `--help` says how"],
    [["user", "x", "--url", "http://example.com"], "audit: `--url` is an address that begins with https://"],
  ] as const)("to %o", async ([words, message]) => {
    const { code, out, err } = await audit([...words]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });

  test("but --help says what may be asked", async () => {
    const { code, out } = await audit(["--help"]);
    expect(code).toBe(0);
    for (const word of ["who-can", "changes", "user <IamUserArn>", "--json"]) expect(out).toContain(word);
  });
});
