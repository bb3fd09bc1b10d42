import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/** The one table, and the client to reach it with. */
export type Table = { readonly name: string; readonly client: DynamoDBDocumentClient };

/**
 * Opens the table. Region, credentials and endpoint come from where the SDK finds them.
 * A call that hangs is given up and tried again, three times in all.
 */
export function openTable(name: string): Table {
  const client = new DynamoDBClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1800, requestTimeout: 1200, throwOnRequestTimeout: true },
  });
  // An object with a member called `constructor`, such as a tag's key, looks like an instance of a class.
  const marshallOptions = { removeUndefinedValues: true, convertClassInstanceToMap: true };
  return { name, client: DynamoDBDocumentClient.from(client, { marshallOptions }) };
}
