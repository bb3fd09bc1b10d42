import { randomUUID } from "node:crypto";
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  type BatchWriteCommandOutput,
} from "@aws-sdk/lib-dynamodb";
import { hashOf } from "../../shared/model/policy-hash.ts";
import { stackArn } from "../../shared/model/stack-arn.ts";
import type { User } from "../../shared/model/user.ts";
import { setGrant } from "../../shared/table/grants.ts";
import { keys } from "../../shared/table/keys.ts";
import { newStack } from "../../shared/table/stacks.ts";
import type { Table } from "../../shared/table/table.ts";
import { putUser } from "../../shared/table/users.ts";
import type { Write } from "../../shared/table/write.ts";

export const PLACE = { partition: "aws", region: "us-east-1", accountId: "123456789012" };
const USERS = 1000;
const POLICIES = 20;
const LEVELS = ["show", "deploy", "manage"] as const;
/** BatchWriteItem takes no more. */
const BATCH = 25;
const AT_ONCE = 8;

/** Who has a level on which stack. */
export type Pair = { readonly userArn: string; readonly userId: string; readonly stackId: string };

/**
 * A table of so many grants: users, each with three policies of twenty, on as few stacks as it takes, every user on every stack. The third
 * user has Manage on the first stack.
 * @param count how many users; as many as stacks, up to 1,000, if left out
 */
export async function seedChecks(
  table: Table,
  grants: number,
  count = Math.min(USERS, Math.ceil(Math.sqrt(grants))),
): Promise<Pair[]> {
  const now = new Date().toISOString();
  const documents = Array.from({ length: POLICIES }, (_, index) => documentOf(index));
  const users = Array.from({ length: count }, (_, index) => userOf(index, documents, now));
  const stacks = Array.from({ length: Math.ceil(grants / count) }, (_, index) => stackOf(index, now));
  const items: object[] = documents.map((Document) => ({ ...keys.policy(hashOf(Document)), Document }));
  items.push(...users.flatMap((user) => itemsOf([putUser(table, user, undefined)])));
  items.push(...stacks.flatMap((stack) => itemsOf(newStack(table, stack, {}))));
  const pairs: Pair[] = [];
  for (const [place, { StackId }] of stacks.entries()) {
    for (const [index, user] of users.entries()) {
      const Level = LEVELS[(place + index) % LEVELS.length] ?? "show";
      const grant = setGrant(table, user, StackId, { Level, AllowSsh: true, AllowSudo: false }, undefined);
      items.push(...itemsOf(grant ? [grant] : []));
      pairs.push({ userArn: user.IamUserArn, userId: user.UserId ?? "", stackId: StackId });
    }
  }
  await putAll(table, items);
  return pairs;
}

function documentOf(index: number): string {
  const Resource = stackArn(PLACE, randomUUID());
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Sid: `Look${index}`, Effect: "Allow", Action: "opsworks:Describe*", Resource },
      {
        Effect: "Deny",
        Action: "opsworks:Delete*",
        Resource: "*",
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    ],
  });
}

function userOf(index: number, documents: readonly string[], CreatedAt: string): User {
  const Name = `user-${index}`;
  const Policies = [0, 7, 13].map((step) => {
    const place = (index + step) % documents.length;
    return { Name: `policy-${place}`, Hash: hashOf(documents[place] ?? "") };
  });
  return {
    IamUserArn: `arn:aws:iam::${PLACE.accountId}:user/${Name}`,
    Name,
    Kind: "user",
    ProfileId: randomUUID(),
    UserId: `AIDA${String(index).padStart(17, "0")}`,
    Groups: ["developers"],
    Policies,
    Tags: { team: `team-${index % 50}` },
    AllowSelfManagement: true,
    CreatedAt,
    Revision: randomUUID(),
  };
}

function stackOf(index: number, CreatedAt: string) {
  const StackId = randomUUID();
  return {
    StackId,
    Name: `stack-${index}`,
    Arn: stackArn(PLACE, StackId),
    Region: PLACE.region,
    ServiceRoleArn: `arn:aws:iam::${PLACE.accountId}:role/aws-opsworks-service-role`,
    DefaultInstanceProfileArn: `arn:aws:iam::${PLACE.accountId}:instance-profile/aws-opsworks-ec2-role`,
    Tags: { team: `team-${index % 50}` },
    CreatedAt,
    Revision: randomUUID(),
  };
}

function itemsOf(writes: readonly Write[]): object[] {
  return writes.flatMap(({ item }) => (item.Put?.Item ? [item.Put.Item] : []));
}

async function putAll(table: Table, items: object[]): Promise<void> {
  const worker = async () => {
    for (let batch = items.splice(-BATCH); batch.length > 0; batch = items.splice(-BATCH)) {
      let RequestItems: BatchWriteCommandInput["RequestItems"] = {
        [table.name]: batch.map((Item) => ({ PutRequest: { Item: { ...Item } } })),
      };
      while (RequestItems && Object.keys(RequestItems).length > 0) {
        const output: BatchWriteCommandOutput = await table.client.send(
          new BatchWriteCommand({ RequestItems }),
        );
        RequestItems = output.UnprocessedItems;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
