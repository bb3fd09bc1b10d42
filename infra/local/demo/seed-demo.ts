import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Permission } from "../../../shared/model/grant.ts";
import { stackArn } from "../../../shared/model/stack-arn.ts";
import { appendEvent } from "../../../shared/table/events.ts";
import { getItems } from "../../../shared/table/get-items.ts";
import { setGrant } from "../../../shared/table/grants.ts";
import { keys } from "../../../shared/table/keys.ts";
import { newStack } from "../../../shared/table/stacks.ts";
import type { Table } from "../../../shared/table/table.ts";
import { putUser, readUser } from "../../../shared/table/users.ts";
import { transact } from "../../../shared/table/write.ts";
import demo from "./stacks.json" with { type: "json" };

/** The demo account, in the form IAM gives. */
export const DEMO_ACCOUNT_FILE = fileURLToPath(new URL("account.json", import.meta.url));
export const DEMO_ACCOUNT_ID = "123456789012";
export const DEMO_ADMINISTRATORS = demo.administrators.map((name) => userArn(DEMO_ACCOUNT_ID, name));

export type DemoStack = { readonly StackId: string; readonly Name: string; readonly Arn: string };

/** Makes the demo's stacks in an account, unless they are there; in the demo's, its people have their levels and self-management. */
export async function seedStacks(table: Table, region: string, accountId: string): Promise<void> {
  const place = { partition: "aws", region, accountId };
  const isDemo = accountId === DEMO_ACCOUNT_ID;
  await Promise.all(
    demo.stacks.map(async ({ StackId, Name, grants }) => {
      const key = keys.stack(StackId);
      const isThere = (await getItems(table, [key])).get(key) !== undefined;
      if (isThere) return;
      const Arn = stackArn(place, StackId);
      const roles = {
        ServiceRoleArn: `arn:aws:iam::${accountId}:role/aws-opsworks-service-role`,
        DefaultInstanceProfileArn: `arn:aws:iam::${accountId}:instance-profile/aws-opsworks-ec2-role`,
      };
      const now = new Date().toISOString();
      const stack = {
        StackId,
        Arn,
        Name,
        Region: region,
        ...roles,
        Tags: {},
        CreatedAt: now,
        Revision: randomUUID(),
      };
      const event = { EventId: randomUUID(), Time: now, Caller: "operator", StackId };
      await transact(table, [
        ...newStack(table, stack, {}),
        appendEvent(table, { ...event, Operation: "CreateStack", After: { Name, ...roles } }),
      ]);
      if (!isDemo) return;
      for (const [name, level] of Object.entries(grants)) {
        await seedGrant(table, event, userArn(accountId, name), Permission.parse(level));
      }
    }),
  );
  if (!isDemo) return;
  for (const name of demo.selfManagement) await seedSelfManagement(table, userArn(accountId, name));
}

async function seedSelfManagement(table: Table, IamUserArn: string): Promise<void> {
  const key = keys.user(IamUserArn);
  const user = readUser((await getItems(table, [key])).get(key));
  if (!user) return;
  const change = {
    Operation: "UpdateUserProfile",
    IamUserArn,
    Before: { AllowSelfManagement: user.AllowSelfManagement },
    After: { AllowSelfManagement: true },
  };
  const event = { EventId: randomUUID(), Time: new Date().toISOString(), Caller: "operator" };
  await transact(table, [
    putUser(table, { ...user, ...change.After, Revision: randomUUID() }, user.Revision),
    appendEvent(table, { ...event, ...change }),
  ]);
}

async function seedGrant(
  table: Table,
  event: { readonly Time: string; readonly Caller: string; readonly StackId: string },
  IamUserArn: string,
  permission: Permission,
): Promise<void> {
  const key = keys.user(IamUserArn);
  const user = readUser((await getItems(table, [key])).get(key));
  const grant = user && setGrant(table, user, event.StackId, permission, undefined);
  if (!grant) return;
  const change = { EventId: randomUUID(), Operation: "SetPermission", IamUserArn, After: permission };
  await transact(table, [grant, appendEvent(table, { ...event, ...change })]);
}

function userArn(accountId: string, name: string): string {
  return `arn:aws:iam::${accountId}:user/${name}`;
}
