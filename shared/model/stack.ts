import * as z from "zod";

/** A stack's id: a UUID, in lower case. */
export const StackId = z
  .string({ error: "must be a stack's id, a UUID" })
  .regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, { error: "must be a stack's id, a UUID" })
  .transform((id) => id.toLowerCase());

/** What a check needs to know of a stack. */
export const Stack = z.object({
  StackId: z.string(),
  Arn: z.string(),
  Name: z.string(),
  Region: z.string(),
  ServiceRoleArn: z.string(),
  DefaultInstanceProfileArn: z.string(),
  Tags: z.record(z.string(), z.string()),
  CreatedAt: z.string(),
  Revision: z.string(),
});
export type Stack = z.infer<typeof Stack>;

const text = (max: number) => z.string().max(max);

/** The members of a stack beside what a check needs, in OpsWorks' shape. */
export const StackSettings = z.strictObject({
  VpcId: text(64).optional(),
  Attributes: z.record(text(256), text(4096)).optional(),
  DefaultOs: text(256).optional(),
  HostnameTheme: text(64).optional(),
  DefaultAvailabilityZone: text(64).optional(),
  DefaultSubnetId: text(64).optional(),
  CustomJson: text(122_880).refine(isJson, { error: "must be JSON" }).optional(),
  ConfigurationManager: z
    .strictObject({ Name: text(64).optional(), Version: text(64).optional() })
    .optional(),
  ChefConfiguration: z
    .strictObject({ ManageBerkshelf: z.boolean().optional(), BerkshelfVersion: text(64).optional() })
    .optional(),
  UseCustomCookbooks: z.boolean().optional(),
  UseOpsworksSecurityGroups: z.boolean().optional(),
  CustomCookbooksSource: z
    .strictObject({
      Type: z.enum(["git", "svn", "archive", "s3"]).optional(),
      Url: text(2048).optional(),
      Username: text(256).optional(),
      Password: text(4096).optional(),
      SshKey: text(16_384).optional(),
      Revision: text(256).optional(),
    })
    .optional(),
  DefaultSshKeyName: text(255).optional(),
  DefaultRootDeviceType: z.enum(["ebs", "instance-store"]).optional(),
  AgentVersion: text(64).optional(),
});
export type StackSettings = z.infer<typeof StackSettings>;

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
