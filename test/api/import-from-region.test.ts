import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type IamEndpoint, startIamEndpoint } from "../../infra/local/iam-endpoint.ts";
import { readTemplate, type Template } from "../../infra/local/template.ts";
import { importAccount } from "../../shared/account/import-account.ts";
import { resolveAccount } from "../../shared/account/resolve-account.ts";
import type { User } from "../../shared/model/user.ts";
import { getItems } from "../../shared/table/get-items.ts";
import { setGrant } from "../../shared/table/grants.ts";
import { keys } from "../../shared/table/keys.ts";
import type { Table } from "../../shared/table/table.ts";
import { putUser, readUser } from "../../shared/table/users.ts";
import { transact } from "../../shared/table/write.ts";
import { dump, importWith, newTable, runDue, seamOf } from "../setup/import-job.ts";
import {
  ACCOUNT,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  roleArn,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const SOURCE = "eu-west-1";
const FEDERATED = `arn:aws:sts::${ACCOUNT}:federated-user/guest`;
const own = (...actions: string[]) => ({ policies: { own: policy("Allow", actions) } });

let template: Template;
let iam: IamEndpoint;
let source: Table;
let stack: TestStack;
let here: Table;

beforeAll(async () => {
  template = await readTemplate(inject("packageFolder"));
  iam = await startIamEndpoint({});
  stack = await openTestStack({
    administrators: [userArn("admin")],
    sourceTables: [`arn:aws:dynamodb:${SOURCE}:${ACCOUNT}:table/there`],
  });
  await stack.importAccount({ UserDetailList: [iamUser("admin")] });
});
afterAll(async () => {
  await stack.close();
  await iam.close();
});

/** Ann and a role have profiles there; who they are in IAM today is another matter. */
beforeEach(async () => {
  source = await newTable(template, SOURCE);
  here = await newTable(template);
  await write(source, {
    UserDetailList: [
      iamUser("ann", own("opsworks:StopStack")),
      iamUser("taken"),
      iamUser("reborn", { id: "AIDAOLD" }),
      iamUser("left"),
    ],
    RoleDetailList: [iamRole("pipeline")],
  });
  await change(source, userArn("ann"), {
    SshUsername: "ann_there",
    SshPublicKey: "ssh-ed25519 AAAA there",
    AllowSelfManagement: true,
  });
  const guest: User = {
    IamUserArn: FEDERATED,
    Name: "guest",
    Kind: "federated",
    ProfileId: "p",
    Groups: [],
    Policies: [],
    Tags: {},
    AllowSelfManagement: false,
    CreatedAt: "2026-01-01T00:00:00.000Z",
    Revision: "r",
  };
  const stranger = { ...guest, IamUserArn: userArn("stranger"), Name: "stranger", Kind: "user" as const };
  await transact(source, [putUser(source, guest, undefined), putUser(source, stranger, undefined)]);
  Object.assign(iam, {
    account: {
      UserDetailList: [
        iamUser("ann", own("opsworks:StartStack")),
        iamUser("taken"),
        iamUser("reborn", { id: "AIDANEW" }),
        iamUser("stranger"),
        iamUser("elsewhere"),
      ],
      RoleDetailList: [iamRole("pipeline")],
    },
  });
});

async function write(table: Table, details: object): Promise<void> {
  await importAccount(table, resolveAccount(details), { caller: "operator", now: new Date() });
}

async function userIn(table: Table, arn: string): Promise<User | undefined> {
  return readUser((await getItems(table, [keys.user(arn)])).get(keys.user(arn)));
}

async function change(table: Table, arn: string, members: Partial<User>): Promise<void> {
  const user = await userIn(table, arn);
  if (!user) throw new Error(`${arn} is not there`);
  await transact(table, [
    putUser(table, { ...user, ...members, Revision: `${user.Revision}+` }, user.Revision),
  ]);
}

const seam = () => seamOf(here, iam.url, { sourceIn: (region) => (region === SOURCE ? source : undefined) });
const importAcross = () => importWith(seam(), { SourceRegion: SOURCE });

describe("an import from another region", () => {
  test("brings profiles, with policies as IAM has them, and says who it left", async () => {
    const sync = await importAcross();
    expect(sync).toMatchObject({ Status: "succeeded", Source: SOURCE, Added: 3, Changed: 0, Vanished: 0 });
    expect(sync.NotUnderstood.toSorted()).toEqual(
      [
        `${FEDERATED} is nobody whom IAM lists: add them here with CreateUserProfile`,
        `${userArn("left")} has a profile in ${SOURCE}, but is not in IAM`,
        `${userArn("reborn")} in ${SOURCE} is somebody else of the same name`,
        `${userArn("stranger")} was never imported from IAM in ${SOURCE}, so whether it is the same person is not known: import them there first`,
      ].toSorted(),
    );
    const [there, ann] = [await userIn(source, userArn("ann")), await userIn(here, userArn("ann"))];
    expect(ann).toMatchObject({
      UserId: "AIDAANN",
      SshUsername: "ann_there",
      SshPublicKey: "ssh-ed25519 AAAA there",
      AllowSelfManagement: true,
      ReplacedFrom: { Region: SOURCE, ProfileId: there?.ProfileId },
    });
    expect(ann?.ProfileId).not.toBe(there?.ProfileId);
    expect(ann?.Policies).not.toEqual(there?.Policies);
    expect(await userIn(here, roleArn("pipeline"))).toMatchObject({ Kind: "role", TrustsEc2: false });
    expect(await userIn(here, userArn("elsewhere"))).toBeUndefined();
    expect(sync).not.toHaveProperty("PoliciesAsOf");
  });

  test("leaves the other region as it is, and says nothing of who is only here", async () => {
    await write(here, { UserDetailList: [iamUser("only-here")] });
    const before = await dump(source);
    expect(await importAcross()).toMatchObject({ Vanished: 0 });
    expect(await dump(source)).toEqual(before);
    expect(await userIn(here, userArn("only-here"))).not.toHaveProperty("GoneSince");
  });

  test("gives a login name that is taken here to nobody twice", async () => {
    await write(here, { UserDetailList: [iamUser("other")] });
    await change(here, userArn("other"), { SshUsername: "other" });
    await change(source, userArn("taken"), { SshUsername: "other" });
    await importAcross();
    expect((await userIn(here, userArn("taken")))?.SshUsername).toBe("other2");
    expect((await userIn(here, userArn("other")))?.SshUsername).toBe("other");
  });

  test("releases the login name of a profile that it replaces", async () => {
    await write(here, { UserDetailList: [iamUser("ann")] });
    await importAcross();
    expect((await userIn(here, userArn("ann")))?.SshUsername).toBe("ann_there");
    const names = await getItems(here, [keys.sshUsername("ann"), keys.sshUsername("ann_there")]);
    expect(names.get(keys.sshUsername("ann"))).toBeUndefined();
    expect(names.get(keys.sshUsername("ann_there"))).toMatchObject({ IamUserArn: userArn("ann") });
  });

  test("done twice replaces nobody again, and writes only its own item", async () => {
    await importAcross();
    const before = await dump(here);
    const written: string[] = [];
    here.client.middlewareStack.add(
      (next, { commandName = "" }) =>
        (args) => {
          if (/Put|Transact|Update|Delete/.test(commandName))
            written.push(`${commandName} ${JSON.stringify(args.input)}`);
          return next(args);
        },
      { step: "initialize", name: "record" },
    );
    expect(await importAcross()).toMatchObject({ Added: 0, Changed: 0, Unchanged: 3 });
    expect(written.filter((put) => !put.includes('"pk":"SYNC"'))).toEqual([]);
    const others = (items: unknown[]) => items.filter((item) => (item as { pk: string }).pk !== "SYNC");
    expect(others(await dump(here))).toEqual(others(before));
  });

  test("takes a new key from there, and leaves levels that were given here since", async () => {
    await importAcross();
    const before = await userIn(here, userArn("ann"));
    await change(here, userArn("ann"), { UnixId: 2001 });
    await change(source, userArn("ann"), { SshPublicKey: "ssh-ed25519 AAAA new" });
    expect(await importAcross()).toMatchObject({ Changed: 1, Unchanged: 2 });
    expect(await userIn(here, userArn("ann"))).toMatchObject({
      ProfileId: before?.ProfileId,
      SshPublicKey: "ssh-ed25519 AAAA new",
      UnixId: 2001,
    });
  });

  test("may be of a chosen list", async () => {
    const sync = await importWith(seam(), {
      SourceRegion: SOURCE,
      IamUserArns: [userArn("ann"), userArn("left")],
    });
    expect(sync).toMatchObject({ Added: 1, NotUnderstood: [`${userArn("left")} is not in IAM`] });
  });

  test("interrupted at any call of IAM ends the same", async () => {
    Object.assign(iam, { pageSize: 2 });
    await importAcross();
    const wanted = await dump(here);
    const calls = iam.calls.length;
    for (let number = 1; number <= calls; number += 1) {
      here = await newTable(template);
      iam.calls.length = 0;
      Object.assign(iam, {
        before: (call: { number: number }) => (call.number === number ? "cut" : undefined),
      });
      await importAcross().catch(() => undefined);
      Object.assign(iam, { before: () => undefined });
      await runDue(seam());
      expect(await dump(here), `call ${number}`).toEqual(wanted);
      if (iam.calls.length < number) break;
    }
  }, 60_000);
});

test("no grant comes along, and one that was held here counts no more: iam_only everywhere", async () => {
  const stackId = await stack.addStack();
  await stack.importAccount({ UserDetailList: [iamUser("ann")] });
  await stack.grant(stackId, userArn("ann"), { Level: "manage" });
  here = stack.ownTable;
  const there = await userIn(source, userArn("ann"));
  const grant =
    there &&
    setGrant(source, there, stackId, { Level: "manage", AllowSsh: true, AllowSudo: true }, undefined);
  await transact(source, grant ? [grant] : []);
  await stack.post(stack.asUser("admin"), "/ImportUsers", { SourceRegion: SOURCE });
  await runDue(seam());
  const reply = await stack.post(stack.asUser("admin"), "/DescribePermissions", {
    StackId: stackId,
    IamUserArn: userArn("ann"),
  });
  expect(reply.body.Permissions).toMatchObject([{ Level: "iam_only" }]);
  expect(await stack.eventsAboutUser(userArn("ann"))).toMatchObject([
    {},
    {
      Operation: "ImportUsers",
      Before: { Policies: [] },
      After: { SshUsername: "ann_there", ReplacedFrom: { Region: SOURCE } },
    },
  ]);
});

test("without the table's ARN a job ends, and says what to do", async () => {
  await expect(importWith(seamOf(here, iam.url), { SourceRegion: SOURCE })).rejects.toThrow("SourceTables");
});
