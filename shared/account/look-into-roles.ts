import type { RoleGap } from "../model/role-gap.ts";
import type { Stack } from "../model/stack.ts";
import { profilesOfLayers } from "../table/layers.ts";
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
  const ofLayers = await profilesOfLayers(table, stack.StackId);
  return {
    serviceRoleArn: stack.ServiceRoleArn,
    instanceProfileArns: [stack.DefaultInstanceProfileArn, ...ofLayers],
  };
}

/** What was found. */
export type LookedInto = {
  readonly gaps: readonly RoleGap[];
  /** The roles that instance profiles hold, with their paths. */
  readonly roleArns: readonly string[];
  /** What neither IAM nor an import could be asked about. */
  readonly unknown: readonly string[];
};

/** How long IAM is asked before what the last import saw has to do, in milliseconds; a function has ten seconds. */
const PATIENCE = 5000;

/** Looks into the roles of a stack: as IAM has them now or, when it does not answer, as the last import saw them. */
export async function lookIntoRoles(
  table: Table,
  source: RoleSource,
  { serviceRoleArn, instanceProfileArns }: NamedRoles,
  stack: For,
): Promise<LookedInto> {
  const gaps: RoleGap[] = [];
  const roleArns: string[] = [];
  const unknown: string[] = [];
  if (serviceRoleArn !== undefined) {
    const facts = await source.ask(
      (roles) => roles.role(serviceRoleArn),
      () => importedRole(table, serviceRoleArn),
    );
    if (facts === "unknown") unknown.push(serviceRoleArn);
    else gaps.push(...gapsOfServiceRole(serviceRoleArn, facts, stack));
  }
  for (const arn of new Set(instanceProfileArns)) {
    const facts = await source.ask(
      (roles) => roles.instanceProfile(arn),
      () => importedInstanceProfile(table, arn),
    );
    if (facts === "unknown") unknown.push(arn);
    else gaps.push(...gapsOfInstanceProfile(arn, facts, stack));
    if (facts !== "unknown" && facts?.Role) roleArns.push(facts.Role.Arn);
  }
  return { gaps, roleArns, unknown };
}

/** Asks IAM, and once it did not answer or took too long, the import alone. */
export class RoleSource {
  readonly #until = performance.now() + PATIENCE;
  #iam: IamRoles | undefined;

  /** @param iam left out to go by the import alone */
  constructor(iam?: IamRoles) {
    this.#iam = iam;
  }

  /** `undefined`: there is none. */
  async ask<Facts>(
    ofIam: (iam: IamRoles) => Promise<Facts | undefined>,
    ofImport: () => Promise<Facts | undefined | "unknown">,
  ): Promise<Facts | undefined | "unknown"> {
    if (performance.now() > this.#until) this.#iam = undefined;
    try {
      if (this.#iam) return await ofIam(this.#iam);
    } catch {
      this.#iam = undefined;
    }
    return ofImport();
  }
}
