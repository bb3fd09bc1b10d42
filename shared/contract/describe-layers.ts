import * as z from "zod";
import { Layer, LayerId } from "../model/layer.ts";
import { StackId } from "../model/stack.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/** The layers of a stack, or these layers, on each of whose stacks the caller may describe them. */
export const DescribeLayers = operation({
  name: "DescribeLayers",
  path: "/DescribeLayers",
  reads: true,
  input: z
    .strictObject({
      StackId: StackId.optional(),
      LayerIds: z
        .array(LayerId)
        .min(1, { error: "must name a layer" })
        .max(100, { error: "must name at most 100 layers" })
        .optional(),
      ...Paging,
    })
    .refine((input) => (input.StackId === undefined) !== (input.LayerIds === undefined), {
      error: "one of `StackId` and `LayerIds` is required, and not both",
    }),
  output: z.object({
    Layers: z.array(
      Layer.omit({ Tags: true }).extend({
        Arn: z.string(),
        /** The one that applies: the layer's, else the stack's. */
        InstanceProfileArn: z.string(),
        Version: z.string(),
      }),
    ),
    NextToken: z.string().optional(),
  }),
  needs: ({ StackId }) =>
    StackId === undefined ? undefined : { action: "opsworks:DescribeLayers", stackId: StackId },
});
