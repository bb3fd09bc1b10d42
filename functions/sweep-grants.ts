import type { Context } from "aws-lambda";
import * as z from "zod";
import { deploymentOf } from "../shared/lambda/environment.ts";
import { inTime } from "../shared/lambda/in-time.ts";
import { sweepUnfinishedClone } from "../shared/table/clones.ts";
import { sweepGrantsOfStack, sweepGrantsOfUser } from "../shared/table/sweep-grants.ts";

const Text = z.object({ S: z.string() });
const StreamEvent = z.object({
  Records: z.array(
    z.object({
      dynamodb: z.object({
        Keys: z.object({ pk: Text, sk: Text }),
        /** Of a user who was replaced by somebody else under the same name. */
        NewImage: z.looseObject({ ProfileId: Text.optional() }).optional(),
        OldImage: z.looseObject({
          IamUserArn: Text.optional(),
          ProfileId: Text.optional(),
          StackId: Text.optional(),
        }),
      }),
    }),
  ),
});

/**
 * Clears away what a deleted user or stack, or a user who was replaced, left behind, and a copy of a stack that was never
 * finished. It counted for nobody since then; this is housekeeping, run by the table's stream, which repeats a batch that fails.
 */
export function handler(event: unknown, context: Context): Promise<void> {
  return inTime(context, () => sweep(event, context));
}

async function sweep(event: unknown, context: Context): Promise<void> {
  const { table } = deploymentOf(context);
  for (const { dynamodb } of StreamEvent.parse(event).Records) {
    const { Keys, NewImage, OldImage } = dynamodb;
    const { IamUserArn, ProfileId, StackId } = OldImage;
    const isGone = NewImage === undefined || NewImage.ProfileId?.S !== ProfileId?.S;
    if (Keys.sk.S === "USER" && IamUserArn && ProfileId && isGone) {
      await sweepGrantsOfUser(table, IamUserArn.S, ProfileId.S);
    }
    if (Keys.sk.S === "STACK" && StackId && NewImage === undefined)
      await sweepGrantsOfStack(table, StackId.S);
    if (Keys.sk.S === "CLONE" && StackId && NewImage === undefined)
      await sweepUnfinishedClone(table, StackId.S);
  }
}
