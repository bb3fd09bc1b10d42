import * as z from "zod";
import { InstanceId } from "../model/instance.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** Takes an instance from its stack; it is told of nobody from then on. The EC2 instance itself stays as it is. */
export const DeregisterInstance = operation({
  name: "DeregisterInstance",
  path: "/DeregisterInstance",
  reads: false,
  input: z.strictObject({ InstanceId, ...Changing }),
  output: z.object({}),
  needs: ({ InstanceId }) => ({ action: "opsworks:DeregisterInstance", instanceId: InstanceId }),
});
