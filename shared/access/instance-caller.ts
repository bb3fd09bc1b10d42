import { InvalidPolicy } from "../iam/invalid-policy.ts";
import { readJson } from "../iam/json.ts";
import { MAX_POLICY_LENGTH } from "../iam/policy.ts";
import { EC2_SERVICES, namesOnlyServices } from "../iam/trust.ts";
import { Fault } from "../model/fault.ts";
import { Ec2InstanceId, Instance } from "../model/instance.ts";
import { instanceProfileOf, Layer } from "../model/layer.ts";
import type { Stack } from "../model/stack.ts";
import type { User } from "../model/user.ts";
import { getItems } from "../table/get-items.ts";
import { readRoleOfProfile } from "../table/instance-profiles.ts";
import { placeOfEc2Instance } from "../table/instances.ts";
import { keys } from "../table/keys.ts";
import { getPolicies } from "../table/policies.ts";
import { readStack } from "../table/stacks.ts";
import type { Table } from "../table/table.ts";
import { readUser } from "../table/users.ts";
import type { Subject } from "./who.ts";

const STRANGER =
  "the caller is no instance that is registered with this stack, by the role of the instance profile that applies";
const WIDE_TRUST =
  "the trust policy of the instance's role must name EC2 and nobody else: whoever else may assume it could choose the name of the session";

/**
 * The instance that calls: a session, named as EC2 names it, of the role that the instance profile of its layer or its stack holds. It says
 * itself which stack it takes its users from, so that nobody can register another's server with a stack of theirs.
 * @throws Fault AccessDeniedException for anybody else
 */
export async function instanceThatCalls(
  table: Table,
  { principal, userId }: Subject,
  stackId: string,
): Promise<{ readonly instance: Instance; readonly stack: Stack }> {
  const refused = (why: string) =>
    new Fault(
      "AccessDeniedException",
      `User: ${principal.arn} is not authorized to perform: stackwarden:DescribeInstanceAccess (${why})`,
    );
  const name = Ec2InstanceId.safeParse(principal.sessionName);
  if (principal.kind !== "session" || !name.success) throw refused(STRANGER);
  const place = await placeOfEc2Instance(table, name.data);
  if (place?.StackId !== stackId) throw refused(STRANGER);

  const [ofInstance, ofStack, ofRole] = [
    keys.instance(stackId, place.InstanceId),
    keys.stack(stackId),
    keys.user(principal.userArn),
  ];
  const items = await getItems(table, [ofInstance, ofStack, ofRole]);
  const [stack, role] = [readStack(items.get(ofStack)), readUser(items.get(ofRole))];
  const instance = Instance.safeParse(items.get(ofInstance)).data;
  if (!instance || !stack || !isVerified(role, userId)) throw refused(STRANGER);
  if (!(await holds(role, await profileOf(table, instance, stack), table))) throw refused(STRANGER);
  if (!(await trustsEc2Alone(role, table))) throw refused(WIDE_TRUST);
  return { instance, stack };
}

/** Not a role that was made again under an old name, nor one that IAM has no more. */
function isVerified(role: User | undefined, userId: string | undefined): role is User {
  const verified = userId?.split(":")[0];
  return (
    role !== undefined &&
    role.GoneSince === undefined &&
    role.UserId !== undefined &&
    role.UserId === verified
  );
}

/** The one that its first layer names, else its stack's; of a layer that is gone, none. */
async function profileOf(
  table: Table,
  { LayerIds: [layerId] }: Instance,
  stack: Stack,
): Promise<string | undefined> {
  if (layerId === undefined) return instanceProfileOf({}, stack);
  const key = keys.layer(stack.StackId, layerId);
  const layer = Layer.safeParse((await getItems(table, [key])).get(key)).data;
  return layer && instanceProfileOf(layer, stack);
}

/** Whether this is the role that the profile held when it was last written, and holds it still. */
async function holds(role: User, profile: string | undefined, table: Table): Promise<boolean> {
  if (profile === undefined || !role.InstanceProfiles?.includes(profile)) return false;
  return (await readRoleOfProfile(table, profile)) === role.IamUserArn;
}

async function trustsEc2Alone({ TrustPolicy: trust }: User, table: Table): Promise<boolean> {
  if (!trust || "Unreadable" in trust) return false;
  const text = (await getPolicies(table, [trust.Hash])).get(trust.Hash);
  if (text === undefined) return false;
  try {
    return namesOnlyServices(readJson(text, MAX_POLICY_LENGTH), EC2_SERVICES);
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error;
    return false;
  }
}
