import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import type { Grant } from "../model/grant.ts";
import { ask } from "./ask.ts";
import { grantsOfStack, grantsOfUser } from "./grants.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";

/** Deletes the grants that a deleted user left behind; those of somebody who has the name now stay. Answers how many. */
export function sweepGrantsOfUser(table: Table, userArn: string, profileId: string): Promise<number> {
  return sweep(table, grantsOfUser(table, userArn), (grant) => grant.ProfileId === profileId);
}

/** Deletes the grants on a deleted stack. Answers how many. */
export function sweepGrantsOfStack(table: Table, stackId: string): Promise<number> {
  return sweep(table, grantsOfStack(table, stackId), () => true);
}

async function sweep(
  table: Table,
  pages: AsyncIterable<readonly Grant[]>,
  isDead: (grant: Grant) => boolean,
): Promise<number> {
  let swept = 0;
  for await (const grants of pages) {
    const dead = grants.filter(isDead);
    await Promise.all(dead.map((grant) => removeGrant(table, grant)));
    swept += dead.length;
  }
  return swept;
}

/** A grant that was set again meanwhile is somebody else's, and stays. */
async function removeGrant(table: Table, grant: Grant): Promise<void> {
  try {
    const remove = new DeleteCommand({
      TableName: table.name,
      Key: keys.grant(grant.StackId, grant.IamUserArn),
      ConditionExpression: "Revision = :revision",
      ExpressionAttributeValues: { ":revision": grant.Revision },
    });
    await ask(table, (how) => table.client.send(remove, how));
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}
