import { randomBytes } from "node:crypto";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  ResourceInUseException,
} from "@aws-sdk/client-dynamodb";
import * as z from "zod";
import { readPrincipal } from "../../shared/model/principal.ts";
import { openTable, type Table } from "../../shared/table/table.ts";
import { type Handler, startGateway } from "./gateway.ts";
import { resolveEnvironment } from "./intrinsics.ts";
import type { Identity } from "./sigv4.ts";
import { type Route, routes, type Template, tableDefinition } from "./template.ts";

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
  };
  const allRoutes = routes(template);
  useLocalDynamoDb(endpoint, region);
  for (const route of allRoutes)
    Object.assign(process.env, resolveEnvironment(template, route.environment, given));

  const table = openTable(tableName);
  await createTable(table, tableDefinition(template, tableName));

  const identities = new Map<string, Identity>();
  const gateway = await startGateway({
    routes: allRoutes,
    port: options.port,
    region,
    accountId,
    credentials: (accessKeyId) => identities.get(accessKeyId),
    handlerOf: (functionName) => loadHandler(allRoutes.find((route) => route.functionName === functionName)),
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
    close: () => gateway.close(),
  };
}

/** Unless it is there, kept from an earlier run. */
async function createTable({ client }: Table, definition: CreateTableCommandInput): Promise<void> {
  try {
    await client.send(new CreateTableCommand(definition));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
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
