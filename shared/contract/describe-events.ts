import * as z from "zod";
import { Event } from "../model/event.ts";
import { IamUserArn } from "../model/principal.ts";
import { StackId } from "../model/stack.ts";
import { Time } from "../model/time.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/**
 * What was changed on a stack, of a user or, with neither, in the account, the newest first. The trail of a stack stays when the stack is
 * deleted. Without a stack it takes a policy that allows it on every stack.
 */
export const DescribeEvents = operation({
  name: "DescribeEvents",
  path: "/DescribeEvents",
  reads: true,
  input: z
    .strictObject({
      StackId: StackId.optional(),
      IamUserArn: IamUserArn.optional(),
      StartTime: Time.optional(),
      EndTime: Time.optional(),
      ...Paging,
    })
    .refine((input) => input.StackId === undefined || input.IamUserArn === undefined, {
      error: "`StackId` and `IamUserArn` exclude one another",
    }),
  output: z.object({ Events: z.array(Event), NextToken: z.string().optional() }),
  needs: ({ StackId }) => ({
    action: "stackwarden:DescribeEvents",
    ...(StackId === undefined ? {} : { stackId: StackId, mayBeGone: true }),
  }),
});
