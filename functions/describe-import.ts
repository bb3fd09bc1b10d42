import { DescribeImport } from "../shared/contract/describe-import.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { ImportReport, isAlive } from "../shared/model/sync.ts";
import { readSync } from "../shared/table/sync.ts";

/** How far the job is, or how it ended. One that gives no sign of life any more has failed. */
export const handler = serve(DescribeImport, async ({ deployment, now }) => {
  const sync = await readSync(deployment.table);
  if (!sync) throw new Fault("ResourceNotFoundException", "there was no import yet: ImportUsers starts one");
  const report = ImportReport.parse(sync);
  if (sync.Status === "succeeded" || sync.Status === "failed") return { ...report, Status: sync.Status };
  if (isAlive(sync, now)) return { ...report, Status: "running" as const };
  const Failure = `no sign of life since ${sync.SeenAt}: see the log of RunImport, and start another one`;
  return { ...report, Status: "failed" as const, Failure };
});
