import * as z from "zod";
import { StackId, StackSettings } from "../model/stack.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/** These stacks, each of which the caller may describe; or all, for whoever may describe every one. */
export const DescribeStacks = operation({
  name: "DescribeStacks",
  path: "/DescribeStacks",
  reads: true,
  input: z.strictObject({
    StackIds: z
      .array(StackId)
      .min(1, { error: "must name a stack" })
      .max(100, { error: "must name at most 100 stacks" })
      .optional(),
    ...Paging,
  }),
  output: z.object({
    Stacks: z.array(
      StackSettings.extend({
        StackId: z.string(),
        Name: z.string(),
        Arn: z.string(),
        Region: z.string(),
        ServiceRoleArn: z.string(),
        DefaultInstanceProfileArn: z.string(),
        CreatedAt: z.string(),
        Version: z.string(),
      }),
    ),
    NextToken: z.string().optional(),
  }),
  needs: () => undefined,
});
