import { Fault } from "../model/fault.ts";
import type { RoleGap } from "../model/role-gap.ts";
import type { Stack } from "../model/stack.ts";
import { layersOfStack } from "../table/layers.ts";
import type { Table } from "../table/table.ts";
import type { IamRoles } from "./iam-roles.ts";
import { importedInstanceProfile, importedRole } from "./imported-roles.ts";
import { type For, gapsOfInstanceProfile, gapsOfServiceRole } from "./role-gaps.ts";

/** What a stack or a layer names. */
export type NamedRoles = {
  readonly serviceRoleArn?: string;
  readonly instanceProfileArns: readonly string[];
};

/** The roles that a stack and its layers name. */
export async function rolesOfStack(table: Table, stack: Stack): Promise<NamedRoles> {
  const instanceProfileArns = [stack.DefaultInstanceProfileArn];
  for await (const layers of layersOfStack(table, stack.StackId)) {
    for (const { CustomInstanceProfileArn: own } of layers)
      if (own !== undefined) instanceProfileArns.push(own);
  }
  return { serviceRoleArn: stack.ServiceRoleArn, instanceProfileArns };
}

/** What was found; `roleArns` are the roles that instance profiles hold, with their paths. */
export type LookedInto = { readonly gaps: readonly RoleGap[]; readonly roleArns: readonly string[] };

/**
 * Looks into the roles of a stack: as the last import saw them or, where that saw none or a fault that may be mended by now, as IAM has
 * them. Without IAM, it is the import that counts.
 * @param iam left out to go by the import alone
 * @throws Fault ServiceUnavailableException for a role of which neither knows
 */
export async function lookIntoRoles(
  table: Table,
  iam: IamRoles | undefined,
  { serviceRoleArn, instanceProfileArns }: NamedRoles,
  stack: For,
): Promise<LookedInto> {
  const gaps: RoleGap[] = [];
  const roleArns: string[] = [];
  if (serviceRoleArn !== undefined) {
    const look = await lookInto(
      serviceRoleArn,
      await importedRole(table, serviceRoleArn),
      iam && (() => iam.role(serviceRoleArn)),
      (facts) => gapsOfServiceRole(serviceRoleArn, facts, stack),
    );
    gaps.push(...look.gaps);
  }
  for (const arn of new Set(instanceProfileArns)) {
    const look = await lookInto(
      arn,
      await importedInstanceProfile(table, arn),
      iam && (() => iam.instanceProfile(arn)),
      (facts) => gapsOfInstanceProfile(arn, facts, stack),
    );
    gaps.push(...look.gaps);
    if (look.facts?.Role) roleArns.push(look.facts.Role.Arn);
  }
  return { gaps, roleArns };
}

async function lookInto<Facts>(
  arn: string,
  imported: Facts | undefined,
  askIam: (() => Promise<Facts | undefined>) | undefined,
  gapsOf: (facts: Facts | undefined) => RoleGap[],
): Promise<{ readonly facts: Facts | undefined; readonly gaps: RoleGap[] }> {
  const known = imported && { facts: imported, gaps: gapsOf(imported) };
  if (known && !known.gaps.some(({ severity }) => severity === "error")) return known;
  try {
    if (askIam) {
      const facts = await askIam();
      return { facts, gaps: gapsOf(facts) };
    }
  } catch (error) {
    if (!known) throw neitherKnows(arn, error);
  }
  if (known) return known;
  throw neitherKnows(arn);
}

function neitherKnows(arn: string, cause?: unknown): Fault {
  const message = `neither IAM nor an import can be asked about ${arn}, so nothing was done: try again, or import users first`;
  return new Fault("ServiceUnavailableException", message, { cause });
}
