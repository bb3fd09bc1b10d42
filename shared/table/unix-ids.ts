import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { Fault } from "../model/fault.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";

/** Reserved for the users of stacks. Source: OpsWorks User Guide, "Importing Users into AWS OpsWorks Stacks". */
const FIRST = 2000;
const LAST = 4000;

/**
 * The next Unix id: counted up by DynamoDB itself, so no two calls ever get the same one. One that is not used after all is
 * lost, never given again.
 * @throws Fault ConflictException when there are none left
 */
export async function nextUnixId(table: Table): Promise<number> {
  try {
    const { Attributes } = await table.client.send(
      new UpdateCommand({
        TableName: table.name,
        Key: keys.unixIds(),
        UpdateExpression: "SET LastGiven = if_not_exists(LastGiven, :before) + :one",
        ConditionExpression: "attribute_not_exists(LastGiven) OR LastGiven < :last",
        ExpressionAttributeValues: { ":before": FIRST - 1, ":one": 1, ":last": LAST },
        ReturnValues: "UPDATED_NEW",
      }),
    );
    return z.object({ LastGiven: z.number() }).parse(Attributes).LastGiven;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    const message = `no Unix id is left: ${FIRST} to ${LAST} are all given, and none is given twice`;
    throw new Fault("ConflictException", message, { cause: error });
  }
}
