import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import {
  ACCOUNT,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

let stack: TestStack;
let shop: string;
let bank: string;
let tool: Identity;
let bob: Identity;

beforeAll(async () => {
  stack = await openTestStack();
  [shop, bank] = [await stack.addStack("shop"), await stack.addStack("bank")];
  await stack.importAccount({
    UserDetailList: [
      iamUser("bob"),
      iamUser("carol", { policies: { "no-layers": policy("Deny", "opsworks:CreateLayer") } }),
      ...Array.from({ length: 100 }, (_, index) => iamUser(`user${index}`)),
    ],
    RoleDetailList: [
      iamRole("tool", { policies: { ask: policy("Allow", "stackwarden:CheckAuthorization") } }),
    ],
  });
  await stack.grant(shop, userArn("bob"), { Level: "deploy" });
  await stack.grant(shop, userArn("carol"), { Level: "manage" });
  tool = stack.asRole("tool", "run");
  bob = stack.asUser("bob");
});
afterAll(() => stack.close());

const subject = (name: string) => ({ type: "user", id: userArn(name) });
const action = (name: string) => ({ name: `opsworks:${name}` });
const on = (id: string) => ({ type: "stack", id });
const ask = (body: object, as = tool) => stack.post(as, "/access/v1/evaluations", body);
const decisions = ({ body }: { body: { evaluations: { decision: boolean }[] } }) =>
  body.evaluations.map(({ decision }) => decision);

describe("a batch", () => {
  test("takes what an evaluation leaves out from the top, and what it has from itself", async () => {
    const answer = await ask({
      subject: subject("bob"),
      resource: on(shop),
      evaluations: [
        { action: action("CreateDeployment") },
        { action: action("CreateLayer") },
        { action: action("CreateLayer"), subject: subject("carol") },
        { action: action("SetPermission"), subject: subject("carol") },
        { action: action("CreateDeployment"), resource: on(bank) },
      ],
    });
    expect(answer.status).toBe(200);
    expect(decisions(answer)).toEqual([true, false, false, true, false]);
    expect(answer.body.evaluations[2].context).toMatchObject({ rule: "policy-deny" });
  });

  test("answers one that cannot be answered with no, and its error inside", async () => {
    const nowhere = "00000000-0000-4000-8000-000000000000";
    const answer = await ask({
      subject: subject("bob"),
      action: action("CreateDeployment"),
      evaluations: [
        { resource: on(shop) },
        { resource: on("nonsense") },
        { resource: on(nowhere) },
        {},
        { resource: on(shop), context: { "aws:userid": "me" } },
      ],
    });
    expect(answer.status).toBe(200);
    expect(decisions(answer)).toEqual([true, false, false, false, false]);
    expect(answer.body.evaluations.map((one: Wire) => one.context.error)).toEqual([
      undefined,
      { status: 400, code: "ValidationException", message: "`resource.id` must be a stack's id, a UUID" },
      { status: 404, code: "ResourceNotFoundException", message: `Unable to find stack with ID ${nowhere}` },
      { status: 400, code: "ValidationException", message: "`resource` is required" },
      expect.objectContaining({ status: 400, message: expect.stringContaining("aws:userid") }),
    ]);
  });

  test("about others, by somebody who is no enforcement point, is refused one by one", async () => {
    const evaluations = [{ subject: subject("bob") }, { subject: subject("carol") }];
    const answer = await ask({ action: action("DescribeStacks"), resource: on(shop), evaluations }, bob);
    expect(decisions(answer)).toEqual([true, false]);
    expect(answer.body.evaluations[1].context.error).toMatchObject({
      status: 403,
      code: "AccessDeniedException",
    });
  });

  const mixed = () => ({
    subject: subject("bob"),
    resource: on(shop),
    evaluations: ["CreateDeployment", "CreateLayer", "UpdateApp", "DeleteLayer"].map((name) => ({
      action: action(name),
    })),
  });
  test.for([
    ["execute_all", [true, false, true, false]],
    ["deny_on_first_deny", [true, false]],
    ["permit_on_first_permit", [true]],
  ] as const)("stops as `%s` says", async ([semantic, expected]) => {
    expect(decisions(await ask({ ...mixed(), options: { evaluations_semantic: semantic } }))).toEqual(
      expected,
    );
  });

  test("executes all unless told", async () => {
    expect(decisions(await ask(mixed()))).toEqual([true, false, true, false]);
  });

  test("takes no other semantic", async () => {
    expect(await ask({ ...mixed(), options: { evaluations_semantic: "some" } })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining("options.evaluations_semantic") },
    });
  });

  test.for([{}, { evaluations: [] }])(
    "without evaluations is a single question (%o)",
    async (evaluations) => {
      const single = {
        subject: subject("bob"),
        action: action("CreateDeployment"),
        resource: on(shop),
        ...evaluations,
      };
      expect((await ask(single)).body).toMatchObject({ decision: true, context: { rule: "level-allow" } });
      expect(await ask({ ...single, resource: on("nonsense") })).toMatchObject({ status: 400 });
    },
  );

  test("of more than a hundred is refused", async () => {
    const evaluations = Array.from({ length: 101 }, () => ({}));
    expect(await ask({ ...mixed(), evaluations })).toMatchObject({
      status: 400,
      body: { message: "`evaluations` has more than 100 evaluations" },
    });
  });

  test("is still one BatchGetItem per hundred keys", async () => {
    const evaluations = Array.from({ length: 100 }, (_, index) => ({ subject: subject(`user${index}`) }));
    const question = { action: action("DescribeStacks"), resource: on(shop), evaluations };
    await ask(question);
    stack.sent.length = 0;
    const answer = await ask(question);
    expect(decisions(answer)).toEqual(Array.from({ length: 100 }, () => false));
    const keysSent = stack.sent.map(({ input }) => input.RequestItems[stack.tableName].Keys.length);
    // The stack, the tool and its grant, and a user and a grant for each of a hundred.
    expect(keysSent).toEqual([100, 100, 3]);
  });

  test("about the account answers for actions that have no stack", async () => {
    const question = { subject: subject("carol"), resource: { type: "account", id: ACCOUNT } };
    expect(decisions(await ask({ ...question, evaluations: [{ action: action("CreateStack") }] }))).toEqual([
      false,
    ]);
  });
});
