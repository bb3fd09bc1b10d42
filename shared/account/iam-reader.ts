import {
  type EntityType,
  GetAccountAuthorizationDetailsCommand,
  type GetAccountAuthorizationDetailsCommandOutput,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  IAMClient,
  NoSuchEntityException,
} from "@aws-sdk/client-iam";

/** IAM did not answer, or not with what was asked for. */
export class IamFault extends Error {
  override readonly name = "IamFault";
  /** The same again, later, would not go through either. */
  readonly permanent: boolean;

  constructor(cause: unknown) {
    const { name, message } = cause instanceof Error ? cause : { name: "Error", message: "no answer" };
    super(`IAM answered ${name}: ${message}`, { cause });
    this.permanent = name === "AccessDenied" || name === "AccessDeniedException";
  }
}

/** How often one call is made before the whole reading is given up; waits grow up to 20 seconds in between. */
const MAX_ATTEMPTS = 10;
/** IAM gives 1000 at most, and a user's inline policies may have 2,048 characters, a role's 10,240. */
const PAGE = 300;
const MAX_TRIES = 3;

/**
 * Reads an account from IAM, page by page.
 *
 * Source: IAM API Reference, GetAccountAuthorizationDetails, GetPolicy, GetPolicyVersion.
 */
export class IamReader {
  readonly #client: IAMClient;

  constructor(
    client = new IAMClient({
      maxAttempts: MAX_ATTEMPTS,
      requestHandler: { connectionTimeout: 2000, requestTimeout: 30_000, throwOnRequestTimeout: true },
    }),
  ) {
    this.#client = client;
  }

  /** Managed policies that are attached to somebody; what nobody has applies to nobody. */
  async *policies(): AsyncGenerator<readonly unknown[]> {
    for await (const { Policies = [] } of this.#pages(["LocalManagedPolicy", "AWSManagedPolicy"])) {
      yield Policies.filter(
        ({ AttachmentCount, PermissionsBoundaryUsageCount }) =>
          AttachmentCount !== 0 || PermissionsBoundaryUsageCount !== 0,
      );
    }
  }

  async *groups(): AsyncGenerator<readonly unknown[]> {
    for await (const { GroupDetailList = [] } of this.#pages(["Group"])) yield GroupDetailList;
  }

  async *users(): AsyncGenerator<readonly unknown[]> {
    for await (const { UserDetailList = [] } of this.#pages(["User"])) yield UserDetailList;
  }

  async *roles(): AsyncGenerator<readonly unknown[]> {
    for await (const { RoleDetailList = [] } of this.#pages(["Role"])) yield RoleDetailList;
  }

  /**
   * One managed policy with its default version, in the shape of a list's entry; as text, why there is none. Its default version may
   * be replaced and deleted between the two calls, so both are made again then.
   */
  async managedPolicy(arn: string): Promise<{ policy: unknown } | { unreadable: string }> {
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      const found = await this.#ask(() => this.#client.send(new GetPolicyCommand({ PolicyArn: arn })));
      const VersionId = found?.Policy?.DefaultVersionId;
      if (VersionId === undefined) return { unreadable: "it was deleted while the account was read" };
      const version = await this.#ask(() =>
        this.#client.send(new GetPolicyVersionCommand({ PolicyArn: arn, VersionId })),
      );
      const Document = version?.PolicyVersion?.Document;
      if (Document !== undefined) {
        const PolicyVersionList = [{ VersionId, Document }];
        return { policy: { Arn: arn, DefaultVersionId: VersionId, PolicyVersionList } };
      }
    }
    return { unreadable: `its default version was gone each of ${MAX_TRIES} times that it was read` };
  }

  async *#pages(Filter: EntityType[]): AsyncGenerator<GetAccountAuthorizationDetailsCommandOutput> {
    let marker: string | undefined;
    do {
      const asked = { Filter, MaxItems: PAGE, ...(marker === undefined ? {} : { Marker: marker }) };
      const page = await this.#ask(() => this.#client.send(new GetAccountAuthorizationDetailsCommand(asked)));
      if (!page) throw new IamFault(new Error("the list is not there"));
      yield page;
      if (page.IsTruncated && page.Marker === undefined)
        throw new IamFault(new Error("a list goes on, but not where"));
      marker = page.IsTruncated ? page.Marker : undefined;
    } while (marker !== undefined);
  }

  /** The answer; `undefined` when there is no such thing. @throws IamFault */
  async #ask<T>(send: () => Promise<T>): Promise<T | undefined> {
    try {
      return await send();
    } catch (error) {
      if (error instanceof NoSuchEntityException) return undefined;
      throw new IamFault(error);
    }
  }
}
