import * as z from "zod";
import { Fault } from "./fault.ts";
import { InstanceProfileArn } from "./role-arn.ts";
import { FILTERED, type Stack } from "./stack.ts";
import { CustomJson, idOf, nameOf, text } from "./text.ts";

/** How many layers a stack may have. */
export const MAX_LAYERS = 100;

export const LayerId = idOf("layer");
export const LayerName = nameOf(100);

const shortname = "must have 1 to 32 letters, digits, `-`, `_` and `.`";
export const Shortname = z
  .string({ error: shortname })
  .regex(/^[A-Za-z0-9\-_.]{1,32}$/, { error: shortname });

/** What a layer is for, in OpsWorks' words. Source: OpsWorks API Reference, CreateLayer. */
export const LayerType = z.enum([
  "aws-flow-ruby",
  "ecs-cluster",
  "java-app",
  "lb",
  "web",
  "php-app",
  "rails-app",
  "nodejs-app",
  "memcached",
  "db-master",
  "monitoring-master",
  "custom",
]);

const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};
const list = <Entry extends z.ZodType>(entry: Entry, max = 100) => z.array(entry).max(max);
const attribute = text(4096).optional();
const recipes = list(text(256)).optional();

/** The attributes that are secrets, and write-only. */
const SECRETS = ["GangliaPassword", "HaproxyStatsPassword", "MysqlRootPassword"] as const;

/** Source of the names: OpsWorks API Reference, `LayerAttributesKeys`. */
const Attributes = z.strictObject({
  BundlerVersion: attribute,
  EcsClusterArn: attribute,
  EnableHaproxyStats: attribute,
  GangliaPassword: attribute,
  GangliaUrl: attribute,
  GangliaUser: attribute,
  HaproxyHealthCheckMethod: attribute,
  HaproxyHealthCheckUrl: attribute,
  HaproxyStatsPassword: attribute,
  HaproxyStatsUrl: attribute,
  HaproxyStatsUser: attribute,
  JavaAppServer: attribute,
  JavaAppServerVersion: attribute,
  Jvm: attribute,
  JvmOptions: attribute,
  JvmVersion: attribute,
  ManageBundler: attribute,
  MemcachedMemory: attribute,
  MysqlRootPassword: attribute,
  MysqlRootPasswordUbiquitous: attribute,
  NodejsVersion: attribute,
  PassengerVersion: attribute,
  RailsStack: attribute,
  RubyVersion: attribute,
  RubygemsVersion: attribute,
});

const LogStream = z.strictObject({
  LogGroupName: text(512).optional(),
  DatetimeFormat: text(256).optional(),
  TimeZone: z.enum(["LOCAL", "UTC"]).optional(),
  File: text(1024).optional(),
  FileFingerprintLines: text(64).optional(),
  MultiLineStartPattern: text(1024).optional(),
  InitialPosition: z.enum(["start_of_file", "end_of_file"]).optional(),
  Encoding: text(32).optional(),
  BufferDuration: whole(0, 86_400_000).optional(),
  BatchCount: whole(0, 10_000).optional(),
  BatchSize: whole(0, 1_048_576).optional(),
});

const VolumeConfiguration = z.strictObject({
  MountPoint: text(1024),
  RaidLevel: whole(0, 100).optional(),
  NumberOfDisks: whole(1, 100),
  Size: whole(1, 65_536),
  VolumeType: text(32).optional(),
  Iops: whole(1, 1_000_000).optional(),
  Encrypted: z.boolean().optional(),
});

/** The members of a layer that it may do without, in OpsWorks' shape. */
export const LayerSettings = z.strictObject({
  Attributes: Attributes.optional(),
  CloudWatchLogsConfiguration: z
    .strictObject({ Enabled: z.boolean().optional(), LogStreams: list(LogStream).optional() })
    .optional(),
  CustomInstanceProfileArn: InstanceProfileArn.optional(),
  CustomJson: CustomJson.optional(),
  CustomSecurityGroupIds: list(text(255)).optional(),
  Packages: list(text(256)).optional(),
  VolumeConfigurations: list(VolumeConfiguration).optional(),
  EnableAutoHealing: z.boolean().optional(),
  AutoAssignElasticIps: z.boolean().optional(),
  AutoAssignPublicIps: z.boolean().optional(),
  CustomRecipes: z
    .strictObject({
      Setup: recipes,
      Configure: recipes,
      Deploy: recipes,
      Undeploy: recipes,
      Shutdown: recipes,
    })
    .optional(),
  InstallUpdatesOnBoot: z.boolean().optional(),
  UseEbsOptimizedInstances: z.boolean().optional(),
  LifecycleEventConfiguration: z
    .strictObject({
      Shutdown: z
        .strictObject({
          ExecutionTimeout: whole(0, 86_400).optional(),
          DelayUntilElbConnectionsDrained: z.boolean().optional(),
        })
        .optional(),
    })
    .optional(),
});

/** A layer as it is kept. It is changed only together with its stack, whose revision guards it. */
export const Layer = LayerSettings.strip().extend({
  LayerId: z.string(),
  StackId: z.string(),
  Type: LayerType,
  Name: z.string(),
  Shortname: z.string(),
  Tags: z.record(z.string(), z.string()),
  CreatedAt: z.string(),
  Version: z.string().optional(),
});
export type Layer = z.infer<typeof Layer>;

/** The instance profile that a layer's instances get: its own, else the stack's. */
export function instanceProfileOf(
  layer: Pick<Layer, "CustomInstanceProfileArn">,
  stack: Pick<Stack, "DefaultInstanceProfileArn">,
): string {
  return layer.CustomInstanceProfileArn ?? stack.DefaultInstanceProfileArn;
}

/** What may change of a layer; what is left out stays. */
type LayerChange = z.infer<typeof LayerSettings> & {
  readonly Name?: string | undefined;
  readonly Shortname?: string | undefined;
};

/**
 * The layer with a change applied, member by member; `Attributes` are added to those there are. A secret that comes back filtered, as it was shown, stays as it is.
 * @throws Fault ValidationException for a filtered secret that the layer does not have
 */
export function changeLayer(layer: Layer, { Attributes: attributes, ...change }: LayerChange): Layer {
  const { Name = layer.Name, Shortname = layer.Shortname, ...settings } = change;
  const changed = { ...layer, ...settings, Name, Shortname };
  if (!attributes) return changed;
  return { ...changed, Attributes: { ...layer.Attributes, ...restoreSecrets(attributes, layer.Attributes) } };
}

type Attributes = z.infer<typeof Attributes>;

/** @throws Fault ValidationException for a filtered secret where there is none to stay */
export function restoreSecrets(given: Attributes, kept: Attributes = {}): Attributes {
  const restored = { ...given };
  for (const name of SECRETS) {
    if (given[name] !== FILTERED) continue;
    const secret = kept[name];
    if (secret === undefined) {
      throw new Fault("ValidationException", `\`Attributes.${name}\` is filtered: give the secret itself`);
    }
    restored[name] = secret;
  }
  return restored;
}

/** The layer as it is shown: secrets are write-only. */
export function filterLayer<Shown extends Pick<Layer, "Attributes">>(layer: Shown): Shown {
  if (!layer.Attributes) return layer;
  const filtered = { ...layer.Attributes };
  for (const name of SECRETS) if (filtered[name] !== undefined) filtered[name] = FILTERED;
  return { ...layer, Attributes: filtered };
}
