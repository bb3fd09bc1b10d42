import * as z from "zod";
import { Instance, InstanceId } from "../model/instance.ts";
import { LayerId } from "../model/layer.ts";
import { StackId } from "../model/stack.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/** The instances of a stack or of a layer, or these instances, on each of whose stacks the caller may describe them. */
export const DescribeInstances = operation({
  name: "DescribeInstances",
  path: "/DescribeInstances",
  reads: true,
  input: z
    .strictObject({
      StackId: StackId.optional(),
      LayerId: LayerId.optional(),
      InstanceIds: z
        .array(InstanceId)
        .min(1, { error: "must name an instance" })
        .max(100, { error: "must name at most 100 instances" })
        .optional(),
      ...Paging,
    })
    .refine(
      ({ StackId, LayerId, InstanceIds }) =>
        [StackId, LayerId, InstanceIds].filter((one) => one !== undefined).length === 1,
      { error: "one of `StackId`, `LayerId` and `InstanceIds` is required, and no two" },
    ),
  output: z.object({
    Instances: z.array(
      Instance.extend({
        Arn: z.string(),
        /** The one that applies: the first layer's, else the stack's. */
        InstanceProfileArn: z.string(),
        Version: z.string(),
      }),
    ),
    NextToken: z.string().optional(),
  }),
  needs: ({ StackId, LayerId }) => {
    const action = "opsworks:DescribeInstances";
    if (StackId !== undefined) return { action, stackId: StackId };
    return LayerId === undefined ? undefined : { action, layerId: LayerId };
  },
});
