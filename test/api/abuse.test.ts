import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import {
  iamRole,
  iamUser,
  openTestStack,
  policy,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const NO_STACK = "00000000-0000-4000-8000-000000000000";
const MANAGER = userArn("manager");
const SECRET = "correct-horse-battery-staple";
/** What a terminal or a log reader would take for a new line, a command or an end. */
const HOSTILE = 'x\r\n{"level":"info","decision":"allowed"}\u001b[2K\u0000\u2028\u0085';

let stack: TestStack;
let webshop: string;
let nobody: Identity;
let manager: Identity;
let admin: Identity;

beforeAll(async () => {
  stack = await openTestStack();
  webshop = await stack.addStack("webshop");
  await stack.importAccount({
    UserDetailList: [
      ...["nobody", "manager"].map((name) => iamUser(name)),
      iamUser("admin", { policies: { all: policy("Allow", "opsworks:*") } }),
    ],
    RoleDetailList: [iamRole("dev")],
  });
  await stack.grant(webshop, MANAGER, { Level: "manage" });
  [nobody, manager, admin] = ["nobody", "manager", "admin"].map((name) => stack.asUser(name)) as [
    Identity,
    Identity,
    Identity,
  ];
});
afterAll(() => stack.close());

describe("the log", () => {
  let written: string[];
  beforeEach(() => {
    written = [];
    vi.stubEnv("LOG_LEVEL", "info");
    vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    });
    return () => {
      vi.restoreAllMocks();
      vi.unstubAllEnvs();
    };
  });

  /** Each request's line. */
  const lines = (): Wire[] =>
    written.map((chunk) => {
      // oxlint-disable-next-line no-control-regex -- that there are none is what is tested
      expect(chunk).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]+\n$/u);
      return JSON.parse(chunk);
    });

  test("has one line of JSON for each request, whatever is in it", async () => {
    const session = stack.asRole("dev", "i-am=an,admin@x");
    await stack.post(session, "/SetPermission", { StackId: webshop, IamUserArn: MANAGER, Level: HOSTILE });
    await stack.post(session, "/SetPermission", `{"StackId": "${HOSTILE}`);
    await stack.post(session, "/SetPermission", { [HOSTILE]: HOSTILE });
    await stack.post(session, "/DescribeStacks", { StackIds: [webshop] }, { "user-agent": "x\u009b2Ky" });
    expect(lines()).toHaveLength(4);
    expect(lines().map(({ level, operation }) => [level, operation])).toEqual([
      ["warn", "SetPermission"],
      ["warn", "SetPermission"],
      ["warn", "SetPermission"],
      ["warn", "DescribeStacks"],
    ]);
  });

  test("has who asked, for what, and what decided, allowed and refused alike", async () => {
    const body = { StackId: webshop, IamUserArn: MANAGER };
    await stack.post(manager, "/DescribePermissions", body);
    await stack.post(nobody, "/DescribePermissions", body);
    const about = { operation: "DescribePermissions", action: "opsworks:DescribePermissions" };
    expect(lines()).toMatchObject([
      { ...about, caller: MANAGER, level: "info", decision: "allowed", rule: "level-allow" },
      { ...about, level: "warn", decision: "implicitDeny", error: { name: "AccessDeniedException" } },
    ]);
  });

  test("has nothing of the input, which may hold secrets, whether it is taken or refused", async () => {
    const source = { Type: "git", Url: "https://git.example.com/x", Username: "bob", Password: SECRET };
    const body = { StackId: webshop, CustomCookbooksSource: source };
    expect((await stack.post(admin, "/UpdateStack", body)).status).toBe(200);
    await stack.post(nobody, "/UpdateStack", body);
    await stack.post(admin, "/UpdateStack", { ...body, Name: 7 });
    await stack.post(admin, "/UpdateStack", JSON.stringify(body).slice(0, -1));
    expect(lines()).toHaveLength(4);
    expect(written.join("")).not.toContain(SECRET);
  });
});

describe("a refusal", () => {
  /** What the functions asked DynamoDB for, without what tells one stack from another. */
  const asked = () => stack.sent.map(({ command, input }) => [command, JSON.stringify(input).length]);

  test("of a stack that is there takes the same work as of one that is not, and says the same", async () => {
    for (const [path, body] of [
      ["/DescribeStacks", (StackId: string) => ({ StackIds: [StackId] })],
      ["/SetPermission", (StackId: string) => ({ StackId, IamUserArn: MANAGER, Level: "show" })],
      ["/DeleteStack", (StackId: string) => ({ StackId })],
      ["/CreateLayer", (StackId: string) => ({ StackId, Type: "custom", Name: "a", Shortname: "a" })],
    ] as const) {
      await stack.post(nobody, path, body(webshop));
      const seen = [];
      for (const id of [webshop, NO_STACK]) {
        stack.sent.length = 0;
        const { status, body: answer } = await stack.post(nobody, path, body(id));
        seen.push({ status, message: answer.message.replaceAll(id, "<id>"), asked: asked() });
      }
      expect(seen[0], path).toEqual(seen[1]);
      expect(seen[0]?.status).toBe(403);
    }
  });

  test("writes nothing", async () => {
    stack.sent.length = 0;
    await stack.post(nobody, "/SetPermission", { StackId: webshop, IamUserArn: MANAGER, Level: "deny" });
    expect(stack.writes()).toEqual([]);
  });
});

describe("what is larger than anything meant", () => {
  test("is refused before it is read as JSON", async () => {
    const body = `{"StackId": "${"x".repeat(300_000)}"}`;
    const { status, body: answer } = await stack.post(admin, "/DescribePermissions", body);
    expect(status).toBe(400);
    expect(answer.message).toBe("the body is larger than 262144 characters");
  });

  test("is refused at once, however deep it goes", async () => {
    const body = `${"[".repeat(130_000)}${"]".repeat(130_000)}`;
    expect((await stack.post(admin, "/DescribePermissions", body)).status).toBe(400);
  });
});
