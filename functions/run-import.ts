import type { Context } from "aws-lambda";
import * as z from "zod";
import { IamReader } from "../shared/account/iam-reader.ts";
import { runImport } from "../shared/account/run-import.ts";
import { actionNames } from "../shared/decision/levels.ts";
import { deploymentOf, sourceTables } from "../shared/lambda/environment.ts";
import { inTime } from "../shared/lambda/in-time.ts";
import { openTable } from "../shared/table/table.ts";

const StreamEvent = z.object({
  Records: z.array(
    z.object({
      dynamodb: z.object({
        NewImage: z.looseObject({
          ImportId: z.object({ S: z.string() }),
          Step: z.object({ N: z.string() }),
        }),
      }),
    }),
  ),
});

const iam = new IamReader();

/** Runs the step of an import job that became due. The table's stream calls, and calls again for one that fails. */
export async function handler(event: unknown, context: Context): Promise<void> {
  const { table, place } = deploymentOf(context);
  for (const { dynamodb } of StreamEvent.parse(event).Records) {
    const { ImportId, Step } = dynamodb.NewImage;
    const seam = {
      table,
      iam,
      accountId: place.accountId,
      sourceIn: (region: string) => {
        const name = sourceTables(place.accountId).get(region);
        return name === undefined ? undefined : openTable(name, region);
      },
      catalogue: actionNames(),
      now: () => new Date(),
      timeLeft: () => context.getRemainingTimeInMillis(),
    };
    await inTime(context, () => runImport(seam, { ImportId: ImportId.S, Step: Number(Step.N) }));
  }
}
