import * as z from "zod";
import { LayerName, LayerSettings, LayerType, Shortname } from "../model/layer.ts";
import { StackId } from "../model/stack.ts";
import { RoleGap } from "../model/role-gap.ts";
import { operation } from "./operation.ts";
import { Writing } from "./writing.ts";

/** Creates a layer of a stack, in OpsWorks' shape. */
export const CreateLayer = operation({
  name: "CreateLayer",
  path: "/CreateLayer",
  reads: false,
  input: LayerSettings.extend({ StackId, Type: LayerType, Name: LayerName, Shortname, ...Writing }),
  output: z.object({
    LayerId: z.string(),
    RoleGaps: z.array(RoleGap).optional(),
    NotKnown: z.array(z.string()).optional(),
  }),
  needs: ({ StackId }) => ({ action: "opsworks:CreateLayer", stackId: StackId }),
});
