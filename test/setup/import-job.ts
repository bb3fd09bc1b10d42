import { IAMClient } from "@aws-sdk/client-iam";
import { CreateTableCommand } from "@aws-sdk/client-dynamodb";
import { ScanCommand } from "@aws-sdk/lib-dynamodb";
import { randomUUID } from "node:crypto";
import { type Template, tableDefinition } from "../../infra/local/template.ts";
import { IamReader } from "../../shared/account/iam-reader.ts";
import { type ImportSeam, runImport } from "../../shared/account/run-import.ts";
import type { ImportRequest } from "../../shared/account/start-import.ts";
import { startImport } from "../../shared/account/start-import.ts";
import type { Sync } from "../../shared/model/sync.ts";
import { readSync } from "../../shared/table/sync.ts";
import { openTable, type Table } from "../../shared/table/table.ts";
import { ACCOUNT } from "./test-stack.ts";

/** A table of its own, in this region or another. */
export async function newTable(template: Template, region?: string): Promise<Table> {
  const table = openTable(`test-${randomUUID()}`, region, 15_000);
  await table.client.send(new CreateTableCommand(tableDefinition(template, table.name)));
  return table;
}

/** What a job works with; a call that fails is not made again, unless there is a client that does. */
export function seamOf(table: Table, iamUrl: string, rest: Partial<ImportSeam> = {}): ImportSeam {
  const client = new IAMClient({ endpoint: iamUrl, maxAttempts: 1 });
  return {
    table,
    iam: new IamReader(client),
    accountId: ACCOUNT,
    sourceIn: () => undefined,
    catalogue: [],
    now: () => new Date(),
    timeLeft: () => 900_000,
    ...rest,
  };
}

/** Runs the step that is due, as the table's stream would. */
export async function runDue(seam: ImportSeam): Promise<Sync> {
  await runImport(seam, await syncOf(seam.table));
  return syncOf(seam.table);
}

/** A whole job, begun and run. */
export async function importWith(seam: ImportSeam, request: Partial<ImportRequest> = {}): Promise<Sync> {
  await startImport(seam.table, { caller: "tester", ...request }, new Date());
  return runDue(seam);
}

export async function syncOf(table: Table): Promise<Sync> {
  const sync = await readSync(table);
  if (!sync) throw new Error("there is no job");
  return sync;
}

/** All that a table holds, without what is made anew each time: times and random ids. */
export async function dump(table: Table): Promise<unknown[]> {
  const items: Record<string, unknown>[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await table.client.send(
      new ScanCommand({ TableName: table.name, ConsistentRead: true, ExclusiveStartKey }),
    );
    items.push(...(page.Items ?? []));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return items
    .map((item) => withoutChance(item))
    .map((item) => JSON.stringify(item))
    .toSorted()
    .map((text): unknown => JSON.parse(text));
}

/** What a job says of itself, likewise; what it cost is no result. */
export function reportOf(sync: Sync): unknown {
  const { Attempts: _attempts, Step: _step, WriteUnits: _units, Failure: _failure, ...report } = sync;
  return withoutChance(report);
}

const CHANCE = new Set(["Revision", "ProfileId", "CreatedAt", "EventId", "Time", "ImportId", "Id", "gsi2sk"]);
const TIMES = new Set(["StartedAt", "SeenAt", "FinishedAt", "PoliciesAsOf", "GoneSince"]);
/** What a job says of itself is compared by itself. */
const COSTS = new Set(["Attempts", "Step", "WriteUnits", "Failure"]);

function withoutChance(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutChance);
  if (typeof value !== "object" || value === null) return value;
  const isEvent = "pk" in value && String(value.pk).startsWith("EVENTS#");
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !CHANCE.has(name) && !COSTS.has(name) && !(isEvent && name === "sk"))
      .map(([name, member]) => [name, TIMES.has(name) ? "some time" : withoutChance(member)])
      .toSorted(([one = ""], [other = ""]) => (String(one) < String(other) ? -1 : 1)),
  );
}
