import type { Context } from "aws-lambda";
import type { Deployment } from "../access/deployment.ts";
import { readPrincipal } from "../model/principal.ts";
import { openTable } from "../table/table.ts";

let opened: Deployment | undefined;

/** The deployment this function belongs to, from its environment and its own ARN; opened once. */
export function deploymentOf(context: Context): Deployment {
  opened ??= open(context.invokedFunctionArn);
  return opened;
}

/** Whether a Lambda that invokes a writing operation directly may name the caller. */
export function areDirectWritesOn(): boolean {
  return process.env.DIRECT_WRITES === "true";
}

/** The bus that events are published to, if any. */
export function eventBus(): string | undefined {
  return process.env.EVENT_BUS || undefined;
}

/** The tables of other regions' deployments in this account that users can be imported from, by region. */
export function sourceTables(accountId: string): ReadonlyMap<string, string> {
  const tables = new Map<string, string>();
  for (const arn of (process.env.SOURCE_TABLES ?? "").split(",").filter(Boolean)) {
    const [, region = "", account, name] = TABLE_ARN.exec(arn.trim()) ?? [];
    if (account !== accountId || !name || tables.has(region)) {
      throw new Error(
        `the parameter SourceTables takes ARNs of DynamoDB tables of account ${accountId}, one a region, not \`${arn}\``,
      );
    }
    tables.set(region, name);
  }
  return tables;
}

const TABLE_ARN = /^arn:aws[a-z-]*:dynamodb:([a-z0-9-]+):(\d{12}):table\/([\w.-]+)$/;

function open(functionArn: string): Deployment {
  const [, partition, , region, accountId] = functionArn.split(":");
  const { TABLE_NAME: tableName, ADMINISTRATORS: administrators = "" } = process.env;
  if (!partition || !region || !accountId || !tableName) {
    throw new Error("TABLE_NAME and the function's own ARN are needed to open the table");
  }
  return {
    // Set where the machine is slower than Lambda's.
    table: openTable(tableName, undefined, Number(process.env.TABLE_TIMEOUT_MS) || undefined),
    place: { partition, region, accountId },
    administrators: new Set(administrators.split(",").filter(Boolean).map(administratorArn)),
  };
}

function administratorArn(arn: string): string {
  const principal = readPrincipal(arn.trim());
  if (principal?.kind !== "user" && principal?.kind !== "role") {
    throw new Error(`the parameter Administrators takes IAM users and roles, not \`${arn}\``);
  }
  return principal.userArn;
}
