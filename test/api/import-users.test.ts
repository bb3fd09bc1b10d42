import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { IAMClient } from "@aws-sdk/client-iam";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type IamEndpoint, startIamEndpoint, THROTTLED } from "../../infra/local/iam-endpoint.ts";
import { readTemplate, type Template } from "../../infra/local/template.ts";
import { IamReader } from "../../shared/account/iam-reader.ts";
import { startImport } from "../../shared/account/start-import.ts";
import { hashOf } from "../../shared/model/policy-hash.ts";
import { readGroups } from "../../shared/table/groups.ts";
import { keys } from "../../shared/table/keys.ts";
import type { Table } from "../../shared/table/table.ts";
import { dump, importWith, newTable, reportOf, runDue, seamOf, syncOf } from "../setup/import-job.ts";
import {
  iamRole,
  iamUser,
  openTestStack,
  policy,
  roleArn,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const policyArn = (name: string) => `arn:aws:iam::123456789012:policy/${name}`;
const attached = (...names: string[]) => ({
  AttachedManagedPolicies: names.map((name) => ({ PolicyName: name, PolicyArn: policyArn(name) })),
});
const managed = (name: string, document: unknown, rest: object = {}) => ({
  Arn: policyArn(name),
  PolicyName: name,
  DefaultVersionId: "v1",
  PolicyVersionList: [{ VersionId: "v1", Document: document, IsDefaultVersion: true }],
  ...rest,
});
/** Attached after the list of policies was read. */
const late = { AttachmentCount: 0, PermissionsBoundaryUsageCount: 0 };

/** A little of everything: what is attached late, what cannot be read, what is shared. */
const accountOf = () => ({
  UserDetailList: [
    iamUser("alice", { policies: { own: policy("Allow", ["opsworks:*", "stackwarden:*"]) } }),
    iamUser("bob", { GroupList: ["developers"], Tags: [{ Key: "team", Value: "a&b <c>" }] }),
    iamUser("carol", { GroupList: ["developers", "operators"], ...attached("shared") }),
    iamUser("dave", {
      ...attached("late"),
      PermissionsBoundary: { PermissionsBoundaryArn: policyArn("cap") },
    }),
    iamUser("erin", { ...attached("nowhere") }),
  ],
  RoleDetailList: [
    iamRole("pipeline", { path: "teams/", ...attached("shared") }),
    iamRole("instance", { trusts: "ec2.amazonaws.com" }),
    iamRole("broken", { policies: { bad: policy("allow" as "Allow", "*") } }),
  ],
  GroupDetailList: [
    {
      GroupName: "developers",
      GroupPolicyList: [{ PolicyName: "see", PolicyDocument: policy("Allow", "opsworks:Describe*") }],
      ...attached("shared"),
    },
    { GroupName: "operators", ...attached("late-for-groups") },
    { GroupName: "empty" },
  ],
  Policies: [
    managed("shared", policy("Deny", "opsworks:DeleteStack")),
    managed("cap", policy("Allow", "opsworks:*")),
    managed("late", policy("Allow", "opsworks:StopStack"), late),
    managed("late-for-groups", policy("Allow", "opsworks:StartStack"), late),
  ],
});
type Account = ReturnType<typeof accountOf>;

let template: Template;
let stack: TestStack;
let iam: IamEndpoint;

beforeAll(async () => {
  template = await readTemplate(inject("packageFolder"));
  iam = await startIamEndpoint(accountOf());
  process.env.AWS_ENDPOINT_URL_IAM = iam.url;
  stack = await openTestStack({ administrators: [userArn("admin")] });
  await stack.importAccount({ UserDetailList: [iamUser("admin"), iamUser("nobody")] });
});
afterAll(async () => {
  await stack.close();
  await iam.close();
});
beforeEach(() => serve(accountOf()));

function serve(account: object, pageSize = 100): void {
  Object.assign(iam, { account, pageSize, before: () => undefined });
  iam.calls.length = 0;
}

const admin = () => stack.asRoot();
const seam = () => seamOf(stack.ownTable, iam.url);
const user = (name: string) => stack.read(keys.user(userArn(name)));

/** Asked for over HTTP, run as the stream would, and described over HTTP. */
async function importOverHttp(input: object = {}): Promise<Wire> {
  const started = await stack.post(admin(), "/ImportUsers", input);
  expect(started).toMatchObject({ status: 200, body: { ImportId: expect.any(String) } });
  await runDue(seam());
  const { body } = await stack.post(admin(), "/DescribeImport", {});
  expect(body.ImportId).toBe(started.body.ImportId);
  return body;
}

describe("an import", () => {
  test("is none at first, and DescribeImport says so", async () => {
    const reply = await stack.post(admin(), "/DescribeImport", {});
    expect(reply).toMatchObject({ status: 404, body: { __type: "ResourceNotFoundException" } });
  });

  test("writes users, roles and what applies to them, and reports what it did", async () => {
    serve(accountOf(), 2);
    const report = await importOverHttp();
    expect(report).toMatchObject({
      Status: "succeeded",
      Caller: admin().userArn,
      Source: "iam",
      Progress: { Done: 8, Of: 8 },
      Added: 8,
      Changed: 0,
      Unchanged: 0,
      Vanished: 2,
      VanishedUsers: [userArn("admin"), userArn("nobody")],
      Unreadable: 2,
    });
    expect(report.NotUnderstood).toEqual([
      `${userArn("erin")}: policy \`${policyArn("nowhere")}\`: it was deleted while the account was read`,
      expect.stringContaining(`${roleArn("broken")}: policy \`bad\`: $.Statement[0].Effect`),
    ]);
    expect(report.FinishedAt >= report.StartedAt).toBe(true);
    expect(report.WriteUnits).toBeGreaterThan(8 * 6);
    expect(await user("carol")).toMatchObject({
      UserId: "AIDACAROL",
      Groups: ["developers", "operators"],
      Policies: [
        { Name: policyArn("shared"), Hash: expect.any(String) },
        { Name: "group/developers see", Hash: expect.any(String) },
        { Name: `group/developers ${policyArn("shared")}`, Hash: expect.any(String) },
        { Name: `group/operators ${policyArn("late-for-groups")}`, Hash: expect.any(String) },
      ],
    });
    expect(await user("bob")).toMatchObject({ Tags: { team: "a&b <c>" } });
    expect(await user("dave")).toMatchObject({
      Policies: [
        { Name: policyArn("late"), Hash: hashOf(JSON.stringify(policy("Allow", "opsworks:StopStack"))) },
      ],
      Boundary: { Name: policyArn("cap"), Hash: expect.any(String) },
    });
    expect(await stack.read(keys.user(roleArn("instance")))).toMatchObject({ TrustsEc2: true });
    expect((await readGroups(stack.table))?.map(({ Name }) => Name)).toEqual([
      "developers",
      "empty",
      "operators",
    ]);
    expect(await stack.eventsAboutUser(userArn("carol"))).toMatchObject([
      { Operation: "ImportUsers", Caller: admin().userArn },
    ]);
  });

  test("counts for the very next check", async () => {
    const stackId = await stack.addStack();
    const { body } = await stack.post(stack.asUser("alice"), "/access/v1/evaluation", {
      subject: { type: "user", id: userArn("carol") },
      action: { name: "opsworks:DeleteStack" },
      resource: { type: "stack", id: stackId },
    });
    expect(body).toMatchObject({ decision: false, context: { rule: "policy-deny" } });
  });

  test("that finds nothing changed writes only its own item", async () => {
    await importWith(seam());
    stack.sent.length = 0;
    const again = await importWith(seam());
    expect(again).toMatchObject({ Added: 0, Changed: 0, Unchanged: 8, Status: "succeeded" });
    const written = stack.writes();
    expect(written.length).toBeGreaterThan(2);
    expect(new Set(written.map(({ command, input }) => `${command} ${input.Item?.pk}`))).toEqual(
      new Set(["PutItem SYNC"]),
    );
    // One at its start, one a page, one at its end.
    expect(written.length).toBeLessThanOrEqual(3 + iam.calls.length);
  });

  test("tells how far it is after every page", async () => {
    serve({ UserDetailList: Array.from({ length: 7 }, (_, index) => iamUser(`p${index}`)) }, 3);
    const table = await newTable(template);
    const seen: number[] = [];
    iam.before = ({ parameters }) => {
      if (parameters.get("Filter.member.1") === "Role")
        void syncOf(table).then((sync) => seen.push(sync.Progress.Done));
      return undefined;
    };
    const sync = await importWith(seamOf(table, iam.url));
    expect(seen).toEqual([7]);
    expect(sync).toMatchObject({ Progress: { Done: 7, Of: 7 }, Added: 7 });
  });

  test("says when the policies of everybody known were read last, and a part of them says nothing", async () => {
    const table = await newTable(template);
    const seam = seamOf(table, iam.url);
    expect(await importWith(seam, { IamUserArns: [userArn("bob")] })).not.toHaveProperty("PoliciesAsOf");
    const { PoliciesAsOf, StartedAt } = await importWith(seam);
    expect(PoliciesAsOf && PoliciesAsOf >= StartedAt).toBe(true);
    expect(await importWith(seam, { IamUserArns: [userArn("bob")] })).toMatchObject({ PoliciesAsOf });
    const known = await importWith(seam, { OnlyKnown: true });
    expect(known.PoliciesAsOf && PoliciesAsOf && known.PoliciesAsOf > PoliciesAsOf).toBe(true);
  });

  test("of an account of nobody is no import: nobody is marked as gone", async () => {
    const table = await newTable(template);
    await importWith(seamOf(table, iam.url));
    serve({});
    await startImport(table, { caller: "tester" }, new Date());
    await expect(runDue(seamOf(table, iam.url))).rejects.toThrow("IAM lists nobody");
    expect(await syncOf(table)).toMatchObject({
      Status: "failed",
      Failure: expect.stringContaining("nobody"),
      Vanished: 0,
    });
  });
});

describe("what IAM sends", () => {
  test("is decoded as it was written: plus signs, per cents, other scripts", async () => {
    const condition = {
      StringLike: { "aws:PrincipalTag/team": ["a+b", "100%", "%2B%20", "übergröße", "<&>\"'", "(*)!"] },
    };
    const document = policy("Allow", "opsworks:*", "*", { Condition: condition });
    serve({ UserDetailList: [iamUser("odd", { policies: { own: document } })] });
    await importWith(seam());
    const { Policies } = await user("odd");
    expect(Policies).toEqual([{ Name: "own", Hash: hashOf(JSON.stringify(document)) }]);
    const { Document } = await stack.read(keys.policy(Policies[0].Hash));
    expect(JSON.parse(Document)).toEqual(document);
  });

  test("may be throttled every third time", async () => {
    const table = await newTable(template);
    serve(accountOf(), 2);
    iam.before = ({ number }) => (number % 3 === 0 ? THROTTLED : undefined);
    const patient = new IamReader(new IAMClient({ endpoint: iam.url, maxAttempts: 10 }));
    const sync = await importWith(seamOf(table, iam.url, { iam: patient }));
    expect(sync).toMatchObject({ Status: "succeeded", Added: 8 });
    expect(iam.calls.length).toBeGreaterThan(10);
  });

  test("may have a policy whose default version is replaced between two calls", async () => {
    const table = await newTable(template);
    const newer = policy("Deny", "opsworks:StopStack");
    iam.before = ({ action, parameters }) => {
      if (action === "GetPolicyVersion" && parameters.get("VersionId") === "v1") {
        const replaced = {
          ...late,
          DefaultVersionId: "v2",
          PolicyVersionList: [{ VersionId: "v2", Document: newer }],
        };
        const { Policies } = accountOf();
        iam.account = {
          ...accountOf(),
          Policies: Policies.map((one) => (one.Arn === policyArn("late") ? { ...one, ...replaced } : one)),
        };
      }
      return undefined;
    };
    await importWith(seamOf(table, iam.url));
    expect(JSON.stringify(await dump(table))).toContain(hashOf(JSON.stringify(newer)));
  });

  test("denies whose policy cannot be had, and says so", async () => {
    iam.before = ({ action }) =>
      action === "GetPolicyVersion" ? { status: 404, code: "NoSuchEntity", message: "gone" } : undefined;
    const table = await newTable(template);
    const { NotUnderstood, Unreadable } = await importWith(seamOf(table, iam.url));
    expect(NotUnderstood).toContain(
      `${userArn("dave")}: policy \`${policyArn("late")}\`: its default version was gone each of 3 times that it was read`,
    );
    expect(Unreadable).toBe(4);
  });

  test("may name a group that was made after the groups were read", async () => {
    const table = await newTable(template);
    const account = accountOf();
    const GroupDetailList = [...account.GroupDetailList, { GroupName: "new", GroupPolicyList: [] }];
    const UserDetailList = [iamUser("ann", { GroupList: ["new"] }), iamUser("ben", { GroupList: ["never"] })];
    iam.before = ({ parameters }) => {
      if (parameters.get("Filter.member.1") === "User")
        iam.account = { ...account, GroupDetailList, UserDetailList };
      return undefined;
    };
    const { NotUnderstood } = await importWith(seamOf(table, iam.url));
    expect(NotUnderstood.slice(0, 1)).toEqual([
      `${userArn("ben")}: policy \`group/never\`: the group is not in IAM`,
    ]);
    expect((await readGroups(table))?.map(({ Name }) => Name)).toContain("new");
  });

  test("may be a refusal, which ends the job with its reason", async () => {
    const table = await newTable(template);
    iam.before = () => ({ status: 403, code: "AccessDenied", message: "not authorized to perform: iam:..." });
    await startImport(table, { caller: "tester" }, new Date());
    await expect(runDue(seamOf(table, iam.url))).rejects.toThrow("AccessDenied");
    expect(await syncOf(table)).toMatchObject({
      Status: "failed",
      Failure: expect.stringContaining("AccessDenied"),
    });
  });

  test("may fail for so long that the job gives up, and says why", async () => {
    const table = await newTable(template);
    iam.before = () => THROTTLED;
    await startImport(table, { caller: "tester" }, new Date());
    for (let tries = 1; tries <= 15; tries += 1) {
      expect(await syncOf(table)).toMatchObject(
        tries === 1 ? { Status: "due" } : { Status: "running", Attempts: tries - 1 },
      );
      await expect(runDue(seamOf(table, iam.url))).rejects.toThrow("Throttling");
    }
    expect(await syncOf(table)).toMatchObject({
      Status: "failed",
      Failure: expect.stringContaining("Throttling"),
    });
  });
});

describe("who is imported", () => {
  test("may be a chosen list; who of it is not in IAM is named", async () => {
    const table = await newTable(template);
    const IamUserArns = [userArn("bob"), roleArn("pipeline"), userArn("zoe")];
    const sync = await importWith(seamOf(table, iam.url), { IamUserArns });
    expect(sync).toMatchObject({ Added: 2, NotUnderstood: [`${userArn("zoe")} is not in IAM`], Vanished: 0 });
    expect(sync).not.toHaveProperty("IamUserArns");
    expect(await usersIn(table)).toEqual([roleArn("pipeline"), userArn("bob")]);
  });

  test("of a chosen list, nobody else vanishes", async () => {
    const table = await newTable(template);
    await importWith(seamOf(table, iam.url));
    serve({ ...accountOf(), UserDetailList: accountOf().UserDetailList.slice(0, 3) });
    const sync = await importWith(seamOf(table, iam.url), { IamUserArns: [userArn("erin"), userArn("bob")] });
    expect(sync.VanishedUsers).toEqual([userArn("erin")]);
    expect(await goneIn(table)).toEqual([userArn("erin")]);
  });

  test("may be only who is known here", async () => {
    const table = await newTable(template);
    await importWith(seamOf(table, iam.url), { IamUserArns: [userArn("bob"), userArn("erin")] });
    const account = accountOf();
    serve({
      ...account,
      UserDetailList: account.UserDetailList.map((one) =>
        one.UserName === "bob"
          ? { ...one, UserPolicyList: [{ PolicyName: "new", PolicyDocument: policy("Deny", "*") }] }
          : one,
      ),
    });
    const sync = await importWith(seamOf(table, iam.url), { OnlyKnown: true });
    expect(sync).toMatchObject({ Added: 0, Changed: 1, Unchanged: 1, Progress: { Done: 8 } });
    expect(await usersIn(table)).toEqual([userArn("bob"), userArn("erin")]);
  });

  test("who is gone from IAM is marked, and unmarked when back", async () => {
    const table = await newTable(template);
    const seam = seamOf(table, iam.url);
    await importWith(seam);
    const before = await dump(table);
    serve({ ...accountOf(), RoleDetailList: [], UserDetailList: accountOf().UserDetailList.slice(1) });
    const gone = await importWith(seam);
    const all = [roleArn("broken"), roleArn("instance"), roleArn("pipeline"), userArn("alice")];
    expect(gone).toMatchObject({ Vanished: 4, VanishedUsers: all, Changed: 0 });
    expect(await goneIn(table)).toEqual(all);
    expect(await importWith(seam)).toMatchObject({ Vanished: 4, Changed: 0, Unchanged: 4 });
    serve(accountOf());
    expect(await importWith(seam)).toMatchObject({ Vanished: 0, Changed: 4, Unchanged: 4 });
    expect(await goneIn(table)).toEqual([]);
    const events = (await dump(table)).filter(
      (item) => !before.some((other) => JSON.stringify(other) === JSON.stringify(item)),
    );
    expect(events.filter((item) => (item as { pk: string }).pk.startsWith("EVENTS#"))).toHaveLength(8);
  });

  test("who was made again under an old name is somebody else", async () => {
    const stackId = await stack.addStack();
    serve({ UserDetailList: [iamUser("reborn", { id: "AIDAREBORN1" }), iamUser("admin")] });
    await importWith(seam());
    await stack.grant(stackId, userArn("reborn"), { Level: "manage" });
    serve({ UserDetailList: [iamUser("reborn", { id: "AIDAREBORN2" }), iamUser("admin")] });
    expect(await importWith(seam())).toMatchObject({ Changed: 1 });
    const { body } = await stack.post(admin(), "/DescribePermissions", {
      StackId: stackId,
      IamUserArn: userArn("reborn"),
    });
    expect(body.Permissions).toMatchObject([{ Level: "iam_only" }]);
  });
});

describe("one job at a time", () => {
  test("another one is refused while it runs, and says since when", async () => {
    const { body: first } = await stack.post(admin(), "/ImportUsers", {});
    const second = await stack.post(admin(), "/ImportUsers", {});
    expect(second).toMatchObject({ status: 409, body: { __type: "ConflictException" } });
    expect(second.body.message).toMatch(/^an import that began at \S+Z is running: DescribeImport shows/);
    const { body } = await stack.post(admin(), "/DescribeImport", {});
    expect(body).toMatchObject({ ImportId: first.ImportId, Status: "running" });
    await runDue(seam());
  });

  test("the schedule leaves it alone, and starts one of who is known otherwise", async () => {
    const { body } = await stack.post(admin(), "/ImportUsers", {});
    const { handler } = await import("../../functions/scheduled-import.ts");
    const context = {
      invokedFunctionArn: `arn:aws:lambda:us-east-1:123456789012:function:any`,
      getRemainingTimeInMillis: () => 10_000,
    };
    await handler({}, context as Parameters<typeof handler>[1]);
    expect((await syncOf(stack.table)).ImportId).toBe(body.ImportId);
    await runDue(seam());
    await handler({}, context as Parameters<typeof handler>[1]);
    expect(await syncOf(stack.table)).toMatchObject({ Caller: "schedule", OnlyKnown: true, Status: "due" });
    await runDue(seam());
  });

  test("one without a sign of life for 20 minutes is replaced, and does nothing more", async () => {
    const { body: dead } = await stack.post(admin(), "/ImportUsers", {});
    const abandoned = await syncOf(stack.table);
    await stack.table.client.send(
      new UpdateCommand({
        TableName: stack.tableName,
        Key: keys.sync(),
        UpdateExpression: "SET SeenAt = :then",
        ExpressionAttributeValues: { ":then": new Date(Date.now() - 21 * 60_000).toISOString() },
      }),
    );
    const { status, body } = await stack.post(admin(), "/ImportUsers", { OnlyKnown: true });
    expect([status, body.ImportId === dead.ImportId]).toEqual([200, false]);
    stack.sent.length = 0;
    const { runImport } = await import("../../shared/account/run-import.ts");
    await runImport(seam(), abandoned);
    expect(stack.writes()).toEqual([]);
    await runDue(seam());
  });

  test("one that is over is not run again, whoever delivers it", async () => {
    const sync = await importWith(seam());
    stack.sent.length = 0;
    await runDue(seam());
    expect([stack.writes(), await syncOf(stack.table)]).toEqual([[], sync]);
  });

  test("two runners at once end in the same table", async () => {
    serve(accountOf(), 2);
    const [alone, together] = [await newTable(template), await newTable(template)];
    const wanted = await importWith(seamOf(alone, iam.url));
    await startImport(together, { caller: "tester" }, new Date());
    await Promise.all([runDue(seamOf(together, iam.url)), runDue(seamOf(together, iam.url))]);
    expect(await dump(together)).toEqual(await dump(alone));
    expect(reportOf(await syncOf(together))).toEqual(reportOf(wanted));
  });
});

describe("who may import", () => {
  test("is whoever a policy allows it, and nobody by level", async () => {
    for (const path of ["/ImportUsers", "/DescribeImport"]) {
      const reply = await stack.post(stack.asUser("nobody"), path, {});
      expect(reply).toMatchObject({ status: 403, body: { __type: "AccessDeniedException" } });
    }
  });

  test("is nobody by direct invocation, unless the deployment says so", async () => {
    const event = { caller: userArn("alice"), input: {} };
    await expect(stack.invoke("ImportUsers", event)).rejects.toMatchObject({ name: "AccessDeniedException" });
    expect(await stack.invoke("DescribeImport", event)).toMatchObject({ Status: "succeeded" });
    process.env.DIRECT_WRITES = "true";
    expect(await stack.invoke("ImportUsers", event)).toEqual({ ImportId: expect.any(String) });
    process.env.DIRECT_WRITES = "false";
    await runDue(seam());
  });

  test.for([
    ["exclude one another", { IamUserArns: [userArn("bob")], OnlyKnown: true }],
    ["`IamUserArns` must name a user", { IamUserArns: [] }],
    ["`IamUserArns.0` must be the ARN", { IamUserArns: ["bob"] }],
    ["must name at most 1000 users", { IamUserArns: Array(1001).fill(userArn("bob")) }],
    ["at most 200000 characters", { IamUserArns: Array(400).fill(userArn(`${"p".repeat(500)}/bob`)) }],
    ["`SourceRegion` must be another region than this deployment's", { SourceRegion: "us-east-1" }],
    ["the deployment's parameter SourceTables", { SourceRegion: "eu-west-1" }],
    ["`SourceRegion` must be an AWS region", { SourceRegion: "Ireland" }],
  ] as const)("asks for what can be done, or is told: %s", async ([message, input]) => {
    const reply = await stack.post(admin(), "/ImportUsers", input);
    expect(reply).toMatchObject({ status: 400, body: { __type: "ValidationException" } });
    expect(reply.body.message).toContain(message);
  });
});

describe("a job that is interrupted", () => {
  const changed = (account: Account): object => ({
    ...account,
    UserDetailList: [
      ...account.UserDetailList.slice(1).map((one) => ({ ...one, Tags: [{ Key: "changed", Value: "yes" }] })),
      iamUser("fred"),
    ],
  });

  /** A table with the account as it was, and a job to import it as it is now. */
  async function prepare(account = accountOf()): Promise<Table> {
    serve(account, 2);
    const table = await newTable(template);
    await importWith(seamOf(table, iam.url));
    serve(changed(account), 2);
    await startImport(table, { caller: "tester" }, new Date());
    return table;
  }

  /** What the job does when nothing interrupts it. */
  async function expected(account = accountOf()) {
    const table = await prepare(account);
    const report = await runDue(seamOf(table, iam.url));
    expect(report).toMatchObject({ Status: "succeeded", Added: 1, Vanished: 1 });
    expect([report.Changed, report.Unchanged].every((count) => count > 0)).toBe(true);
    return { items: await dump(table), report: reportOf(report), calls: iam.calls.length };
  }

  test("at any of its calls of IAM ends the same when it is run again", async () => {
    const { items, report, calls } = await expected();
    expect(calls).toBeGreaterThan(12);
    for (let number = 1; number <= calls; number += 1) {
      const table = await prepare();
      iam.before = (call) => (call.number === number ? "cut" : undefined);
      await expect(runDue(seamOf(table, iam.url)), `call ${number}`).rejects.toThrow("IAM answered");
      const sync = await syncOf(table);
      expect(sync).toMatchObject({ Status: "running", Failure: expect.stringContaining("IAM answered") });
      iam.before = () => undefined;
      expect(reportOf(await runDue(seamOf(table, iam.url))), `call ${number}`).toEqual(report);
      expect(await dump(table), `call ${number}`).toEqual(items);
    }
  }, 120_000);

  test("at any of its writes, done or not, ends the same when it is run again", async () => {
    const { UserDetailList, RoleDetailList, ...rest } = accountOf();
    const small = {
      ...rest,
      UserDetailList: UserDetailList.slice(0, 2),
      RoleDetailList: RoleDetailList.slice(0, 1),
      GroupDetailList: rest.GroupDetailList.slice(0, 1),
    };
    const { items, report } = await expected(small);
    for (const isDone of [false, true]) {
      for (let number = 1; ; number += 1) {
        const table = await prepare(small);
        let writes = 0;
        table.client.middlewareStack.add(
          (next, { commandName = "" }) =>
            async (args) => {
              const isHit = /Put|TransactWrite/.test(commandName) && (writes += 1) === number;
              if (isHit && !isDone) throw new Error("cut");
              const output = await next(args);
              if (isHit) throw new Error("cut");
              return output;
            },
          { step: "initialize", name: "cut" },
        );
        const isThrough = await runDue(seamOf(table, iam.url)).then(
          () => true,
          () => false,
        );
        table.client.middlewareStack.remove("cut");
        if (writes < number) break;
        const again = isThrough ? await syncOf(table) : await runDue(seamOf(table, iam.url));
        expect(reportOf(again), `write ${number}`).toEqual(report);
        expect(await dump(table), `write ${number}`).toEqual(items);
      }
    }
  }, 120_000);

  test("because its time is up goes on in a step of its own, and ends the same", async () => {
    const { items, report, calls } = await expected();
    for (const number of [1, Math.floor(calls / 2), calls]) {
      const table = await prepare();
      const timeLeft = () => (iam.calls.length >= number ? 1 : 900_000);
      expect(await runDue(seamOf(table, iam.url, { timeLeft }))).toMatchObject({ Status: "due", Step: 1 });
      const again = await runDue(seamOf(table, iam.url));
      expect([reportOf(again), await dump(table)]).toEqual([report, items]);
    }
  }, 60_000);

  test("because it never has time enough gives up in the end", async () => {
    const table = await prepare();
    const seam = seamOf(table, iam.url, { timeLeft: () => 1 });
    for (let step = 0; step < 50; step += 1) await runDue(seam);
    expect(await runDue(seam)).toMatchObject({
      Status: "failed",
      Failure: "it did not come to an end in 50 steps",
    });
  });
});

test("300 users with policies of their own take little memory, however many pages there are", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const users = Array.from({ length: 300 }, (_, index) =>
    iamUser(`many-${index}`, {
      policies: { own: policy("Allow", "opsworks:*", `arn:aws:s3:::bucket-${index}`) },
    }),
  );
  serve({ UserDetailList: users }, 50);
  const table = await newTable(template);
  await startImport(table, { caller: "tester" }, new Date());
  const before = heap();
  let most = 0;
  iam.before = () => {
    most = Math.max(most, heap() - before);
    return undefined;
  };
  const sync = await runDue(seamOf(table, iam.url));
  expect(sync).toMatchObject({ Added: 300, Progress: { Done: 300 } });
  expect(most).toBeLessThan(16_000_000);
  expect(sync.WriteUnits).toBeLessThan(300 * 15);
}, 180_000);

async function usersIn(table: Table): Promise<string[]> {
  return (await dump(table))
    .filter((item) => (item as { sk: string }).sk === "USER")
    .map((item) => (item as { IamUserArn: string }).IamUserArn)
    .toSorted();
}

async function goneIn(table: Table): Promise<string[]> {
  return (await dump(table))
    .filter(
      (item) =>
        typeof item === "object" &&
        item !== null &&
        "GoneSince" in item &&
        "sk" in item &&
        item.sk === "USER",
    )
    .map((item) => (item as { IamUserArn: string }).IamUserArn)
    .toSorted();
}
