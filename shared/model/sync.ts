import * as z from "zod";
import { RoleGap } from "./role-gap.ts";

/** How far an import from IAM is, as DescribeImport shows it. */
export const ImportReport = z.object({
  ImportId: z.string(),
  /** The ARN of who asked for it, or `schedule`. */
  Caller: z.string(),
  StartedAt: z.string(),
  FinishedAt: z.string().optional(),
  /** `iam`, or the region whose profiles are imported. */
  Source: z.string(),
  /** Users and roles that were looked at; `Of` is told at the end, since IAM does not tell before. A job that was interrupted counts again from 0. */
  Progress: z.object({ Done: z.number(), Of: z.number().optional() }),
  Added: z.number(),
  Changed: z.number(),
  Unchanged: z.number(),
  /** In the table, imported from this account, and not in IAM now, whenever they went. */
  Vanished: z.number(),
  VanishedUsers: z.array(z.string()),
  /** With a policy that could not be read, which denies them everything that it might decide. */
  Unreadable: z.number(),
  /** The first hundred of `NotUnderstoodCount`. */
  NotUnderstood: z.array(z.string()),
  NotUnderstoodCount: z.number().default(0),
  Findings: z.number(),
  /** What the roles of stacks lack now, where it is an error; those of the first stacks, when there are many. */
  RoleGaps: z
    .array(RoleGap.pick({ code: true, Arn: true, message: true }).extend({ StackId: z.string() }))
    .optional(),
  /** What went wrong last; a job that is `running` tries again. */
  Failure: z.string().optional(),
  /** What DynamoDB counted for all that the job wrote. */
  WriteUnits: z.number(),
});
export type ImportReport = z.infer<typeof ImportReport>;

/** The import job: the one item that a job writes when nothing has changed. */
export const Sync = ImportReport.extend({
  /** `due`: a step is to be begun, which the table's stream sees to. */
  Status: z.enum(["due", "running", "succeeded", "failed"]),
  /** The job's last sign of life. */
  SeenAt: z.string(),
  /** A job that does not finish in one run of its function goes on in the next step. */
  Step: z.number(),
  /** How often this step was begun. */
  Attempts: z.number(),
  /** Whom to import; everybody when absent. Kept while the job runs. */
  IamUserArns: z.array(z.string()).optional(),
  /** Whose profile another region's does not replace: who asks, unless an administrator, since that ends what denies them something. */
  NotReplaced: z.array(z.string()).optional(),
  /** Why it was asked for. */
  Reason: z.string().optional(),
  /** Only who is in the table already. */
  OnlyKnown: z.boolean(),
  /** When the last import from IAM of everybody known, which came to its end, began to read. */
  PoliciesAsOf: z.string().optional(),
});
export type Sync = z.infer<typeof Sync>;

/** After that long without a sign of life a job counts as dead, and another may take its place. */
const PATIENCE = 20 * 60_000;

export function isRunning({ Status }: Sync): boolean {
  return Status === "due" || Status === "running";
}

export function isAlive(sync: Sync, now: Date): boolean {
  return isRunning(sync) && now.getTime() - Date.parse(sync.SeenAt) <= PATIENCE;
}
