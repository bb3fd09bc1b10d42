import * as z from "zod";
import { Fault } from "./fault.ts";
import { idOf } from "./text.ts";

/** How many instances a stack may have. */
export const MAX_INSTANCES = 1000;

export const InstanceId = idOf("instance");

const ec2 = "must be the id of an EC2 instance: `i-` and 8 or 17 hexadecimal digits, in lower case";
export const Ec2InstanceId = z
  .string({ error: ec2 })
  .regex(/^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, { error: ec2 });

const hostname = "must have 1 to 63 letters, digits, `-` and `.`, and begin with a letter or a digit";
export const Hostname = z
  .string({ error: hostname })
  .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$/, { error: hostname });

export const IpAddress = z.ipv4({ error: "must be an IPv4 address" });

/** What runs there, and with it how people get in: by SSH or by RDP. */
export const Platform = z.enum(["Linux", "Windows"]);

/** An instance as it is kept. It comes and goes only together with a change of its stack, whose revision guards it. */
export const Instance = z.object({
  InstanceId: z.string(),
  StackId: z.string(),
  /** The instance profile of the first applies. */
  LayerIds: z.array(z.string()),
  Ec2InstanceId: z.string(),
  Platform,
  Hostname: z.string().optional(),
  PublicIp: z.string().optional(),
  PrivateIp: z.string().optional(),
  CreatedAt: z.string(),
  Version: z.string().optional(),
});
export type Instance = z.infer<typeof Instance>;

export function noSuchInstance(instanceId: string): Fault {
  return new Fault("ResourceNotFoundException", `Unable to find instance with ID ${instanceId}`);
}
