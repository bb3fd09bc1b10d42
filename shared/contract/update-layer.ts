import * as z from "zod";
import { LayerId, LayerName, LayerSettings, Shortname } from "../model/layer.ts";
import { RoleGap } from "../model/role-gap.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** Changes a layer; what is left out stays as it is. Its type cannot be changed. */
export const UpdateLayer = operation({
  name: "UpdateLayer",
  path: "/UpdateLayer",
  reads: false,
  input: LayerSettings.extend({
    LayerId,
    Name: LayerName.optional(),
    Shortname: Shortname.optional(),
    ...Changing,
  }),
  output: z.object({ RoleGaps: z.array(RoleGap).optional(), NotKnown: z.array(z.string()).optional() }),
  needs: ({ LayerId }) => ({ action: "opsworks:UpdateLayer", layerId: LayerId }),
});
