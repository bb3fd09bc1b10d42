import { randomBytes, randomUUID } from "node:crypto";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  ResourceInUseException,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { readPrincipal } from "../../shared/model/principal.ts";
import { openTable, type Table } from "../../shared/table/table.ts";
import { type Handler, type OwnPages, startGateway } from "./gateway.ts";
import { resolveEnvironment } from "./intrinsics.ts";
import type { Identity } from "./sigv4.ts";
import { pollStream } from "./streams.ts";
import { type Route, routes, streamSources, type Template, tableDefinition } from "./template.ts";

export type LocalStack = {
  readonly url: string;
  readonly region: string;
  readonly accountId: string;
  readonly tableName: string;
  readonly table: Table;
  /** Makes credentials for an ARN, as IAM or STS would; a role session gets temporary ones. */
  readonly signIn: (userArn: string, userId: string) => Identity;
  readonly close: () => Promise<void>;
};

export type LocalStackOptions = {
  readonly template: Template;
  /** Where DynamoDB answers. */
  readonly endpoint: string;
  readonly tableName: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly accountId: string;
  readonly region?: string;
  readonly administrators?: readonly string[];
  readonly directWrites?: boolean;
  /** ARNs of tables in other regions. */
  readonly sourceTables?: readonly string[];
  /** The bus that events are published to, at `AWS_ENDPOINT_URL_EVENTBRIDGE`; to none unless said. */
  readonly eventBus?: string;
  /** Whether the table's stream runs the functions that it runs in AWS. */
  readonly streams?: boolean;
  readonly ownPages?: OwnPages;
  readonly onRefusal?: (why: string) => void;
  readonly onFault?: (error: unknown) => void;
};

/**
 * The table, and the gateway with every function of the template behind it, in this process. The functions find the
 * deployment as they would in Lambda, by their environment.
 */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const { template, endpoint, tableName, accountId, region = "us-east-1" } = options;
  const given = {
    Table: tableName,
    Administrators: (options.administrators ?? []).join(","),
    DirectWrites: String(options.directWrites ?? false),
    SourceTables: (options.sourceTables ?? []).join(","),
    EventBus: options.eventBus ?? "",
  };
  const allRoutes = routes(template);
  useLocalDynamoDb(endpoint, region);
  for (const { environment } of [...allRoutes, ...streamSources(template)])
    Object.assign(process.env, resolveEnvironment(template, environment, given));

  process.env.TABLE_TIMEOUT_MS ??= "15000";
  const table = openTable(tableName, undefined, Number(process.env.TABLE_TIMEOUT_MS));
  await createTable(table, tableDefinition(template, tableName, { stream: options.streams }));

  const stream = options.streams ? await runStreams(table, options, region) : undefined;

  const identities = new Map<string, Identity>();
  const gateway = await startGateway({
    routes: allRoutes,
    port: options.port,
    region,
    accountId,
    credentials: (accessKeyId) => identities.get(accessKeyId),
    handlerOf: (functionName) => loadHandler(allRoutes.find((route) => route.functionName === functionName)),
    ...(options.ownPages ? { ownPages: options.ownPages } : {}),
    ...(options.onRefusal ? { onRefusal: options.onRefusal } : {}),
    ...(options.onFault ? { onFault: options.onFault } : {}),
  });
  return {
    url: gateway.url,
    region,
    accountId,
    tableName,
    table,
    signIn: (userArn, userId) => {
      const identity = makeIdentity(userArn, userId);
      identities.set(identity.accessKeyId, identity);
      return identity;
    },
    async close() {
      await gateway.close();
      await stream?.close();
    },
  };
}

/** The functions that the table's stream runs in AWS. */
async function runStreams(table: Table, options: LocalStackOptions, region: string) {
  const { Table: described } = await table.client.send(new DescribeTableCommand({ TableName: table.name }));
  return pollStream(
    options.endpoint,
    described?.LatestStreamArn ?? "",
    streamSources(options.template),
    async ({ functionName, handler, timeoutMs }, event) => {
      const run = await loadHandler({ handler });
      const deadline = Date.now() + timeoutMs;
      await run(event, {
        awsRequestId: randomUUID(),
        invokedFunctionArn: `arn:aws:lambda:${region}:${options.accountId}:function:stackwarden-local-${functionName}`,
        getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
      });
    },
    options.onFault,
  );
}

/** Unless it is there, kept from an earlier run; of an earlier version, it is given the indexes that it lacks. */
async function createTable({ client }: Table, definition: CreateTableCommandInput): Promise<void> {
  try {
    await client.send(new CreateTableCommand(definition));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
    const { TableName, AttributeDefinitions, GlobalSecondaryIndexes = [] } = definition;
    const { Table: there } = await client.send(new DescribeTableCommand({ TableName }));
    const has = new Set((there?.GlobalSecondaryIndexes ?? []).map(({ IndexName }) => IndexName));
    for (const Create of GlobalSecondaryIndexes.filter(({ IndexName }) => !has.has(IndexName))) {
      const GlobalSecondaryIndexUpdates = [{ Create }];
      await client.send(
        new UpdateTableCommand({ TableName, AttributeDefinitions, GlobalSecondaryIndexUpdates }),
      );
    }
  }
}

/** Points the SDK at DynamoDB Local, whatever profile or credentials the shell has. */
export function useLocalDynamoDb(endpoint: string, region: string): void {
  for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN"]) delete process.env[name];
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
  });
}

const Module = z.record(z.string(), z.unknown());

/** The handler that a route's `functions/set-permission.handler` names. */
export async function loadHandler(route: Pick<Route, "handler"> | undefined): Promise<Handler> {
  const [file, name = ""] = route?.handler.split(".") ?? [];
  const url = new URL(`../../${file}.ts`, import.meta.url).href;
  const handler = Module.parse({ ...(await import(/* @vite-ignore */ url)) })[name];
  if (typeof handler !== "function") throw new Error(`there is no handler \`${route?.handler}\``);
  return (event, context) => handler(event, context);
}

function makeIdentity(userArn: string, userId: string): Identity {
  const principal = readPrincipal(userArn);
  if (!principal) throw new Error(`${userArn} is no principal`);
  const isTemporary = principal.kind === "session" || principal.kind === "federated";
  return {
    accessKeyId: `${isTemporary ? "ASIA" : "AKIA"}${randomBytes(8).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString("base64url"),
    ...(isTemporary ? { sessionToken: randomBytes(24).toString("base64url") } : {}),
    accountId: principal.accountId,
    userArn,
    userId,
  };
}
