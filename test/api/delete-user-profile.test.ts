import { randomUUID } from "node:crypto";
import { BatchWriteCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { handler as followTable } from "../../functions/follow-table.ts";
import { indexKeys, keys } from "../../shared/table/keys.ts";
import type { Identity } from "../../infra/local/sigv4.ts";
import {
  ACCOUNT,
  iamUser,
  openTestStack,
  policy,
  REGION,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const GRANTS = 2000;

let stack: TestStack;
let admin: Identity;

beforeAll(async () => {
  stack = await openTestStack();
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin", { policies: { all: policy("Allow", ["opsworks:*", "stackwarden:*"]) } }),
    ],
  });
  admin = stack.asUser("admin");
});
afterAll(() => stack.close());

const call = (name: string, input: object) => stack.post(admin, `/${name}`, input);
const level = async (StackId: string, IamUserArn: string) =>
  (await call("DescribePermissions", { StackId, IamUserArn })).body.Permissions?.[0].Level;
const isAllowed = async (stackId: string, id: string) => {
  const question = { subject: { type: "user", id }, action: { name: "opsworks:DescribeStacks" } };
  const { body } = await stack.post(admin, "/access/v1/evaluation", {
    ...question,
    resource: { type: "stack", id: stackId },
  });
  return body.decision;
};

/** Grants on stacks nobody looks at, beside those that a test looks at. */
async function giveManyGrants(IamUserArn: string): Promise<void> {
  const { ProfileId } = await stack.read(keys.user(IamUserArn));
  const items = Array.from({ length: GRANTS }, () => {
    const StackId = randomUUID();
    const grant = {
      StackId,
      IamUserArn,
      ProfileId,
      Level: "manage",
      AllowSsh: false,
      AllowSudo: false,
      Revision: randomUUID(),
    };
    return { ...grant, ...keys.grant(StackId, IamUserArn), ...indexKeys.userGrants(IamUserArn, StackId) };
  });
  for (let from = 0; from < GRANTS; from += 25) {
    const requests = items.slice(from, from + 25).map((Item) => ({ PutRequest: { Item } }));
    await stack.table.client.send(new BatchWriteCommand({ RequestItems: { [stack.tableName]: requests } }));
  }
}

/** The event that the table's stream sends for a removed item. */
const removal = (item: Record<string, string>) => ({
  Records: [
    {
      eventID: "1",
      eventName: "REMOVE",
      eventSource: "aws:dynamodb",
      dynamodb: {
        Keys: { pk: { S: item.pk }, sk: { S: item.sk } },
        OldImage: Object.fromEntries(
          Object.entries(item).flatMap(([name, value]) =>
            typeof value === "string" ? [[name, { S: value }]] : [],
          ),
        ),
      },
    },
  ],
});
const sweep = (event: unknown) =>
  followTable(event, {
    invokedFunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:FollowTable`,
    getRemainingTimeInMillis: () => 300_000,
  } as Parameters<typeof followTable>[1]);

describe("a user with two thousand grants", () => {
  test("is deleted in one write, and from then on no level counts, whatever is set meanwhile and swept when", {
    timeout: 60_000,
  }, async () => {
    const IamUserArn = userArn("leaver");
    const StackId = await stack.addStack();
    await call("CreateUserProfile", { IamUserArn });
    await giveManyGrants(IamUserArn);
    await call("SetPermission", { StackId, IamUserArn, Level: "manage" });
    expect(await isAllowed(StackId, IamUserArn)).toBe(true);
    const removed = await stack.read(keys.user(IamUserArn));

    let isDeleted = false;
    const setting = (async () => {
      for (let round = 0; !isDeleted; round += 1) {
        await call("SetPermission", { StackId, IamUserArn, Level: round % 2 === 0 ? "show" : "manage" });
      }
    })();
    stack.sent.length = 0;
    expect(await call("DeleteUserProfile", { IamUserArn })).toMatchObject({ status: 200 });
    const checks = await Promise.all(Array.from({ length: 20 }, () => isAllowed(StackId, IamUserArn)));
    isDeleted = true;
    await setting;
    expect(new Set(checks)).toEqual(new Set([false]));
    expect(await isAllowed(StackId, IamUserArn)).toBe(false);

    await call("CreateUserProfile", { IamUserArn });
    expect(await level(StackId, IamUserArn)).toBe("iam_only");
    expect(await isAllowed(StackId, IamUserArn)).toBe(false);
    await call("SetPermission", { StackId, IamUserArn, Level: "show" });

    await sweep(removal(removed));
    expect(await stack.countGrantsOf(IamUserArn)).toBe(1);
    expect(await level(StackId, IamUserArn)).toBe("show");
  });
});

describe("a deleted stack", () => {
  test("leaves no grants behind once it is swept", async () => {
    const IamUserArn = userArn("stayer");
    const [StackId, other] = [await stack.addStack(), await stack.addStack()];
    await call("CreateUserProfile", { IamUserArn });
    for (const id of [StackId, other])
      await call("SetPermission", { StackId: id, IamUserArn, Level: "show" });
    const removed = await stack.read(keys.stack(StackId));
    await call("DeleteStack", { StackId });
    await sweep(removal(removed));
    expect(await stack.countGrantsOf(IamUserArn)).toBe(1);
    expect(await level(other, IamUserArn)).toBe("show");
  });
});
