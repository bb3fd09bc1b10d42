import { readFile } from "node:fs/promises";
import * as z from "zod";
import { parse, type Tags, type YAMLMap, type YAMLSeq } from "yaml";

/** Values of parameters and of what CloudFormation knows by itself, such as `AWS::AccountId`. */
type Given = Readonly<Record<string, string>>;

const Statements = z.looseObject({ Statement: z.array(z.looseObject({})) });
const Role = z.object({
  RoleName: z.string(),
  Description: z.string(),
  AssumeRolePolicyDocument: Statements,
  Policies: z.array(z.object({ PolicyName: z.string(), PolicyDocument: Statements })).default([]),
});
const Template = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.string() })),
  Conditions: z.record(z.string(), z.object({ Equals: z.tuple([z.unknown(), z.unknown()]) })),
  Resources: z.object({
    ServiceRole: z.object({ Properties: z.unknown() }),
    InstanceRole: z.object({ Properties: z.unknown() }),
    InstanceProfile: z.object({ Properties: z.unknown() }),
  }),
});
const Profile = z.object({ InstanceProfileName: z.string(), Roles: z.tuple([z.string()]) });

export type RoleToMake = z.infer<typeof Role>;
export type RolesToMake = {
  readonly serviceRole: RoleToMake;
  readonly instanceRole: RoleToMake;
  readonly instanceProfile: z.infer<typeof Profile>;
};

const FILE = new URL("roles.yml", import.meta.url);

/** A short form of CloudFormation's as `{ Name: its argument }`. */
const TAGS: Tags = ["Ref", "Sub", "If", "Equals", "GetAtt"].flatMap((name) => [
  { tag: `!${name}`, resolve: (text: string) => ({ [name]: text }) },
  {
    tag: `!${name}`,
    collection: "seq" as const,
    resolve: (node: YAMLMap.Parsed | YAMLSeq.Parsed) => ({ [name]: node.toJSON() }),
  },
]);

/** What `roles.yml` makes, its parameters and intrinsic functions worked out. */
export async function readRolesTemplate(given: Given): Promise<RolesToMake> {
  const { Parameters, Conditions, Resources } = Template.parse(
    parse(await readFile(FILE, "utf8"), { customTags: TAGS }),
  );
  const values = {
    ...Object.fromEntries(Object.entries(Parameters).map(([name, { Default }]) => [name, Default])),
    ...given,
  };
  const isTrue = (condition: string) => {
    const [a, b] = Conditions[condition]?.Equals ?? [];
    return resolve(a) === resolve(b);
  };
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== "object" || value === null) return value;
    const [[name, argument] = ["", undefined], ...others] = Object.entries(value);
    if (others.length === 0) {
      if (name === "Ref") return refer(String(argument));
      if (name === "GetAtt") return arnOf(String(argument));
      if (name === "Sub")
        return String(argument).replaceAll(/\$\{([^}]+)\}/g, (_, key: string) => String(refer(key)));
      if (name === "If" && Array.isArray(argument))
        return resolve(isTrue(String(argument[0])) ? argument[1] : argument[2]);
    }
    const members = Object.entries(value).map(([key, member]) => [key, resolve(member)] as const);
    return Object.fromEntries(members.filter(([, member]) => member !== undefined));
  };
  const refer = (name: string): unknown => {
    if (name === "AWS::NoValue") return undefined;
    if (name === "InstanceRole") return instanceRole.RoleName;
    const found = values[name];
    if (found === undefined) throw new Error(`roles.yml: nothing is given for \`${name}\``);
    return found;
  };
  const arnOf = (attribute: string): string => {
    if (attribute !== "InstanceRole.Arn") throw new Error(`roles.yml: \`${attribute}\` is not known here`);
    return `arn:${values["AWS::Partition"]}:iam::${values["AWS::AccountId"]}:role/${instanceRole.RoleName}`;
  };
  const instanceRole = Role.parse(resolve(Resources.InstanceRole.Properties));
  return {
    instanceRole,
    serviceRole: Role.parse(resolve(Resources.ServiceRole.Properties)),
    instanceProfile: Profile.parse(resolve(Resources.InstanceProfile.Properties)),
  };
}
