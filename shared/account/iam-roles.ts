import {
  GetInstanceProfileCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  IAMClient,
  NoSuchEntityException,
  paginateListAttachedRolePolicies,
  paginateListRolePolicies,
} from "@aws-sdk/client-iam";
import { textOf } from "./examination.ts";
import { IamReader } from "./iam-reader.ts";
import { ManagedPolicyDetail } from "./account-details.ts";
import type { InstanceProfileFacts, PolicyText, RoleFacts } from "./role-facts.ts";

/**
 * Roles and instance profiles as IAM has them now under a name, in whatever path; `undefined` for one that it does not have.
 * Source: IAM API Reference, GetRole, GetInstanceProfile, ListRolePolicies, ListAttachedRolePolicies.
 */
export class IamRoles {
  static #ofProcess: IamRoles | undefined;
  readonly #client: IAMClient;
  readonly #reader: IamReader;

  constructor(client: IAMClient) {
    this.#client = client;
    this.#reader = new IamReader(client);
  }

  /** With a client that somebody who waits for an answer can wait for; made once. */
  static ofProcess(): IamRoles {
    const requestHandler = { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true };
    this.#ofProcess ??= new IamRoles(new IAMClient({ maxAttempts: 2, requestHandler }));
    return this.#ofProcess;
  }

  role(arn: string): Promise<RoleFacts | undefined> {
    return unlessMissing(async () => {
      const { Role } = await this.#client.send(new GetRoleCommand({ RoleName: nameOf(arn) }));
      if (Role?.Arn === undefined) return undefined;
      return {
        Arn: Role.Arn,
        Trust: { Name: "trust policy", Text: textOf(Role.AssumeRolePolicyDocument ?? "") },
        Policies: [...(await this.#inline(nameOf(arn))), ...(await this.#attached(nameOf(arn)))],
      };
    });
  }

  instanceProfile(arn: string): Promise<InstanceProfileFacts | undefined> {
    return unlessMissing(async () => {
      const get = new GetInstanceProfileCommand({ InstanceProfileName: nameOf(arn) });
      const { InstanceProfile } = await this.#client.send(get);
      if (InstanceProfile?.Arn === undefined) return undefined;
      const [held] = InstanceProfile.Roles ?? [];
      const Role = held?.Arn === undefined ? undefined : await this.role(held.Arn);
      return { Arn: InstanceProfile.Arn, ...(Role ? { Role } : {}) };
    });
  }

  async #inline(RoleName: string): Promise<PolicyText[]> {
    const policies: PolicyText[] = [];
    for await (const { PolicyNames = [] } of paginateListRolePolicies(
      { client: this.#client },
      { RoleName },
    )) {
      for (const PolicyName of PolicyNames) {
        const get = new GetRolePolicyCommand({ RoleName, PolicyName });
        const read = await unlessMissing(() => this.#client.send(get));
        if (read?.PolicyDocument !== undefined)
          policies.push({ Name: PolicyName, Text: textOf(read.PolicyDocument) });
      }
    }
    return policies;
  }

  async #attached(RoleName: string): Promise<PolicyText[]> {
    const policies: PolicyText[] = [];
    for await (const page of paginateListAttachedRolePolicies({ client: this.#client }, { RoleName })) {
      for (const { PolicyArn: Name = "" } of page.AttachedPolicies ?? []) {
        policies.push(await this.#managed(Name));
      }
    }
    return policies;
  }

  async #managed(Name: string): Promise<PolicyText> {
    const read = await this.#reader.managedPolicy(Name);
    if ("unreadable" in read) return { Name, Unreadable: read.unreadable };
    const { PolicyVersionList: [version] = [] } = ManagedPolicyDetail.parse(read.policy);
    return { Name, Text: textOf(version?.Document) };
  }
}

/** A name is unique in an account, whatever its path. */
function nameOf(arn: string): string {
  return arn.slice(arn.lastIndexOf("/") + 1);
}

async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NoSuchEntityException) return undefined;
    throw error;
  }
}
