import type { Context } from "aws-lambda";
import * as z from "zod";
import { deploymentOf } from "../shared/lambda/environment.ts";
import { sweepGrantsOfStack, sweepGrantsOfUser } from "../shared/table/sweep-grants.ts";

const Text = z.object({ S: z.string() });
const StreamEvent = z.object({
  Records: z.array(
    z.object({
      eventName: z.string(),
      dynamodb: z.object({
        Keys: z.object({ pk: Text, sk: Text }),
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
 * Clears away what a deleted user or stack left behind. It counted for nobody since the deletion; this is housekeeping, run by
 * the table's stream, which repeats a batch that fails.
 */
export async function handler(event: unknown, context: Context): Promise<void> {
  const { table } = deploymentOf(context);
  for (const { eventName, dynamodb } of StreamEvent.parse(event).Records) {
    const { IamUserArn, ProfileId, StackId } = dynamodb.OldImage;
    if (eventName !== "REMOVE") continue;
    const item = dynamodb.Keys.sk.S;
    if (item === "USER" && IamUserArn && ProfileId) await sweepGrantsOfUser(table, IamUserArn.S, ProfileId.S);
    if (item === "STACK" && StackId) await sweepGrantsOfStack(table, StackId.S);
  }
}
