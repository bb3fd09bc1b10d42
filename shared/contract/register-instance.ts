import * as z from "zod";
import { Ec2InstanceId, Hostname, IpAddress, Platform } from "../model/instance.ts";
import { LayerId } from "../model/layer.ts";
import { StackId } from "../model/stack.ts";
import { operation } from "./operation.ts";
import { Writing } from "./writing.ts";

/** Makes an EC2 instance one of a stack's, so that it can ask who may log in. */
export const RegisterInstance = operation({
  name: "RegisterInstance",
  path: "/RegisterInstance",
  reads: false,
  input: z.strictObject({
    StackId,
    Ec2InstanceId,
    LayerIds: z.array(LayerId).max(10, { error: "must name at most 10 layers" }).optional(),
    Platform: Platform.optional(),
    Hostname: Hostname.optional(),
    PublicIp: IpAddress.optional(),
    PrivateIp: IpAddress.optional(),
    ...Writing,
  }),
  output: z.object({ InstanceId: z.string() }),
  needs: ({ StackId }) => ({ action: "opsworks:RegisterInstance", stackId: StackId }),
});
