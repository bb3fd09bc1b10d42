import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

/** The one table, and the client to reach it with. */
export type Table = {
  readonly name: string;
  readonly client: DynamoDBDocumentClient;
  /** After which a request that hangs is given up. */
  readonly timeoutMs: number;
  /** Told the write units that a write took; without it, DynamoDB is not asked. */
  readonly onWriteUnits?: (units: number) => void;
};

/** Three of them fit into the time of a function. */
const TIMEOUT_MS = 1200;

/**
 * Opens the table. Credentials and endpoint come from where the SDK finds them, and so does the region, unless it is another.
 * Nothing is tried again by the client: `ask` and `transact` do, which know how much time there is.
 */
export function openTable(name: string, region?: string, timeoutMs = TIMEOUT_MS): Table {
  const client = new DynamoDBClient({ ...(region === undefined ? {} : { region }), maxAttempts: 1 });
  // An object with a member called `constructor`, such as a tag's key, looks like an instance of a class.
  const marshallOptions = { removeUndefinedValues: true, convertClassInstanceToMap: true };
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions });
  // It prepares each request and answer for a logger, and there is none: a tenth of the time that a request takes the client.
  documents.middlewareStack.remove("loggerMiddleware");
  return { name, client: documents, timeoutMs };
}
