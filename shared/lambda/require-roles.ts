import { IamRoles } from "../account/iam-roles.ts";
import { lookIntoRoles, type NamedRoles } from "../account/look-into-roles.ts";
import { Fault } from "../model/fault.ts";
import type { RoleGap } from "../model/role-gap.ts";
import type { Call } from "./call.ts";
import { type Passed, requirePassRole } from "./require-pass-role.ts";

/**
 * Looks into the roles that a stack is to have, and whether the caller may give them to it. Answers with what is doubtful, and with what is passed,
 * which a caller whose rights are read anew is asked for again.
 * @throws Fault AccessDeniedException for roles that the caller may not pass, ValidationException for those that cannot do, each naming all
 */
export async function requireRoles(
  call: Call,
  named: NamedRoles,
  stackId: string,
): Promise<{ readonly RoleGaps: RoleGap[]; readonly passed: readonly Passed[] }> {
  const { table, place } = call.deployment;
  for (const arn of [named.serviceRoleArn, ...named.instanceProfileArns]) mustBeHere(arn, place.accountId);
  const { gaps, roleArns, unknown } = await lookIntoRoles(table, IamRoles.ofProcess(), named, {
    place,
    stackId,
  });
  if (unknown.length > 0) {
    const message = `neither IAM nor an import can be asked about ${unknown.join(", ")}, so nothing was done: try again, or import users first`;
    throw new Fault("ServiceUnavailableException", message);
  }
  const { serviceRoleArn } = named;
  const passed = [
    ...(serviceRoleArn === undefined ? [] : [{ roleArn: serviceRoleArn, service: "opsworks.amazonaws.com" }]),
    ...roleArns.map((roleArn) => ({ roleArn, service: "ec2.amazonaws.com" })),
  ];
  await requirePassRole(call, passed);
  const errors = gaps.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Fault("ValidationException", errors.map(sentenceOf).join("; "));
  return { RoleGaps: [...gaps], passed };
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
