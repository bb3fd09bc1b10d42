import * as z from "zod";
import { Fault } from "./fault.ts";
import { GroupGrants } from "./group.ts";
import { CustomJson, idOf, nameOf, text } from "./text.ts";

export const StackId = idOf("stack");

/** What a check needs to know of a stack. */
export const Stack = z.object({
  StackId: z.string(),
  Arn: z.string(),
  Name: z.string(),
  Region: z.string(),
  ServiceRoleArn: z.string(),
  DefaultInstanceProfileArn: z.string(),
  Tags: z.record(z.string(), z.string()),
  /** Levels of IAM groups; here, so that a check reads them with the stack. */
  GroupGrants: GroupGrants.optional(),
  /** How many layers it has; none said is none. */
  LayerCount: z.number().optional(),
  /** How many instances are registered with it; none said is none. */
  InstanceCount: z.number().optional(),
  CreatedAt: z.string(),
  /** New with each change of what is the stack's own: of its settings and tags, not of layers, instances or levels. */
  Version: z.string().optional(),
  /** New with each change of the stack or of one of its layers or instances. */
  Revision: z.string(),
});
export type Stack = z.infer<typeof Stack>;

export const StackName = nameOf(64);

/** The members of a stack beside what a check needs, in OpsWorks' shape. */
export const StackSettings = z.strictObject({
  VpcId: text(64).optional(),
  Attributes: z.strictObject({ Color: text(256).optional() }).optional(),
  DefaultOs: text(256).optional(),
  HostnameTheme: text(64).optional(),
  DefaultAvailabilityZone: text(64).optional(),
  DefaultSubnetId: text(64).optional(),
  CustomJson: CustomJson.optional(),
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

/** What a secret is shown as. */
export const FILTERED = "*****FILTERED*****";

/** The settings as they are shown: secrets are write-only. */
export function filterSecrets(settings: StackSettings): StackSettings {
  const source = settings.CustomCookbooksSource;
  if (!source) return settings;
  const shown = {
    ...source,
    ...(source.Password === undefined ? {} : { Password: FILTERED }),
    ...(source.SshKey === undefined ? {} : { SshKey: FILTERED }),
  };
  return { ...settings, CustomCookbooksSource: shown };
}

/**
 * The settings with a change applied, member by member. A secret that comes back filtered, as it was shown, stays as it is, but
 * only for the source it was given for.
 * @throws Fault ValidationException for a filtered secret of another source, or of none
 */
export function changeSettings(settings: StackSettings, change: StackSettings): StackSettings {
  const { CustomCookbooksSource: source } = change;
  if (!source) return { ...settings, ...change };
  const kept = settings.CustomCookbooksSource;
  const isSameSource = kept !== undefined && kept.Url === source.Url && kept.Type === source.Type;
  const restore = (name: "Password" | "SshKey"): { Password?: string; SshKey?: string } => {
    const secret = source[name] === FILTERED && isSameSource ? kept[name] : source[name];
    if (secret === FILTERED) {
      throw new Fault(
        "ValidationException",
        `\`CustomCookbooksSource.${name}\` is filtered: give the secret itself`,
      );
    }
    return secret === undefined ? {} : { [name]: secret };
  };
  const { Password: _password, SshKey: _sshKey, ...shown } = source;
  return {
    ...settings,
    ...change,
    CustomCookbooksSource: { ...shown, ...restore("Password"), ...restore("SshKey") },
  };
}
