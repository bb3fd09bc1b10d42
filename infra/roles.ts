import { parseArgs } from "node:util";
import {
  AddRoleToInstanceProfileCommand,
  type AddRoleToInstanceProfileCommandInput,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  EntityAlreadyExistsException,
  GetRoleCommand,
  IAMClient,
  LimitExceededException,
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

What is there already stays as it is, and is said so.
Exit code: 0, or 2 when they could not be made; run it again.
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
  const { InstanceProfileName } = roles.instanceProfile;
  await make(`role ${roles.instanceRole.RoleName}`, () => createRole(iam, roles.instanceRole));
  await make(`instance profile ${InstanceProfileName}`, () =>
    iam.send(new CreateInstanceProfileCommand({ InstanceProfileName })),
  );
  const RoleName = roles.instanceRole.RoleName;
  await make(`role ${RoleName} in instance profile ${InstanceProfileName}`, () =>
    addRole(iam, { InstanceProfileName, RoleName }),
  );
  await make(`role ${roles.serviceRole.RoleName}`, () => createRole(iam, roles.serviceRole));
  return 0;
}

/** A role and its policies; they are put again into one that an earlier run left without. */
async function createRole(iam: IAMClient, role: RoleToMake): Promise<void> {
  const { RoleName, Description, AssumeRolePolicyDocument, Policies } = role;
  const trust = JSON.stringify(AssumeRolePolicyDocument);
  const create = new CreateRoleCommand({ RoleName, Description, AssumeRolePolicyDocument: trust });
  const isThere = await iam.send(create).then(
    () => false,
    (error: unknown) => {
      if (error instanceof EntityAlreadyExistsException) return true;
      throw error;
    },
  );
  if (isThere && !(await isOurs(iam, role))) throw alreadyThere();
  for (const { PolicyName, PolicyDocument } of Policies) {
    const document = JSON.stringify(PolicyDocument);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: document }));
  }
}

/** Whether a role of that name trusts whom ours does, so that an earlier run may have made it. */
async function isOurs(iam: IAMClient, { RoleName, AssumeRolePolicyDocument }: RoleToMake): Promise<boolean> {
  const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
  const text = decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "");
  return text === JSON.stringify(AssumeRolePolicyDocument);
}

/** An instance profile holds one role, so another one is beyond its limit. */
async function addRole(iam: IAMClient, into: AddRoleToInstanceProfileCommandInput): Promise<void> {
  try {
    await iam.send(new AddRoleToInstanceProfileCommand(into));
  } catch (error) {
    throw error instanceof LimitExceededException ? alreadyThere() : error;
  }
}

function alreadyThere(): EntityAlreadyExistsException {
  return new EntityAlreadyExistsException({ message: "it is there already", $metadata: {} });
}

async function make(what: string, create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
    process.stderr.write(`made: ${what}\n`);
  } catch (error) {
    if (!(error instanceof EntityAlreadyExistsException)) throw error;
    process.stderr.write(`there already, left as it is: ${what}\n`);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`roles: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
