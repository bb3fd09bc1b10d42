import {
  CreateUserProfileCommand,
  type CreateUserProfileCommandInput,
  DeleteUserProfileCommand,
  DescribeMyUserProfileCommand,
  DescribePermissionsCommand,
  DescribeUserProfilesCommand,
  type OpsWorksClient,
  ResourceNotFoundException,
  SetPermissionCommand,
  UpdateMyUserProfileCommand,
  UpdateUserProfileCommand,
  ValidationException,
} from "@aws-sdk/client-opsworks";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ANY_VERSION, iamUser, openTestStack, policy, type TestStack, userArn } from "../setup/test-stack.ts";
import { keys } from "../../shared/table/keys.ts";
import { opsWorksClient } from "./opsworks-client.ts";

const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl someone@example.com";

let stack: TestStack;
let admin: OpsWorksClient;
let number = 0;

beforeAll(async () => {
  stack = await openTestStack();
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin", { policies: { all: policy("Allow", "opsworks:*") } }),
      iamUser("plain"),
      iamUser("denied", {
        policies: { no: policy("Deny", "opsworks:CreateLayer") },
        Tags: [{ Key: "team", Value: "shop" }],
      }),
    ],
  });
  admin = opsWorksClient(stack.url, stack.asUser("admin"));
});
afterAll(() => stack.close());

const as = (name: string) => opsWorksClient(stack.url, stack.asUser(name));
const newName = () => `user${(number += 1)}`;
async function create(profile: Omit<CreateUserProfileCommandInput, "IamUserArn"> = {}, name = newName()) {
  await admin.send(new CreateUserProfileCommand({ IamUserArn: userArn(name), ...profile }));
  return name;
}
async function profileOf(name: string) {
  const { UserProfiles } = await admin.send(
    new DescribeUserProfilesCommand({ IamUserArns: [userArn(name)] }),
  );
  return UserProfiles?.[0];
}

const unixIdOf = async (arn: string) => (await stack.read(keys.user(arn))).UnixId;

describe("a user profile", () => {
  test("comes back as it was given", async () => {
    const name = await create({ SshUsername: "somebody", SshPublicKey: KEY, AllowSelfManagement: true });
    expect(await profileOf(name)).toEqual({
      IamUserArn: userArn(name),
      Name: name,
      SshUsername: "somebody",
      SshPublicKey: KEY,
      AllowSelfManagement: true,
      ...ANY_VERSION,
    });
  });

  test("is not created twice", async () => {
    const name = await create();
    await expect(create({}, name)).rejects.toBeInstanceOf(ValidationException);
  });

  test("is created without self-management, with a login name made from the IAM name", async () => {
    const name = await create({}, "first.last+ops");
    expect(await profileOf(name)).toEqual({
      IamUserArn: userArn(name),
      Name: name,
      SshUsername: "firstlastops",
      AllowSelfManagement: false,
      ...ANY_VERSION,
    });
  });

  test("has iam_only on every stack", async () => {
    const StackId = await stack.addStack();
    const IamUserArn = userArn(await create());
    const { Permissions } = await admin.send(new DescribePermissionsCommand({ StackId, IamUserArn }));
    expect(Permissions).toEqual([
      { StackId, IamUserArn, Level: "iam_only", AllowSsh: false, AllowSudo: false, Version: "none" },
    ]);
  });

  test("keeps what an update leaves out", async () => {
    const name = await create({ SshPublicKey: KEY });
    await admin.send(new UpdateUserProfileCommand({ IamUserArn: userArn(name), AllowSelfManagement: true }));
    expect(await profileOf(name)).toMatchObject({ SshPublicKey: KEY, AllowSelfManagement: true });
  });

  test("that is not there cannot be found, described, changed or deleted", async () => {
    const IamUserArn = userArn("nobody");
    for (const command of [
      new UpdateUserProfileCommand({ IamUserArn, AllowSelfManagement: true }),
      new DeleteUserProfileCommand({ IamUserArn }),
      new DescribeUserProfilesCommand({ IamUserArns: [IamUserArn] }),
    ] as DeleteUserProfileCommand[]) {
      await expect(admin.send(command)).rejects.toBeInstanceOf(ResourceNotFoundException);
    }
  });

  test("that is deleted and made again keeps what IAM says of its user: it is no way out of a Deny", async () => {
    const IamUserArn = userArn("denied");
    const before = await stack.read(keys.user(IamUserArn));
    await admin.send(new DeleteUserProfileCommand({ IamUserArn }));
    await admin.send(new CreateUserProfileCommand({ IamUserArn }));
    const after = await stack.read(keys.user(IamUserArn));
    for (const fact of ["UserId", "Policies", "Boundary", "Groups", "Tags"])
      expect(after[fact]).toEqual(before[fact]);
    expect(after.ProfileId).not.toBe(before.ProfileId);
  });

  test("is not deleted by its own user, whom it might deny something", async () => {
    const own = new DeleteUserProfileCommand({ IamUserArn: userArn("admin") });
    await expect(admin.send(own)).rejects.toBeInstanceOf(ValidationException);
  });

  test("takes a policy, whatever the level", async () => {
    const name = await create();
    await stack.grant(await stack.addStack(), userArn(name), { Level: "manage" });
    const someone = opsWorksClient(stack.url, stack.asUser(name));
    for (const command of [
      new CreateUserProfileCommand({ IamUserArn: userArn("other") }),
      new DescribeUserProfilesCommand({}),
      new DeleteUserProfileCommand({ IamUserArn: userArn("admin") }),
    ] as DeleteUserProfileCommand[]) {
      await expect(someone.send(command)).rejects.toMatchObject({ name: "AccessDeniedException" });
    }
  });
});

describe("a login name", () => {
  test("loses the punctuation it may not have", async () => {
    const name = await create({ SshUsername: "my.name" });
    expect(await profileOf(name)).toMatchObject({ SshUsername: "myname" });
  });

  test("is one user's: the other is told", async () => {
    await create({ SshUsername: "taken" });
    const other = newName();
    await expect(create({ SshUsername: "Taken" }, other)).rejects.toMatchObject({
      name: "ValidationException",
      message: "`SshUsername` Taken is taken",
    });
    await expect(profileOf(other)).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  test("made from an IAM name is another for each of four users who are made at once", async () => {
    const arns = ["a", "b", "c", "d"].map((path) => userArn(`${path}/twin`));
    await Promise.all(arns.map((IamUserArn) => admin.send(new CreateUserProfileCommand({ IamUserArn }))));
    const { UserProfiles = [] } = await admin.send(new DescribeUserProfilesCommand({ IamUserArns: arns }));
    expect(
      UserProfiles.map(({ SshUsername }) => SshUsername).toSorted((a = "", b = "") => a.localeCompare(b)),
    ).toEqual(["twin", "twin2", "twin3", "twin4"]);
  });

  test("goes to one of two who take it at the same time", async () => {
    const outcomes = await Promise.allSettled([
      create({ SshUsername: "race" }),
      create({ SshUsername: "race" }),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  });

  test("is free again when its user is deleted or takes another", async () => {
    const first = await create({ SshUsername: "again" });
    await admin.send(new UpdateUserProfileCommand({ IamUserArn: userArn(first), SshUsername: "another" }));
    const second = await create({ SshUsername: "again" });
    await admin.send(new DeleteUserProfileCommand({ IamUserArn: userArn(second) }));
    const third = await create({ SshUsername: "again" });
    expect(await profileOf(third)).toMatchObject({ SshUsername: "again" });
  });

  test("comes with an import, a number behind where two names lead to one", async () => {
    await stack.importAccount({ UserDetailList: [iamUser("jane.doe"), iamUser("janedoe"), iamUser("root")] });
    const names = await Promise.all(
      ["jane.doe", "janedoe", "root"].map(async (name) => (await profileOf(name))?.SshUsername),
    );
    expect(new Set(names.slice(0, 2))).toEqual(new Set(["janedoe", "janedoe2"]));
    expect(names[2]).toBe("u_root");
  });

  test("that two users' IAM names lead to gets a number for the second", async () => {
    expect(await profileOf(await create({}, "same.name"))).toMatchObject({ SshUsername: "samename" });
    expect(await profileOf(await create({}, "samename"))).toMatchObject({ SshUsername: "samename2" });
  });

  test.for(["root", "ec2-user", "UBUNTU", "...", "-rf", "1st", "x".repeat(33)])(
    "may not be %s",
    async (SshUsername) => {
      await expect(create({ SshUsername })).rejects.toThrow("`SshUsername` must");
    },
  );
});

describe("self-management", () => {
  test("lets users see their own profile, without the setting itself, and change their key alone", async () => {
    const name = await create({ AllowSelfManagement: true });
    const someone = as(name);
    await someone.send(new UpdateMyUserProfileCommand({ SshPublicKey: KEY }));
    const { UserProfile } = await someone.send(new DescribeMyUserProfileCommand({}));
    expect(UserProfile).toEqual({
      IamUserArn: userArn(name),
      Name: name,
      SshUsername: name,
      SshPublicKey: KEY,
      ...ANY_VERSION,
    });
  });

  test("when off, leaves it to policies", async () => {
    await expect(as("plain").send(new DescribeMyUserProfileCommand({}))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    const { UserProfile } = await admin.send(new DescribeMyUserProfileCommand({}));
    expect(UserProfile?.Name).toBe("admin");
  });
});

describe("Unix ids", () => {
  test("are different for fifty users who get SSH at once, and between 2000 and 4000", async () => {
    const StackId = await stack.addStack();
    const names = Array.from({ length: 50 }, newName);
    for (const name of names) await create({}, name);
    await Promise.all(
      names.map((name) =>
        admin.send(new SetPermissionCommand({ StackId, IamUserArn: userArn(name), AllowSsh: true })),
      ),
    );
    const ids = await Promise.all(names.map((name) => unixIdOf(userArn(name))));
    expect(new Set(ids).size).toBe(50);
    expect(Math.min(...ids.map(Number))).toBeGreaterThanOrEqual(2000);
    expect(Math.max(...ids.map(Number))).toBeLessThanOrEqual(4000);
  });

  test("are one for a user who gets SSH on twenty stacks at once, and none is lost for good", async () => {
    const IamUserArn = userArn(await create());
    const next = userArn(await create());
    const stackIds = await Promise.all(Array.from({ length: 20 }, () => stack.addStack()));
    const setSsh = (StackId: string, arn: string) =>
      admin.send(new SetPermissionCommand({ StackId, IamUserArn: arn, AllowSsh: true }));
    await Promise.all(stackIds.map((StackId) => setSsh(StackId, IamUserArn)));
    const { LastGiven, Returned = new Set() } = await stack.read(keys.unixIds());
    expect(Returned.has(await unixIdOf(IamUserArn))).toBe(false);

    const Item = { ...keys.unixIds(), LastGiven: 4000, Returned: new Set([...Returned, 2999]) };
    await stack.table.client.send(new PutCommand({ TableName: stack.tableName, Item }));
    await setSsh(stackIds[0] ?? "", next);
    expect(Item.Returned.has(Number(await unixIdOf(next)))).toBe(true);
    const before = { ...keys.unixIds(), LastGiven };
    await stack.table.client.send(new PutCommand({ TableName: stack.tableName, Item: before }));
  });

  test("stay with the user, and are given to nobody else after the user is gone", async () => {
    const StackId = await stack.addStack();
    const [first, second] = [await create(), await create()];
    const setSsh = (name: string, AllowSsh: boolean) =>
      admin.send(new SetPermissionCommand({ StackId, IamUserArn: userArn(name), AllowSsh }));
    await setSsh(first, true);
    const id = await unixIdOf(userArn(first));
    await setSsh(first, false);
    await setSsh(first, true);
    expect(await unixIdOf(userArn(first))).toBe(id);
    await admin.send(new DeleteUserProfileCommand({ IamUserArn: userArn(first) }));
    await setSsh(second, true);
    expect(await unixIdOf(userArn(second))).toBeGreaterThan(Number(id));
  });

  test("that have run out are a clear error, and nothing is set", async () => {
    const StackId = await stack.addStack();
    const IamUserArn = userArn(await create());
    await stack.table.client.send(
      new PutCommand({
        TableName: stack.tableName,
        Item: { ...keys.unixIds(), LastGiven: 4000 },
      }),
    );
    await expect(
      admin.send(new SetPermissionCommand({ StackId, IamUserArn, AllowSsh: true })),
    ).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("no Unix id is left"),
    });
    const { Permissions } = await admin.send(new DescribePermissionsCommand({ StackId, IamUserArn }));
    expect(Permissions?.[0]).toMatchObject({ AllowSsh: false });
  });
});
