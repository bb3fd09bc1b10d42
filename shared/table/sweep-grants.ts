import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { Grant } from "../model/grant.ts";
import { INDEX, indexKeys, keys } from "./keys.ts";
import { queryPage } from "./list.ts";
import type { Table } from "./table.ts";

const PAGE = 100;

/** Deletes the grants that a deleted user left behind; those of somebody who has the name now stay. Answers how many. */
export function sweepGrantsOfUser(table: Table, userArn: string, profileId: string): Promise<number> {
  const { gsi1pk } = indexKeys.userGrants(userArn, "");
  const query = {
    IndexName: INDEX,
    KeyConditionExpression: "gsi1pk = :user",
    ExpressionAttributeValues: { ":user": gsi1pk },
  };
  return sweep(table, query, (grant) => grant.ProfileId === profileId);
}

/** Deletes the grants on a deleted stack. Answers how many. */
export function sweepGrantsOfStack(table: Table, stackId: string): Promise<number> {
  const { pk, sk } = keys.grant(stackId, "");
  const query = {
    KeyConditionExpression: "pk = :stack AND begins_with(sk, :grant)",
    ExpressionAttributeValues: { ":stack": pk, ":grant": sk },
  };
  return sweep(table, query, () => true);
}

async function sweep(
  table: Table,
  query: Parameters<typeof queryPage>[1],
  isDead: (grant: Grant) => boolean,
): Promise<number> {
  let swept = 0;
  let start: Record<string, unknown> | undefined;
  do {
    const page = await queryPage(table, query, PAGE, start);
    const dead = page.items.map((item) => Grant.parse(item)).filter(isDead);
    await Promise.all(dead.map((grant) => removeGrant(table, grant)));
    swept += dead.length;
    start = page.next;
  } while (start !== undefined);
  return swept;
}

/** A grant that was set again meanwhile is somebody else's, and stays. */
async function removeGrant(table: Table, grant: Grant): Promise<void> {
  try {
    await table.client.send(
      new DeleteCommand({
        TableName: table.name,
        Key: keys.grant(grant.StackId, grant.IamUserArn),
        ConditionExpression: "Revision = :revision",
        ExpressionAttributeValues: { ":revision": grant.Revision },
      }),
    );
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
