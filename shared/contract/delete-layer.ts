import * as z from "zod";
import { LayerId } from "../model/layer.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** Removes a layer from its stack. */
export const DeleteLayer = operation({
  name: "DeleteLayer",
  path: "/DeleteLayer",
  reads: false,
  input: z.strictObject({ LayerId, ...Changing }),
  output: z.object({}),
  needs: ({ LayerId }) => ({ action: "opsworks:DeleteLayer", layerId: LayerId }),
});
