import { IamRoles } from "../account/iam-roles.ts";
import { type LookedInto, lookIntoRoles, type NamedRoles, RoleSource } from "../account/look-into-roles.ts";
import { ec2ServiceIn } from "../iam/trust.ts";
import { Fault } from "../model/fault.ts";
import type { RoleGap } from "../model/role-gap.ts";
import { ask } from "./authorize.ts";
import type { Call } from "./call.ts";
import { type Passed, requirePassRole } from "./require-pass-role.ts";

/** Where one request asks about roles: however often it does, it does not wait longer than its caller can. */
export function roleSource(): RoleSource {
  return new RoleSource(IamRoles.ofProcess());
}

/** What an answer says of roles that were looked into; nothing where all is in order. */
export function answerOfRoles(...found: readonly Partial<LookedInto>[]) {
  const RoleGaps = found.flatMap(({ gaps = [] }) => gaps);
  const NotKnown = found.flatMap(({ unknown = [] }) => unknown);
  return { ...(RoleGaps.length > 0 ? { RoleGaps } : {}), ...(NotKnown.length > 0 ? { NotKnown } : {}) };
}

/**
 * Looks into the roles that a stack is to have, and whether the caller may give them to it. Answers with what is doubtful, and with what
 * is passed, which a caller whose rights are read anew is asked for again.
 * @throws Fault AccessDeniedException for roles that the caller may not pass, ValidationException for those that cannot do, each naming all
 */
export async function requireRoles(
  call: Call,
  named: NamedRoles,
  stackId: string,
  source = roleSource(),
): Promise<{ readonly gaps: readonly RoleGap[]; readonly passed: readonly Passed[] }> {
  const { table, place } = call.deployment;
  for (const arn of [named.serviceRoleArn, ...named.instanceProfileArns]) mustBeHere(arn, place.accountId);
  const { gaps, roleArns, unknown } = await lookIntoRoles(table, source, named, { place, stackId });
  if (unknown.length > 0) {
    const message = `neither IAM nor an import can be asked about ${unknown.join(", ")}, so nothing was done: try again, or import users first`;
    throw new Fault("ServiceUnavailableException", message);
  }
  const { serviceRoleArn } = named;
  const passed = [
    ...(serviceRoleArn === undefined ? [] : [{ roleArn: serviceRoleArn, service: "opsworks.amazonaws.com" }]),
    ...roleArns.map((roleArn) => ({ roleArn, service: ec2ServiceIn(place.partition) })),
  ];
  await requirePassRole(call, passed);
  const errors = gaps.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Fault("ValidationException", errors.map(sentenceOf).join("; "));
  return { gaps, passed };
}

/**
 * Looks into roles that a stack has already. What they lack refuses nothing, since the stack has them either way. It is for whoever may
 * ask for it by CheckStackRoles: it quotes their policies.
 */
export async function reviewRoles(
  call: Call,
  named: NamedRoles,
  stackId: string,
  source: RoleSource,
): Promise<Partial<LookedInto>> {
  if ((await ask(call, "stackwarden:CheckStackRoles")).decision !== "allowed") return {};
  const { table, place } = call.deployment;
  return lookIntoRoles(table, source, named, { place, stackId });
}

/** A service takes roles of its own account alone. */
function mustBeHere(arn: string | undefined, accountId: string): void {
  if (arn === undefined || arn.split(":")[4] === accountId) return;
  throw new Fault(
    "ValidationException",
    `${arn} is of another account: a stack takes roles of account ${accountId}`,
  );
}

function sentenceOf({ Arn, policy, message }: RoleGap): string {
  return policy === undefined ? `${Arn}: ${message}` : `${Arn}: its ${policy} ${message}`;
}
