import {
  DescribePermissionsCommand,
  type OpsWorksClient,
  ResourceNotFoundException,
  SetPermissionCommand,
  type SetPermissionCommandInput,
  ValidationException,
} from "@aws-sdk/client-opsworks";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { ANY_VERSION, iamUser, openTestStack, policy, type TestStack, userArn } from "../setup/test-stack.ts";
import { opsWorksClient } from "./opsworks-client.ts";

const BOB = userArn("bob");
const CAROL = userArn("carol");
const NOBODY = userArn("nobody");
const NO_STACK = "00000000-0000-4000-8000-000000000000";

let stack: TestStack;
let StackId: string;
let admin: OpsWorksClient;
let carol: OpsWorksClient;
let bob: OpsWorksClient;

beforeAll(async () => {
  stack = await openTestStack();
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin", { policies: { all: policy("Allow", "opsworks:*") } }),
      iamUser("bob"),
      iamUser("carol"),
    ],
  });
  admin = opsWorksClient(stack.url, stack.asUser("admin"));
  carol = opsWorksClient(stack.url, stack.asUser("carol"));
  bob = opsWorksClient(stack.url, stack.asUser("bob"));
});
afterAll(() => stack.close());
beforeEach(async () => {
  StackId = await stack.addStack();
  await stack.grant(StackId, CAROL, { Level: "manage" });
});

const set = (client: OpsWorksClient, change: Omit<SetPermissionCommandInput, "StackId">) =>
  client.send(new SetPermissionCommand({ StackId, ...change }));
const permissionOf = async (IamUserArn: string) => {
  const { Permissions } = await admin.send(new DescribePermissionsCommand({ StackId, IamUserArn }));
  expect(Permissions).toHaveLength(1);
  return Permissions?.[0];
};

describe("SetPermission", () => {
  test.for(["deny", "iam_only", "show", "deploy", "manage"])("takes the level %s", async (Level) => {
    await set(carol, { IamUserArn: BOB, Level });
    expect(await permissionOf(BOB)).toEqual({
      StackId,
      IamUserArn: BOB,
      Level,
      AllowSsh: false,
      ...ANY_VERSION,
      AllowSudo: false,
    });
  });

  test("takes no other level", async () => {
    await expect(set(carol, { IamUserArn: BOB, Level: "admin" })).rejects.toBeInstanceOf(ValidationException);
  });

  test("leaves members that are omitted as they are", async () => {
    await set(carol, { IamUserArn: BOB, Level: "deploy", AllowSsh: true, AllowSudo: true });
    await set(carol, { IamUserArn: BOB, Level: "show" });
    await set(carol, { IamUserArn: BOB, AllowSudo: false });
    expect(await permissionOf(BOB)).toMatchObject({ Level: "show", AllowSsh: true, AllowSudo: false });
  });

  test("lets nobody set their own level", async () => {
    const own = set(carol, { IamUserArn: CAROL, Level: "show" });
    await expect(own).rejects.toBeInstanceOf(ValidationException);
    await expect(own).rejects.toThrow(
      "Unable to change own permission level. Only AllowSsh and AllowSudo allowed.",
    );
  });

  test("lets a Manage user enable their own SSH/RDP and sudo/admin", async () => {
    await set(carol, { IamUserArn: CAROL, AllowSsh: true, AllowSudo: true });
    expect(await permissionOf(CAROL)).toMatchObject({ Level: "manage", AllowSsh: true, AllowSudo: true });
  });

  test("says of an unknown user that it cannot find them", async () => {
    const unknown = await set(carol, { IamUserArn: NOBODY, Level: "show" }).catch((error: unknown) => error);
    expect(unknown).toBeInstanceOf(ResourceNotFoundException);
    expect(unknown).toMatchObject({
      message: `Unable to find user with ARN ${NOBODY}`,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("says of an unknown stack that it cannot find it, to whoever may know", async () => {
    const unknown = new SetPermissionCommand({ StackId: NO_STACK, IamUserArn: BOB, Level: "show" });
    await expect(admin.send(unknown)).rejects.toBeInstanceOf(ResourceNotFoundException);
    await expect(carol.send(unknown)).rejects.toMatchObject({ name: "AccessDeniedException" });
  });

  test("refuses sudo/admin without SSH/RDP, and turns it off with it", async () => {
    await expect(set(carol, { IamUserArn: BOB, AllowSudo: true })).rejects.toBeInstanceOf(
      ValidationException,
    );
    await set(carol, { IamUserArn: BOB, AllowSsh: true, AllowSudo: true });
    await set(carol, { IamUserArn: BOB, AllowSsh: false });
    expect(await permissionOf(BOB)).toMatchObject({ AllowSsh: false, AllowSudo: false });
  });

  test("takes the Manage level or a policy", async () => {
    await stack.grant(StackId, BOB, { Level: "deploy" });
    await expect(set(bob, { IamUserArn: CAROL, Level: "show" })).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining(
        "is not authorized to perform: opsworks:SetPermission on resource: arn:aws:opsworks:",
      ),
    });
    await set(admin, { IamUserArn: CAROL, Level: "show" });
  });
});

describe("DescribePermissions", () => {
  test("by stack has a row for each user, users without a stored grant included", async () => {
    const { Permissions } = await carol.send(new DescribePermissionsCommand({ StackId }));
    expect(Permissions).toEqual(
      [
        { StackId, IamUserArn: userArn("admin"), Level: "iam_only", AllowSsh: false, AllowSudo: false },
        { StackId, IamUserArn: BOB, Level: "iam_only", AllowSsh: false, AllowSudo: false },
        { StackId, IamUserArn: CAROL, Level: "manage", AllowSsh: false, AllowSudo: false },
      ].map((row) => ({ ...row, ...ANY_VERSION })),
    );
  });

  test("by user has a row for each stack", async () => {
    const other = await stack.addStack("other");
    const { Permissions = [] } = await admin.send(new DescribePermissionsCommand({ IamUserArn: CAROL }));
    expect(Permissions).toContainEqual(expect.objectContaining({ StackId, Level: "manage" }));
    expect(Permissions).toContainEqual(expect.objectContaining({ StackId: other, Level: "iam_only" }));
  });

  test("of neither is a ValidationException", async () => {
    await expect(admin.send(new DescribePermissionsCommand({}))).rejects.toBeInstanceOf(ValidationException);
  });

  test("takes the Manage level or a policy", async () => {
    await stack.grant(StackId, BOB, { Level: "deploy" });
    await expect(bob.send(new DescribePermissionsCommand({ StackId }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
  });
});
