import {
  DescribeAppsCommand,
  DescribeMyUserProfileCommand,
  OpsWorksClient,
  ValidationException,
} from "@aws-sdk/client-opsworks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { iamUser, openTestStack, policy, REGION, type TestStack, userArn } from "../setup/test-stack.ts";
import { opsWorksClient } from "./opsworks-client.ts";

let stack: TestStack;
let admin: Identity;

beforeAll(async () => {
  stack = await openTestStack();
  await stack.importAccount({
    UserDetailList: [iamUser("admin", { policies: { all: policy("Allow", "opsworks:*") } })],
  });
  admin = stack.asUser("admin");
});
afterAll(() => stack.close());

const wire = (target: string, body: unknown = {}) =>
  stack.post(admin, "/", body, { "x-amz-target": target, "content-type": "application/x-amz-json-1.1" });

describe("the OpsWorks wire protocol", () => {
  test("is reached by `AWS_ENDPOINT_URL_OPSWORKS` alone", async () => {
    process.env.AWS_ENDPOINT_URL_OPSWORKS = stack.url;
    const client = new OpsWorksClient({ region: REGION, credentials: admin });
    const { UserProfile } = await client.send(new DescribeMyUserProfileCommand({}));
    expect(UserProfile?.IamUserArn).toBe(userArn("admin"));
  });

  test("takes the signature that a deployed gateway wants, by one option of the client", async () => {
    const options = { endpoint: stack.url, region: REGION, credentials: admin, signingName: "execute-api" };
    const client = new OpsWorksClient(options);
    const { UserProfile } = await client.send(new DescribeMyUserProfileCommand({}));
    expect(UserProfile?.IamUserArn).toBe(userArn("admin"));
  });

  test("says of an operation about something else that it is not served", async () => {
    const apps = opsWorksClient(stack.url, admin).send(new DescribeAppsCommand({}));
    await expect(apps).rejects.toThrow("the operation `DescribeApps` is not served here");
    await expect(apps).rejects.toBeInstanceOf(ValidationException);
  });

  test.for(["", "OpsWorks_20130218.", "OpsWorks_20130218.toString", "Other.SetPermission"])(
    "answers the target `%s` with a ValidationException",
    async (target) => {
      expect(await wire(target)).toMatchObject({ status: 400, body: { __type: "ValidationException" } });
    },
  );

  test("answers an operation without output with an empty body", async () => {
    const IamUserArn = userArn("new");
    expect(await wire("OpsWorks_20130218.CreateUserProfile", { IamUserArn })).toMatchObject({
      status: 200,
      body: { IamUserArn },
    });
    const deleted = await wire("OpsWorks_20130218.DeleteUserProfile", { IamUserArn });
    expect(deleted).toMatchObject({ status: 200, body: undefined });
    expect(deleted.headers.get("content-type")).toBe("application/x-amz-json-1.1");
  });

  test("takes a member that is null for one that is left out", async () => {
    const profile = {
      IamUserArn: userArn("nulls"),
      SshUsername: null,
      SshPublicKey: null,
      AllowSelfManagement: null,
    };
    expect(await wire("OpsWorks_20130218.CreateUserProfile", profile)).toMatchObject({ status: 200 });
    expect(await wire("OpsWorks_20130218.DescribeStacks", { StackIds: null })).toMatchObject({ status: 200 });
  });

  test("says that a body is not JSON", async () => {
    expect(await wire("OpsWorks_20130218.DescribeStacks", "{")).toMatchObject({
      status: 400,
      body: { __type: "ValidationException", message: "the body is not JSON" },
    });
  });

  test("is on its own path only: the other routes want `execute-api`", async () => {
    const own = await opsWorksClient(`${stack.url}/SetPermission`, admin)
      .send(new DescribeMyUserProfileCommand({}))
      .catch((error: unknown) => error);
    expect(own).toMatchObject({ $metadata: { httpStatusCode: 404 } });
  });
});
