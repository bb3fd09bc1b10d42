import { DescribeImport } from "../shared/contract/describe-import.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { ImportReport } from "../shared/model/sync.ts";
import { readSync } from "../shared/table/sync.ts";

export const handler = serve(DescribeImport, async ({ deployment }) => {
  const sync = await readSync(deployment.table);
  if (!sync) throw new Fault("ResourceNotFoundException", "there was no import yet: ImportUsers starts one");
  const Status = sync.Status === "due" ? "running" : sync.Status;
  return { ...ImportReport.parse(sync), Status };
});
