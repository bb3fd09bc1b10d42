import { namesOf } from "../shared/access/who.ts";
import { noSourceIn, startImport } from "../shared/account/start-import.ts";
import { ImportUsers } from "../shared/contract/import-users.ts";
import { tokenWrites } from "../shared/lambda/commit.ts";
import { sourceTables } from "../shared/lambda/environment.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";

/** Starts an import job. RunImport does it, run by the table's stream; DescribeImport tells how far it is. */
export const handler = serve(ImportUsers, async (call) => {
  const { input, reason, deployment, caller, now, answer } = call;
  const { SourceRegion } = input;
  if (SourceRegion === deployment.place.region)
    throw new Fault("ValidationException", "`SourceRegion` must be another region than this deployment's");
  if (SourceRegion !== undefined && !sourceTables(deployment.place.accountId).has(SourceRegion))
    throw new Fault("ValidationException", noSourceIn(SourceRegion));
  const notReplaced = answer?.administrator ? {} : { notReplaced: namesOf(caller.principal) };
  const request = { ...input, reason, caller: caller.principal.arn, ...notReplaced };
  const token = (ImportId: string) => tokenWrites(call, { ImportId });
  return { ImportId: await startImport(deployment.table, request, now, token) };
});
