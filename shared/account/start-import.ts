import { randomUUID } from "node:crypto";
import { Fault } from "../model/fault.ts";
import { isAlive } from "../model/sync.ts";
import { readSync, startSync } from "../table/sync.ts";
import type { Write } from "../table/write.ts";
import type { Table } from "../table/table.ts";

/** What is to be imported. */
export type ImportRequest = {
  /** The ARN of who asks, or `schedule`. */
  readonly caller: string;
  readonly IamUserArns?: readonly string[] | undefined;
  readonly OnlyKnown?: boolean | undefined;
  readonly SourceRegion?: string | undefined;
  readonly notReplaced?: readonly string[];
  /** Why, for the events. */
  readonly reason?: string | undefined;
};

/**
 * Writes a job that is due; the table's stream has it run. What it reads is bounded by IAM, so one at a time is enough.
 * @param also what is written together with it
 * @throws Fault ConflictException while another one runs
 */
export async function startImport(
  table: Table,
  request: ImportRequest,
  now: Date,
  also: (importId: string) => Write[] = () => [],
): Promise<string> {
  const { caller, IamUserArns, OnlyKnown = false, SourceRegion, notReplaced, reason } = request;
  const current = await readSync(table);
  if (current && isAlive(current, now)) {
    throw new Fault(
      "ConflictException",
      `an import that began at ${current.StartedAt} is running: DescribeImport shows how far it is`,
    );
  }
  const ImportId = randomUUID();
  const at = now.toISOString();
  const isStarted = await startSync(
    table,
    {
      ImportId,
      Status: "due",
      Caller: caller,
      StartedAt: at,
      SeenAt: at,
      Step: 0,
      Attempts: 0,
      Source: SourceRegion ?? "iam",
      ...(IamUserArns ? { IamUserArns: [...new Set(IamUserArns)] } : {}),
      ...(notReplaced ? { NotReplaced: [...notReplaced] } : {}),
      ...(reason === undefined ? {} : { Reason: reason }),
      OnlyKnown,
      Progress: { Done: 0 },
      Added: 0,
      Changed: 0,
      Unchanged: 0,
      Vanished: 0,
      VanishedUsers: [],
      Unreadable: 0,
      NotUnderstood: [],
      NotUnderstoodCount: 0,
      Findings: 0,
      WriteUnits: 0,
      ...(current?.PoliciesAsOf === undefined ? {} : { PoliciesAsOf: current.PoliciesAsOf }),
    },
    current,
    also(ImportId),
  );
  if (isStarted) return ImportId;
  throw new Fault(
    "ConflictException",
    "another import was started at the same time: DescribeImport shows how far it is",
  );
}

/** Said where a job is asked for, and where it runs. */
export function noSourceIn(region: string): string {
  return `\`SourceRegion\` ${region} has no table in the deployment's parameter SourceTables: add its ARN, and deploy`;
}
