import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type IamEndpoint, startIamEndpoint } from "../../infra/local/iam-endpoint.ts";
import type { Identity } from "../../infra/local/sigv4.ts";
import { readTemplate, type Template } from "../../infra/local/template.ts";
import { importAccount } from "../../shared/account/import-account.ts";
import { resolveAccount } from "../../shared/account/resolve-account.ts";
import { startImport } from "../../shared/account/start-import.ts";
import { isIdentityCenterRole } from "../../shared/model/principal.ts";
import { keys } from "../../shared/table/keys.ts";
import { importWith, newTable, runDue, seamOf, syncOf } from "../setup/import-job.ts";
import {
  ACCOUNT,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  roleArn,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const SSO = "AWSReservedSSO_Developers_0123456789abcdef";
const RESERVED = "aws-reserved/sso.amazonaws.com/eu-west-1/";
const SOURCE = "eu-west-1";
const personArn = (name: string) =>
  `arn:aws:sts::${ACCOUNT}:assumed-role/aws-reserved/sso.amazonaws.com/${name}`;
const allowed = (...actions: string[]) => ({ policies: { own: policy("Allow", actions) } });

let stack: TestStack;
let iam: IamEndpoint;
let template: Template;
let stackId: string;
let admin: Identity;

beforeAll(async () => {
  template = await readTemplate(inject("packageFolder"));
  iam = await startIamEndpoint({});
  stack = await openTestStack({
    administrators: [userArn("admin"), userArn("former-admin")],
    directWrites: true,
    sourceTables: [`arn:aws:dynamodb:${SOURCE}:${ACCOUNT}:table/there`],
  });
  await stack.importAccount({
    UserDetailList: [iamUser("admin"), iamUser("former-admin")],
    RoleDetailList: [iamRole(SSO, { path: RESERVED, ...allowed("opsworks:*") })],
  });
  admin = stack.asUser("admin");
});
afterAll(async () => {
  await stack.close();
  await iam.close();
});
beforeEach(async () => {
  stackId = await stack.addStack();
});

const inIam = (...users: object[]) => (iam.account = { UserDetailList: [iamUser("admin"), ...users] });
const seam = (rest = {}) => seamOf(stack.ownTable, iam.url, rest);
const set = (IamUserArn: string, change: object) =>
  stack.post(admin, "/SetPermission", { StackId: stackId, IamUserArn, ...change });

async function decided(as: Identity, id: string, action: string): Promise<Wire> {
  const { body } = await stack.post(as, "/access/v1/evaluation", {
    subject: { type: "user", id },
    action: { name: `opsworks:${action}` },
    resource: { type: "stack", id: stackId },
  });
  return body.context ?? body;
}

describe("nobody gets rid of what denies them something", () => {
  test("by deleting the profile that they have as a person of Identity Center", async () => {
    const jane = stack.asRole(SSO, "jane@example.com");
    await stack.post(jane, "/DescribeMyUserProfile", {});
    await set(personArn("jane@example.com"), { Level: "deny" });
    for (const IamUserArn of [personArn("jane@example.com"), roleArn(SSO)])
      expect((await stack.post(jane, "/DeleteUserProfile", { IamUserArn })).status).toBe(400);
    expect(await decided(jane, jane.userArn, "CreateLayer")).toMatchObject({ rule: "level-deny" });
  });

  test("by having their profile replaced by the one of another region", async () => {
    const source = await newTable(template, SOURCE);
    const eve = iamUser("eve", allowed("opsworks:*", "stackwarden:ImportUsers"));
    await importAccount(source, resolveAccount({ UserDetailList: [eve, iamUser("admin")] }), {
      caller: "operator",
      now: new Date(),
    });
    await stack.importAccount({ UserDetailList: [eve] });
    await set(userArn("eve"), { Level: "deny" });
    inIam(eve);
    const as = stack.asUser("eve");
    expect((await stack.post(as, "/ImportUsers", { SourceRegion: SOURCE })).status).toBe(200);
    const { NotUnderstood } = await runDue(seam({ sourceIn: () => source }));
    expect(NotUnderstood).toEqual([
      `${userArn("eve")} asked for this import, and nobody replaces their own profile`,
    ]);
    expect(await decided(as, as.userArn, "CreateLayer")).toMatchObject({ rule: "level-deny" });
    // An administrator may, for everybody.
    await stack.post(admin, "/ImportUsers", { SourceRegion: SOURCE });
    await runDue(seam({ sourceIn: () => source }));
    expect(await decided(as, as.userArn, "CreateLayer")).toMatchObject({ rule: "policy-allow" });
  });

  test("by a role that is called like one of Identity Center's and was never imported", async () => {
    const role = "AWSReservedSSO_ByHand_aaaaaaaaaaaaaaaa";
    await stack.post(admin, "/CreateUserProfile", { IamUserArn: personArn("kim") });
    await stack.post(admin, "/CreateUserProfile", { IamUserArn: roleArn(`${RESERVED}${role}`) });
    await set(roleArn(role), { Level: "manage" });
    const kim = stack.asRole(role, "kim");
    await set(personArn("kim"), { Level: "manage" });
    const byRole = await decided(kim, kim.userArn, "CreateLayer");
    expect([byRole.level, byRole.levelFrom]).toEqual(["manage", undefined]);
    await set(personArn("kim"), { Level: "deny" });
    expect(await decided(kim, kim.userArn, "CreateLayer")).toMatchObject({
      rule: "level-deny",
      levelFrom: "person/kim",
    });
  });

  test("by being deleted and made again after their policies changed in IAM", async () => {
    inIam(iamUser("back", allowed("opsworks:*")));
    await importWith(seam());
    await stack.post(admin, "/DeleteUserProfile", { IamUserArn: userArn("back") });
    inIam(iamUser("back", { policies: { own: policy("Deny", "opsworks:*") } }));
    await importWith(seam(), { OnlyKnown: true });
    expect(await stack.read(keys.user(userArn("back")))).toBeUndefined();
    await stack.post(admin, "/CreateUserProfile", { IamUserArn: userArn("back") });
    expect(await decided(stack.asUser("back"), userArn("back"), "CreateLayer")).toMatchObject({
      rule: "policy-deny",
    });
  });

  test("by being made again at the moment when their policies are read from IAM", async () => {
    const IamUserArn = userArn("quick");
    inIam(iamUser("quick", allowed("opsworks:*")));
    await importWith(seam());
    await stack.post(admin, "/DeleteUserProfile", { IamUserArn });
    inIam(iamUser("quick", { policies: { own: policy("Deny", "opsworks:*") } }));
    let isMade = false;
    stack.obstruct(async (request, pass) => {
      const keeps =
        request.command === "TransactWriteItems" && JSON.stringify(request.input).includes('"sk":"IAM"');
      if (keeps && !isMade) {
        isMade = true;
        await stack.post(admin, "/CreateUserProfile", { IamUserArn });
      }
      return pass();
    });
    await importWith(seam(), { OnlyKnown: true });
    stack.obstruct();
    expect(isMade).toBe(true);
    expect(await decided(stack.asUser("quick"), IamUserArn, "CreateLayer")).toMatchObject({
      rule: "policy-deny",
    });
  });

  test("by another path in IAM, without its being said", async () => {
    inIam(iamUser("moved", allowed("opsworks:*")));
    await importWith(seam());
    inIam({ ...iamUser("moved"), Arn: userArn("elsewhere/moved") });
    const { NotUnderstood } = await importWith(seam());
    expect(NotUnderstood).toContain(
      `${userArn("moved")} is called ${userArn("elsewhere/moved")} now: set the levels there, and delete this profile`,
    );
  });
});

describe("nobody is taken for somebody whom they only name", () => {
  test("a role whose path only looks like the reserved one", () => {
    expect(isIdentityCenterRole(roleArn(`aws-reserved/ssoXamazonawsXcom/${SSO}`))).toBe(false);
    expect(isIdentityCenterRole(roleArn(`mine/${RESERVED}${SSO}`))).toBe(false);
    expect(isIdentityCenterRole(roleArn(`${RESERVED}${SSO}`))).toBe(true);
  });

  test("a person without their session, by direct invocation", async () => {
    await stack.post(admin, "/CreateUserProfile", { IamUserArn: personArn("joe") });
    await set(personArn("joe"), { Level: "manage" });
    const input = { StackId: stackId, IamUserArn: userArn("former-admin"), Level: "show" };
    await expect(stack.invoke("SetPermission", { caller: personArn("joe"), input })).rejects.toThrow(
      "`caller` must be",
    );
  });

  test("a federated user of another account, who gets no profile", async () => {
    const foreign = "arn:aws:sts::999999999999:federated-user/x";
    const as = stack.signIn(foreign, "999999999999:x");
    expect((await stack.post(as, "/DescribeMyUserProfile", {})).status).toBe(403);
    expect(await stack.read(keys.user(foreign))).toBeUndefined();
  });
});

describe("whom IAM does not have", () => {
  test("is no administrator any more", async () => {
    await stack.loseFromIam(userArn("former-admin"));
    expect(await decided(admin, userArn("former-admin"), "DeleteStack")).toMatchObject({
      rule: "default-deny",
    });
  });

  test("is an orphan, also when made known by hand", async () => {
    await stack.post(admin, "/CreateUserProfile", { IamUserArn: userArn("ghost") });
    await set(userArn("ghost"), { Level: "manage", AllowSsh: true });
    inIam();
    expect((await importWith(seam())).VanishedUsers).toContain(userArn("ghost"));
    const { body } = await stack.post(admin, "/DescribeOrphans", {});
    expect(body.Orphans.map((row: Wire) => row.IamUserArn)).toContain(userArn("ghost"));
  });

  test("leaves no level behind in a group: one that is made again starts with nothing", async () => {
    const group = (GroupId: string) => [{ GroupName: "old", GroupId }];
    iam.account = {
      UserDetailList: [iamUser("admin"), iamUser("member", { GroupList: ["old"] })],
      GroupDetailList: group("AGPAONE"),
    };
    await importWith(seam());
    const level = { StackId: stackId, GroupName: "old", Level: "manage" };
    expect((await stack.post(admin, "/SetPermission", level)).status).toBe(200);
    await importWith(seam());
    expect(await decided(admin, userArn("member"), "CreateLayer")).toMatchObject({ levelFrom: "group/old" });

    iam.account = {
      UserDetailList: [iamUser("admin"), iamUser("newcomer", { GroupList: ["old"] })],
      GroupDetailList: group("AGPATWO"),
    };
    await importWith(seam());
    expect(await decided(admin, userArn("newcomer"), "CreateLayer")).toMatchObject({ rule: "default-deny" });
    // The level of the group that was can be taken away, and given to the one that is.
    expect((await stack.post(admin, "/SetPermission", level)).status).toBe(200);
    expect(await decided(admin, userArn("newcomer"), "CreateLayer")).toMatchObject({
      levelFrom: "group/old",
    });
    expect(await decided(admin, userArn("member"), "CreateLayer")).toMatchObject({ rule: "default-deny" });
    inIam();
    await importWith(seam());
    expect((await stack.post(admin, "/SetPermission", level)).status).toBe(404);
    expect((await stack.post(admin, "/SetPermission", { ...level, Level: "iam_only" })).status).toBe(200);
    expect((await stack.read(keys.stack(stackId))).GroupGrants).toEqual({});
  });
});

describe("one user does not keep the others from being imported", () => {
  test("whose details the table cannot hold, and who is denied what they might decide", async () => {
    const long = (text: string, number: number) => `${text}${number}`.padEnd(128, "x");
    const names = Array.from({ length: 10 }, (_, number) => long("g", number));
    const groups = (version: string) =>
      names.map((GroupName) => ({
        GroupName,
        GroupPolicyList: Array.from({ length: 300 }, (_, number) => ({
          PolicyName: long("p", number),
          PolicyDocument: policy("Deny", `opsworks:${version}*`),
        })),
      }));
    const table = await newTable(template);
    const big = iamUser("aaa-big", { GroupList: names });
    const others = [iamUser("zoe"), iamUser("leaver")];
    iam.account = { UserDetailList: [big, ...others], GroupDetailList: groups("b") };
    expect(await importWith(seamOf(table, iam.url))).toMatchObject({ Status: "succeeded", Added: 3 });
    iam.account = {
      UserDetailList: [big, iamUser("zoe", { policies: { no: policy("Deny", "*") } })],
      GroupDetailList: groups("c"),
    };
    const sync = await importWith(seamOf(table, iam.url));
    expect(sync).toMatchObject({ Status: "succeeded", VanishedUsers: [userArn("leaver")] });
    expect((await importWith(seamOf(table, iam.url))).Unchanged).toBe(2);
  }, 60_000);

  test("with a tag that no object can have", async () => {
    const table = await newTable(template);
    iam.account = {
      UserDetailList: [iamUser("odd", { Tags: [{ Key: "__proto__", Value: "v" }] }), iamUser("zoe")],
    };
    expect(await importWith(seamOf(table, iam.url))).toMatchObject({
      Status: "succeeded",
      Added: 2,
      Unreadable: 1,
      NotUnderstood: [
        `${userArn("odd")}: policy \`its tags\`: the tag \`__proto__\` cannot be kept, so remove it and import again`,
      ],
    });
    expect((await importWith(seamOf(table, iam.url))).Unchanged).toBe(2);
  });
});

describe("a job", () => {
  test("that gives no sign of life is shown as failed", async () => {
    const longAgo = new Date(Date.now() - 6 * 3_600_000);
    await startImport(stack.ownTable, { caller: "tester" }, longAgo);
    const { body } = await stack.post(admin, "/DescribeImport", {});
    expect(body).toMatchObject({
      Status: "failed",
      Failure: expect.stringContaining(`no sign of life since ${longAgo.toISOString()}`),
    });
  });

  test("that is ended each time it runs is given up, and says so", async () => {
    const table = await newTable(template);
    await startImport(table, { caller: "tester" }, new Date());
    const sync = await syncOf(table);
    const Item = { ...keys.sync(), ...sync, Attempts: 15 };
    await table.client.send(new PutCommand({ TableName: table.name, Item }));
    await runDue(seamOf(table, iam.url));
    expect(await syncOf(table)).toMatchObject({
      Status: "failed",
      Failure: "it was ended by Lambda each time: see the log of RunImport",
    });
  });

  test("counts what it has no room to tell, and tells first of whom it could not even name", async () => {
    const table = await newTable(template);
    const unreadable = Array.from({ length: 120 }, (_, number) =>
      iamUser(`u${number}`, { policies: { own: { Statement: "none" } } }),
    );
    iam.account = { UserDetailList: [...unreadable, { ...iamUser("x"), Arn: "no-arn" }] };
    const { NotUnderstood, NotUnderstoodCount } = await importWith(seamOf(table, iam.url));
    expect([NotUnderstood.length, NotUnderstoodCount]).toEqual([100, 121]);
    expect(NotUnderstood[0]).toContain("no-arn");
  });
});
