import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { simulate } from "../../infra/simulate.ts";
import type { Identity } from "../../infra/local/sigv4.ts";
import { importAccount } from "../../shared/account/import-account.ts";
import { resolveAccount } from "../../shared/account/resolve-account.ts";
import { readJson } from "../../shared/iam/json.ts";
import type { Level } from "../../shared/model/level.ts";
import { keys } from "../../shared/table/keys.ts";
import { putUser, readUser } from "../../shared/table/users.ts";
import { transact } from "../../shared/table/write.ts";
import {
  arnOfStack,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  roleArn,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const USERS = 40;
const ROLES = 80;
const MANAGED = 80;
const CHECKS = 500;
const LEVELS = ["deny", "iam_only", "show", "deploy", "manage"] as const satisfies readonly Level[];
const ACTIONS = [
  "opsworks:DescribeStacks",
  "opsworks:CreateDeployment",
  "opsworks:CreateLayer",
  "opsworks:CreateStack",
  "opsworks:DescribePermissions",
  "opsworks:StopInstance",
  "s3:GetObject",
];
const ADDRESSES = ["203.0.113.9", "198.51.100.9"];

/** Somebody of the generated account, with the documents that apply to them as they were written. */
type Subject = {
  readonly arn: string;
  readonly documents: readonly unknown[];
  readonly boundary?: unknown;
  readonly tags: Readonly<Record<string, string>>;
  /** Names of what cannot be read. */
  readonly unreadable: readonly string[];
};

let stack: TestStack;
let tool: Identity;
let stackIds: string[];
let account: ReturnType<typeof generateAccount>;
let report: Awaited<ReturnType<TestStack["importAccount"]>>;
const levels = new Map<string, Level>();

beforeAll(async () => {
  stack = await openTestStack();
  stackIds = [await stack.addStack("one", { team: "a" }), await stack.addStack("two", { team: "b" })];
  account = generateAccount(stackIds.map(arnOfStack));
  report = await stack.importAccount(account.details);
  const ask = { ask: policy("Allow", "stackwarden:CheckAuthorization") };
  await stack.importAccount({ RoleDetailList: [iamRole("tool", { policies: ask })] });
  tool = stack.asRole("tool", "checks");
  const random = randomNumbers(7);
  for (const { arn } of account.subjects) {
    await Promise.all(
      stackIds.map((stackId) => {
        const Level = pick(random, LEVELS);
        levels.set(`${arn} ${stackId}`, Level);
        return stack.grant(stackId, arn, { Level });
      }),
    );
  }
});
afterAll(() => stack.close());

/** What the service answers, and what it decided by. */
async function check(arn: string, action: string, stackId: string, sourceIp: string) {
  const { status, body } = await stack.post(tool, "/access/v1/evaluation", {
    subject: { type: "user", id: arn },
    action: { name: action },
    resource: { type: "stack", id: stackId },
    context: { "aws:SourceIp": sourceIp },
  });
  expect({ status, body }).toMatchObject({ status: 200 });
  return body.context;
}

describe("the import of an account", () => {
  test("loads all of it, and says what it could not read", () => {
    expect(report.added).toHaveLength(USERS + ROLES);
    expect([report.changed, report.unchanged]).toEqual([[], []]);
    expect(new Set(report.added)).toEqual(new Set(account.subjects.map(({ arn }) => arn)));

    const unreadable = account.subjects.flatMap(({ arn, unreadable }) =>
      unreadable.map((name) => `${arn}: policy \`${name}\``),
    );
    expect(unreadable.length).toBeGreaterThan(2);
    const told = report.notUnderstood.map((sentence) => /^\S+: policy `[^`]+`/.exec(sentence)?.[0]);
    expect(told).toHaveLength(unreadable.length);
    expect(new Set(told)).toEqual(new Set(unreadable));
    expect(report.notUnderstood.join("\n")).toContain("the group is not in the snapshot");
    expect(report.notUnderstood.join("\n")).toContain("its document is not in the snapshot");
    expect(report.notUnderstood.join("\n")).toContain("must be `Allow` or `Deny`");
  });

  test(`decides as the documents themselves do, ${CHECKS} times over`, async () => {
    const random = randomNumbers(42);
    const rules = new Map<string, number>();
    for (let time = 0; time < CHECKS; time += 1) {
      const subject = pick(random, account.subjects);
      const [action, stackId, sourceIp] = [
        pick(random, ACTIONS),
        pick(random, stackIds),
        pick(random, ADDRESSES),
      ];
      const level = levels.get(`${subject.arn} ${stackId}`);
      const expected = simulate({
        policies: subject.documents,
        ...(subject.boundary === undefined ? {} : { boundary: subject.boundary }),
        level,
        request: {
          action,
          resource: arnOfStack(stackId),
          context: {
            "aws:SourceIp": sourceIp,
            "aws:ResourceTag/team": stackId === stackIds[0] ? "a" : "b",
            ...Object.fromEntries(
              Object.entries(subject.tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value]),
            ),
          },
        },
      });
      const isClosed = subject.unreadable.length > 0 && expected.decision !== "explicitDeny";
      const { decision, rule } = await check(subject.arn, action, stackId, sourceIp);
      expect({ decision, rule }, `${subject.arn} ${action} ${stackId} ${sourceIp}`).toEqual(
        isClosed
          ? { decision: "explicitDeny", rule: "policy-unreadable" }
          : { decision: expected.decision, rule: expected.rule },
      );
      rules.set(rule, (rules.get(rule) ?? 0) + 1);
    }
    // The account is varied enough to say something: every rule that it can come to decided now and then.
    expect([...rules.keys()].toSorted()).toEqual([
      "boundary",
      "default-deny",
      "level-allow",
      "level-deny",
      "policy-allow",
      "policy-deny",
      "policy-unreadable",
    ]);
    expect(Math.min(...rules.values())).toBeGreaterThan(5);
  });

  test("that fails leaves no writer behind, who would write over what comes after", async () => {
    const [fails, isLate] = [userArn("fails"), userArn("is-late")];
    const iam = resolveAccount({ UserDetailList: [iamUser("fails"), iamUser("is-late")] });
    stack.obstruct(async (request, pass) => {
      const written = JSON.stringify(request.input);
      if (request.command !== "TransactWriteItems") return pass();
      if (written.includes(fails)) throw Object.assign(new Error("no"), { name: "AccessDeniedException" });
      await sleep(200);
      return pass();
    });
    await expect(importAccount(stack.ownTable, iam, { caller: "operator", now: new Date() })).rejects.toThrow(
      "no",
    );
    stack.obstruct();
    expect(await stack.read(keys.user(isLate))).toBeDefined();
  });

  test("writes nothing when nothing has changed", async () => {
    const commands: string[] = [];
    stack.table.client.middlewareStack.add(
      (next, { commandName = "" }) =>
        (args) => {
          commands.push(commandName);
          return next(args);
        },
      { step: "initialize", name: "recordCommands" },
    );
    const again = await stack.importAccount(account.details);
    stack.table.client.middlewareStack.remove("recordCommands");
    expect(again.unchanged).toHaveLength(USERS + ROLES);
    expect([again.added, again.changed]).toEqual([[], []]);
    expect(new Set(commands)).toEqual(new Set(["BatchGetItemCommand", "QueryCommand"]));
  });
});

describe("the import of somebody who is there already", () => {
  const [stackId, other] = [() => stackIds[0] ?? "", () => stackIds[1] ?? ""];

  test("changes their policies for the very next check", async () => {
    const carol = (...actions: string[]) => ({
      UserDetailList: [iamUser("carol", { policies: { own: policy("Allow", actions) } })],
    });
    const may = async (action: string) =>
      (await check(userArn("carol"), action, stackId(), "203.0.113.9")).decision;
    await stack.importAccount(carol("opsworks:StopStack"));
    expect([await may("opsworks:StopStack"), await may("opsworks:StartStack")]).toEqual([
      "allowed",
      "implicitDeny",
    ]);
    expect((await stack.importAccount(carol("opsworks:StartStack"))).changed).toEqual([userArn("carol")]);
    expect([await may("opsworks:StopStack"), await may("opsworks:StartStack")]).toEqual([
      "implicitDeny",
      "allowed",
    ]);
  });

  test("leaves what is ours: levels, SSH settings, self-management", async () => {
    await stack.importAccount({ UserDetailList: [iamUser("dave")] });
    const arn = userArn("dave");
    await stack.grant(stackId(), arn, { Level: "deploy", AllowSsh: true });
    const user = readUser(await stack.read(keys.user(arn)));
    const ours = { AllowSelfManagement: true, SshUsername: "dave", SshPublicKey: "ssh-ed25519 AAAA" };
    if (user) await transact(stack.table, [putUser(stack.table, { ...user, ...ours }, user.Revision)]);

    const Tags = [{ Key: "team", Value: "a" }];
    expect((await stack.importAccount({ UserDetailList: [iamUser("dave", { Tags })] })).changed).toEqual([
      arn,
    ]);
    expect(await stack.read(keys.user(arn))).toMatchObject({
      ...ours,
      ProfileId: user?.ProfileId,
      Tags: { team: "a" },
    });
    expect(await check(arn, "opsworks:CreateDeployment", stackId(), "203.0.113.9")).toMatchObject({
      rule: "level-allow",
      level: "deploy",
    });
  });

  test("leaves nothing to somebody else under the same name", async () => {
    const reborn = (id: string) => ({ UserDetailList: [iamUser("erin", { id })] });
    await stack.importAccount(reborn("AIDAERIN1"));
    await stack.grant(other(), userArn("erin"), { Level: "manage" });
    await stack.importAccount(reborn("AIDAERIN2"));
    expect(await check(userArn("erin"), "opsworks:DescribeStacks", other(), "203.0.113.9")).toMatchObject({
      decision: "implicitDeny",
      level: "iam_only",
    });
  });

  test("names who is gone from the account, and keeps them", async () => {
    const bob = iamUser("gone");
    await stack.importAccount({ UserDetailList: [bob, iamUser("stays")] });
    const report = await stack.importAccount({ UserDetailList: [iamUser("stays")] });
    expect(report.vanished).toContain(userArn("gone"));
    expect(report.vanished).not.toContain(userArn("stays"));
    expect(await stack.read(keys.user(userArn("gone")))).toMatchObject({ Name: "gone" });
  });

  test("denies a user whose details it cannot read, rather than leave the old ones in force", async () => {
    const full = iamUser("odd", { policies: { all: policy("Allow", "*") } });
    await stack.importAccount({ UserDetailList: [full] });
    const report = await stack.importAccount({
      UserDetailList: [{ ...full, UserPolicyList: [{ PolicyName: 7 }] }],
    });
    expect(report.changed).toEqual([userArn("odd")]);
    expect(report.notUnderstood.join()).toContain(userArn("odd"));
    const { Policies } = await stack.read(keys.user(userArn("odd")));
    expect(Policies).toEqual([
      { Name: "its details", Unreadable: expect.stringContaining("UserPolicyList.0.PolicyName") },
    ]);
  });

  test("takes nobody for somebody else only because their id is not told", async () => {
    const stackId = await stack.addStack();
    const whole = iamUser("kept");
    await stack.importAccount({ UserDetailList: [whole] });
    await stack.grant(stackId, userArn("kept"), { Level: "deny" });
    const { UserId: _id, ...without } = whole;
    await stack.importAccount({ UserDetailList: [without] });
    await stack.importAccount({ UserDetailList: [whole] });
    const [user, grant] = [
      await stack.read(keys.user(userArn("kept"))),
      await stack.read(keys.grant(stackId, userArn("kept"))),
    ];
    expect(grant).toMatchObject({ Level: "deny", ProfileId: user.ProfileId });
  });

  test("is on their trail", async () => {
    await stack.importAccount({ UserDetailList: [iamUser("fred")] });
    expect(await stack.eventsAboutUser(userArn("fred"))).toMatchObject([
      { Operation: "ImportUsers", Caller: "operator", IamUserArn: userArn("fred") },
    ]);
  });
});

test("a number that no double can hold survives from the account's file to the decision", async () => {
  const text = `{"UserDetailList": [{"Arn": "${userArn("gina")}", "UserName": "gina", "UserId": "AIDAGINA",
    "UserPolicyList": [{"PolicyName": "exact", "PolicyDocument": {"Version": "2012-10-17", "Statement":
      {"Effect": "Allow", "Action": "opsworks:StopStack", "Resource": "*",
       "Condition": {"NumericEquals": {"custom:size": 9007199254740993}}}}}]}]}`;
  const read = resolveAccount(readJson(text, 10_000));
  await importAccount(stack.table, read, { caller: "operator", now: new Date() });
  const decide = async (size: string) => {
    const { body } = await stack.post(tool, "/access/v1/evaluation", {
      subject: { type: "user", id: userArn("gina") },
      action: { name: "opsworks:StopStack" },
      resource: { type: "stack", id: stackIds[0] },
      context: { "custom:size": size },
    });
    return body.decision;
  };
  expect([await decide("9007199254740993"), await decide("9007199254740992")]).toEqual([true, false]);
});

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick<T>(random: () => number, from: readonly T[]): T {
  const [chosen] = from.slice(Math.floor(random() * from.length));
  if (chosen === undefined) throw new RangeError("there is nothing to pick from");
  return chosen;
}

/** An account in the shape of GetAccountAuthorizationDetails, and what applies to whom in it. */
function generateAccount(stackArns: readonly string[]) {
  const random = randomNumbers(2026);
  const chance = (of: number) => random() < of;
  const document = () =>
    policy(
      chance(0.3) ? "Deny" : "Allow",
      chance(0.2) ? "opsworks:Describe*" : chance(0.2) ? "*" : pick(random, ACTIONS),
      chance(0.5) ? "*" : pick(random, stackArns),
      pick(random, [
        {},
        {},
        { Condition: { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } } },
        { Condition: { NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } } },
        { Condition: { StringEquals: { "aws:ResourceTag/team": "${aws:PrincipalTag/team}" } } },
      ]),
    );
  const broken = { Version: "2012-10-17", Statement: { Effect: "allow", Action: "*", Resource: "*" } };

  const managed = Array.from({ length: MANAGED }, (_, index) => ({
    arn: `arn:aws:iam::123456789012:policy/managed-${index}`,
    document: document(),
    isUrlEncoded: chance(0.5),
  }));
  const boundary = {
    arn: "arn:aws:iam::123456789012:policy/boundary",
    document: policy("Allow", ["opsworks:Describe*", "opsworks:StopInstance"]),
    isUrlEncoded: true,
  };
  const groups = Array.from({ length: 5 }, (_, index) => ({
    name: `group-${index}`,
    inline: document(),
    attached: pick(random, managed),
  }));

  const somebody = (arn: string) => {
    const inline = chance(0.5) ? [document()] : [];
    const attached = chance(0.6) ? [pick(random, managed)] : [];
    const tags: Record<string, string> = chance(0.5) ? { team: pick(random, ["a", "b"]) } : {};
    const isBounded = chance(0.25);
    return { arn, inline, attached, tags, isBounded };
  };
  const fault = (index: number) => ({ 3: "no-document", 5: "broken", 8: "no-group" })[index];

  const users = Array.from({ length: USERS }, (_, index) => {
    const own = somebody(userArn(`user-${index}`));
    return {
      ...own,
      name: `user-${index}`,
      groups: chance(0.4) ? [pick(random, groups)] : [],
      fault: fault(index),
    };
  });
  const roles = Array.from({ length: ROLES }, (_, index) => {
    const name = `role-${index}`;
    return { ...somebody(roleArn(name)), name, path: chance(0.3) ? "teams/" : "", fault: fault(index) };
  });

  const subjects = [...users, ...roles].map((one): Subject => {
    const ofGroups =
      "groups" in one ? one.groups.flatMap((group) => [group.inline, group.attached.document]) : [];
    return {
      arn: one.arn,
      documents: [...one.inline, ...one.attached.map((policy) => policy.document), ...ofGroups],
      ...(one.isBounded ? { boundary: boundary.document } : {}),
      tags: one.tags,
      unreadable: [
        ...(one.fault === "no-document" ? ["arn:aws:iam::123456789012:policy/no-document"] : []),
        ...(one.fault === "broken" ? ["broken"] : []),
        ...(one.fault === "no-group" && "groups" in one ? ["group/no-group"] : []),
      ],
    };
  });

  const described = ({
    inline,
    attached,
    tags,
    isBounded,
    fault,
  }: (typeof users | typeof roles)[number]) => ({
    policies: {
      ...Object.fromEntries(inline.map((text, index) => [`inline-${index}`, text])),
      ...(fault === "broken" ? { broken } : {}),
    },
    AttachedManagedPolicies: [
      ...attached.map(({ arn }) => ({ PolicyName: "managed", PolicyArn: arn })),
      ...(fault === "no-document"
        ? [{ PolicyName: "no-document", PolicyArn: "arn:aws:iam::123456789012:policy/no-document" }]
        : []),
    ],
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    ...(isBounded ? { PermissionsBoundary: { PermissionsBoundaryArn: boundary.arn } } : {}),
  });
  const details = {
    UserDetailList: users.map((user) =>
      iamUser(user.name, {
        ...described(user),
        GroupList: [
          ...user.groups.map(({ name }) => name),
          ...(user.fault === "no-group" ? ["no-group"] : []),
        ],
      }),
    ),
    RoleDetailList: roles.map((role) => iamRole(role.name, { path: role.path, ...described(role) })),
    GroupDetailList: groups.map(({ name, inline, attached }) => ({
      GroupName: name,
      GroupPolicyList: [{ PolicyName: "inline", PolicyDocument: encodeURIComponent(JSON.stringify(inline)) }],
      AttachedManagedPolicies: [{ PolicyName: "managed", PolicyArn: attached.arn }],
    })),
    Policies: [...managed, boundary].map(({ arn, document, isUrlEncoded }) => ({
      Arn: arn,
      DefaultVersionId: "v2",
      PolicyVersionList: [
        { VersionId: "v1", Document: policy("Deny", "*") },
        {
          VersionId: "v2",
          Document: isUrlEncoded ? encodeURIComponent(JSON.stringify(document)) : document,
        },
      ],
    })),
  };
  return { details, subjects };
}
