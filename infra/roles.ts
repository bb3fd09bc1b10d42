import { isDeepStrictEqual, parseArgs } from "node:util";
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  EntityAlreadyExistsException,
  GetInstanceProfileCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  type GetRolePolicyCommandInput,
  IAMClient,
  LimitExceededException,
  NoSuchEntityException,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { readRolesTemplate, type RoleToMake } from "./roles-template.ts";

const HELP = `Makes what OpsWorks made by itself: a service role for stacks, and an instance profile with trust and no policy. They are those of
infra/roles.yml, which CloudFormation makes too: aws cloudformation deploy --template-file infra/roles.yml --stack-name opsworks-roles
--capabilities CAPABILITY_NAMED_IAM

  npm run roles -- create --account <12 digits> --region <region>     with your own AWS credentials
  npm run roles -- print --account <12 digits> --region <region>      prints them as JSON and makes nothing

  --service-role-name <name>       default: aws-opsworks-service-role
  --instance-profile-name <name>   default: aws-opsworks-ec2-role
  --any-region                     the service may assume its role for stacks of any account and region

What is there already stays as it is, and is said so. A role with another trust relationship stays as it is, too, and gets no policy: one that was made
for stacks of another region does not do for this one. Give it another name, or change its trust relationship to what --any-region prints.
Exit code: 0; 1 when something that is there differs from what would be made; 2 when something could not be made: run it again.
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      account: { type: "string" },
      region: { type: "string", default: process.env.AWS_REGION ?? "" },
      "service-role-name": { type: "string" },
      "instance-profile-name": { type: "string" },
      "any-region": { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const [command] = positionals;
  if (values.help || positionals.length !== 1 || (command !== "create" && command !== "print")) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  if (!/^\d{12}$/.test(values.account ?? "")) throw new Error("which account? add `--account <12 digits>`");
  if (!/^[a-z]{2}-[a-z-]+-\d$/.test(values.region)) throw new Error("which region? add `--region <region>`");
  const { "service-role-name": serviceRole, "instance-profile-name": profile } = values;
  const china = values.region.startsWith("cn-");
  const roles = await readRolesTemplate({
    "AWS::AccountId": values.account ?? "",
    "AWS::Region": values.region,
    "AWS::Partition": china ? "aws-cn" : values.region.startsWith("us-gov-") ? "aws-us-gov" : "aws",
    "AWS::URLSuffix": china ? "amazonaws.com.cn" : "amazonaws.com",
    ...(serviceRole === undefined ? {} : { ServiceRoleName: serviceRole }),
    ...(profile === undefined ? {} : { InstanceProfileName: profile }),
    OnlyStacksOfThisRegion: String(!values["any-region"]),
  });
  if (command === "print") {
    process.stdout.write(`${JSON.stringify(roles, undefined, 2)}\n`);
    return 0;
  }
  const iam = new IAMClient({ region: values.region });
  const areAsMade = [
    await makeRole(iam, roles.instanceRole),
    await makeProfile(iam, roles.instanceProfile.InstanceProfileName, roles.instanceRole.RoleName),
    await makeRole(iam, roles.serviceRole),
  ];
  return areAsMade.includes(false) ? 1 : 0;
}

/** A role, and those of its policies that are not there. Answers whether it trusts whom it is to trust. */
async function makeRole(iam: IAMClient, role: RoleToMake): Promise<boolean> {
  const { RoleName, Description, AssumeRolePolicyDocument, Policies } = role;
  const trust = JSON.stringify(AssumeRolePolicyDocument);
  const create = new CreateRoleCommand({ RoleName, Description, AssumeRolePolicyDocument: trust });
  const isMade = await unlessThere(() => iam.send(create));
  const other = isMade ? undefined : await otherTrust(iam, role);
  say(isMade, `role ${RoleName}`);
  if (other !== undefined) {
    differs(`role ${RoleName} has the trust relationship ${other}, and would be made with ${trust}`);
    return false;
  }
  for (const { PolicyName, PolicyDocument } of Policies) {
    const isThere = !isMade && (await hasPolicy(iam, { RoleName, PolicyName }));
    const put = { RoleName, PolicyName, PolicyDocument: JSON.stringify(PolicyDocument) };
    if (!isThere) await iam.send(new PutRolePolicyCommand(put));
    say(!isThere, `policy ${PolicyName} of role ${RoleName}`);
  }
  return true;
}

/** The trust relationship of a role that is there; `undefined` when it says what ours does, so that an earlier run may have made it. */
async function otherTrust(
  iam: IAMClient,
  { RoleName, AssumeRolePolicyDocument: ours }: RoleToMake,
): Promise<string | undefined> {
  const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
  const text = decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "");
  const isSame = text !== "" && isDeepStrictEqual(JSON.parse(text), JSON.parse(JSON.stringify(ours)));
  return isSame ? undefined : text;
}

async function hasPolicy(iam: IAMClient, named: GetRolePolicyCommandInput): Promise<boolean> {
  try {
    await iam.send(new GetRolePolicyCommand(named));
    return true;
  } catch (error) {
    if (error instanceof NoSuchEntityException) return false;
    throw error;
  }
}

/** An instance profile with its role. Answers whether it holds that one: it holds at most one, so another is beyond its limit. */
async function makeProfile(iam: IAMClient, InstanceProfileName: string, RoleName: string): Promise<boolean> {
  const create = new CreateInstanceProfileCommand({ InstanceProfileName });
  say(await unlessThere(() => iam.send(create)), `instance profile ${InstanceProfileName}`);
  const add = new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName });
  const isMade = await unlessThere(() => iam.send(add), LimitExceededException);
  const get = new GetInstanceProfileCommand({ InstanceProfileName });
  const held = isMade ? RoleName : (await iam.send(get)).InstanceProfile?.Roles?.[0]?.RoleName;
  if (held === RoleName) say(isMade, `role ${RoleName} in instance profile ${InstanceProfileName}`);
  else
    differs(`instance profile ${InstanceProfileName} holds role ${held}, and would be made with ${RoleName}`);
  return held === RoleName;
}

/** Whether it was made; not, when it is there, which IAM says by that error. */
async function unlessThere(
  make: () => Promise<unknown>,
  IsThere: typeof EntityAlreadyExistsException | typeof LimitExceededException = EntityAlreadyExistsException,
): Promise<boolean> {
  try {
    await make();
    return true;
  } catch (error) {
    if (error instanceof EntityAlreadyExistsException || error instanceof IsThere) return false;
    throw error;
  }
}

function say(isMade: boolean, what: string): void {
  process.stderr.write(isMade ? `made: ${what}\n` : `there already, left as it is: ${what}\n`);
}

function differs(how: string): void {
  process.stderr.write(`differs, left as it is: ${how}\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`roles: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
