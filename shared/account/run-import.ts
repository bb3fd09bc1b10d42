import { Fault } from "../model/fault.ts";
import { readPrincipal } from "../model/principal.ts";
import { getItems } from "../table/get-items.ts";
import { writeGroups } from "../table/groups.ts";
import { keys } from "../table/keys.ts";
import type { Table } from "../table/table.ts";
import { listStacks } from "../table/stacks.ts";
import { listUsers, readUser } from "../table/users.ts";
import type { User } from "../model/user.ts";
import type { IamReader } from "./iam-reader.ts";
import { type Due, ImportJob } from "./import-job.ts";
import { lookIntoRoles, RoleSource, rolesOfStack } from "./look-into-roles.ts";
import { noSourceIn } from "./start-import.ts";
import { AccountResolver, type AccountUser, uniqueIdOf, unreadableOf, userArnOf } from "./resolve-account.ts";
import { markGone, type SourceProfile, writeDocuments, writeUsers, type Writing } from "./write-users.ts";

/** What an import job works with. */
export type ImportSeam = {
  readonly table: Table;
  readonly iam: IamReader;
  readonly accountId: string;
  /** The table of another region's deployment. */
  readonly sourceIn: (region: string) => Table | undefined;
  /** Names of all actions of the services whose actions are known. */
  readonly catalogue: readonly string[];
  readonly now: () => Date;
  /** Until the function is ended, in milliseconds. */
  readonly timeLeft: () => number;
};

/** Users that are compared and written before the clock is looked at again. */
const TOGETHER = 100;
const PAGE = 500;

/** Runs the step of an import job that is due; a job that is over, or another one, is left alone. */
export function runImport(seam: ImportSeam, due: Due): Promise<void> {
  return ImportJob.run(seam, due, (job) => new ImportPass(seam, job).run());
}

/**
 * One way through the account: policies, groups, users, roles. It holds ARNs and hashes, never a text longer than a page, and is
 * the same whether the job begins or goes on: only what differs from the table is written.
 */
class ImportPass {
  readonly #iam: IamReader;
  readonly #accountId: string;
  readonly #job: ImportJob;
  readonly #account: AccountResolver;
  readonly #source: { readonly region: string; readonly table: Table } | undefined;
  readonly #chosen: ReadonlySet<string> | undefined;
  readonly #present = new Set<string>();
  readonly #arnOfId = new Map<string, string>();
  readonly #missingGroups = new Set<string>();

  constructor({ iam, accountId, catalogue, sourceIn }: ImportSeam, job: ImportJob) {
    const { Source: region, IamUserArns } = job.sync;
    this.#iam = iam;
    this.#accountId = accountId;
    this.#job = job;
    this.#account = new AccountResolver(catalogue, "IAM");
    this.#chosen = IamUserArns && new Set(IamUserArns);
    if (region === "iam") return;
    const table = sourceIn(region);
    if (!table) throw new Fault("ValidationException", noSourceIn(region));
    this.#source = { region, table };
  }

  async run(): Promise<{ PoliciesAsOf?: string }> {
    const began = this.#job.now.toISOString();
    for await (const entries of this.#iam.policies()) {
      this.#account.addPolicies(entries);
      await this.#keepDocuments();
      await this.#job.progress();
    }
    await this.#readGroups();
    for await (const entries of this.#iam.users())
      await this.#importPage(entries, (some) => this.#account.resolveUsers(some));
    for await (const entries of this.#iam.roles())
      await this.#importPage(entries, (some) => this.#account.resolveRoles(some));
    if (this.#present.size === 0) {
      const message = "IAM lists nobody, not even the role that asks, so nothing was imported";
      throw new Fault("ValidationException", message);
    }
    await writeGroups(this.#job.table, this.#account.policies.groups);
    await (this.#source ? this.#reportSource() : this.#markVanished());
    this.#reportChosen();
    if (!this.#source && !this.#chosen) await this.#lookIntoRoles();
    this.#job.notUnderstoodFirst(...this.#account.notUnderstood);
    for (const { findings } of this.#account.findings) this.#job.count("Findings", findings.length);
    const isComplete = !this.#source && !this.#chosen;
    return isComplete ? { PoliciesAsOf: began } : {};
  }

  async #readGroups(): Promise<void> {
    for await (const entries of this.#iam.groups()) {
      await this.#fetchPolicies(entries);
      this.#account.addGroups(entries);
      await this.#keepDocuments();
      await this.#job.progress();
    }
  }

  /** Policies that a page refers to and the list did not have: attached after it was read. */
  async #fetchPolicies(entries: readonly unknown[]): Promise<void> {
    for (const arn of this.#account.missingFrom(entries).policies) {
      const read = await this.#iam.managedPolicy(arn);
      if ("policy" in read) this.#account.addPolicies([read.policy]);
      else this.#account.policies.addUnreadable(arn, read.unreadable);
    }
  }

  /** Groups that a page refers to and the list did not have: made after it was read, which is read again then. */
  async #fetchGroups(entries: readonly unknown[]): Promise<void> {
    const missing = this.#account
      .missingFrom(entries)
      .groups.filter((name) => !this.#missingGroups.has(name));
    if (missing.length === 0) return;
    for (const name of missing) this.#missingGroups.add(name);
    await this.#readGroups();
  }

  async #keepDocuments(): Promise<void> {
    await writeDocuments(this.#job.table, this.#account.policies.takeDocuments());
  }

  async #importPage(
    entries: readonly unknown[],
    resolve: (entries: readonly unknown[]) => AccountUser[],
  ): Promise<void> {
    for (let from = 0; from < entries.length; from += TOGETHER) {
      this.#job.checkTime();
      const some = await this.#chosenOf(entries.slice(from, from + TOGETHER));
      await this.#fetchGroups(some);
      await this.#fetchPolicies(some);
      const users = resolve(some);
      await this.#keepDocuments();
      await this.#writeUsers(users);
    }
    await this.#job.progress(entries.length);
  }

  /** Those of a page who are to be imported; the others' policies need not even be kept. */
  async #chosenOf(entries: readonly unknown[]): Promise<readonly unknown[]> {
    const named = entries.map((entry) => ({ entry, arn: userArnOf(entry) }));
    for (const { entry, arn } of named) {
      if (arn === undefined) continue;
      this.#present.add(arn);
      const id = uniqueIdOf(entry);
      if (id !== undefined) this.#arnOfId.set(id, arn);
    }
    const asked = named.filter(({ arn }) => arn === undefined || !this.#chosen || this.#chosen.has(arn));
    if (!this.#job.sync.OnlyKnown) return asked.map(({ entry }) => entry);
    const key = (arn = "") => keys.user(arn);
    const known = await getItems(
      this.#job.table,
      asked.flatMap(({ arn }) => (arn === undefined ? [] : [key(arn), keys.iamFacts(arn)])),
    );
    const isKnown = (arn: string) =>
      known.get(key(arn)) !== undefined || known.get(keys.iamFacts(arn)) !== undefined;
    return asked.filter(({ arn }) => arn === undefined || isKnown(arn)).map(({ entry }) => entry);
  }

  async #writeUsers(users: readonly AccountUser[]): Promise<void> {
    const { ImportId, OnlyKnown } = this.#job.sync;
    const profiles = await this.#profilesOf(users);
    const given = profiles ? users.filter(({ IamUserArn }) => profiles.has(IamUserArn)) : users;
    const writing = { ...this.#writing(), importId: ImportId, onlyKnown: OnlyKnown };
    const outcomes = await writeUsers(this.#job.table, given, writing, (arn) => profiles?.get(arn));
    given.forEach((user, index) => {
      const outcome = outcomes[index];
      if (outcome === undefined || outcome === "absent") return;
      this.#job.count(COUNTED[outcome]);
      const unreadable = unreadableOf(user);
      if (unreadable.length > 0) this.#job.count("Unreadable");
      this.#job.notUnderstood(...unreadable);
    });
  }

  /** Their profiles in the other region, as far as they are the same people; `undefined` when there is none to ask. */
  async #profilesOf(users: readonly AccountUser[]): Promise<Map<string, SourceProfile> | undefined> {
    if (!this.#source) return undefined;
    const { region, table } = this.#source;
    const items = await getItems(
      table,
      users.map(({ IamUserArn }) => keys.user(IamUserArn)),
    );
    const profiles = new Map<string, SourceProfile>();
    for (const { IamUserArn, UserId } of users) {
      const profile = readUser(items.get(keys.user(IamUserArn)));
      if (!profile) continue;
      if (this.#job.sync.NotReplaced?.includes(IamUserArn)) {
        this.#job.notUnderstood(`${IamUserArn} asked for this import, and nobody replaces their own profile`);
        continue;
      }
      if (profile.UserId !== undefined && profile.UserId === UserId)
        profiles.set(IamUserArn, { ...profile, Region: region });
      else this.#job.notUnderstood(notTheSame(IamUserArn, region, profile));
    }
    return profiles;
  }

  /** Whoever of the other region is not in IAM stays there. */
  async #reportSource(): Promise<void> {
    if (!this.#source) return;
    const { region, table } = this.#source;
    for await (const { IamUserArn, Kind } of everyUser(table, () => this.#job.checkTime())) {
      if (this.#chosen && !this.#chosen.has(IamUserArn)) continue;
      if (!isOfIam(Kind))
        this.#job.notUnderstood(
          `${IamUserArn} is nobody whom IAM lists: add them here with CreateUserProfile`,
        );
      else if (!this.#present.has(IamUserArn) && !this.#chosen)
        this.#job.notUnderstood(`${IamUserArn} has a profile in ${region}, but is not in IAM`);
    }
  }

  #reportChosen(): void {
    for (const arn of this.#chosen ?? []) {
      if (!this.#present.has(arn)) this.#job.notUnderstood(`${arn} is not in IAM`);
    }
  }

  /** Who was imported from this account before and is not there any more; of a chosen list, nobody else. */
  async #markVanished(): Promise<void> {
    const { StartedAt } = this.#job.sync;
    for await (const listed of this.#candidates()) {
      const { IamUserArn, Kind, UserId, CreatedAt } = listed;
      const isOurs = readPrincipal(IamUserArn)?.accountId === this.#accountId;
      // Whoever was added after IAM was asked may be there by now.
      if (!isOurs || !isOfIam(Kind) || this.#present.has(IamUserArn) || CreatedAt >= StartedAt) continue;
      this.#job.vanished(IamUserArn);
      const now = UserId === undefined ? undefined : this.#arnOfId.get(UserId);
      if (now !== undefined)
        this.#job.notUnderstood(
          `${IamUserArn} is called ${now} now: set the levels there, and delete this profile`,
        );
      if (listed.GoneSince !== undefined) continue;
      await markGone(this.#job.table, listed, this.#writing());
    }
  }

  /** Whether the roles of stacks are still what they were made with: trust relationships drift. */
  async #lookIntoRoles(): Promise<void> {
    const { table } = this.#job;
    const source = new RoleSource();
    let token: string | undefined;
    do {
      const { page, next } = await listStacks(table, PAGE, token);
      for (const stack of page) {
        const { StackId } = stack;
        const [, partition = "", , region = ""] = stack.Arn.split(":");
        const place = { partition, region, accountId: this.#accountId };
        const named = await rolesOfStack(table, stack);
        const { gaps, unknown } = await lookIntoRoles(table, source, named, { place, stackId: StackId });
        this.#job.roleGaps(
          StackId,
          gaps.filter(({ severity }) => severity === "error"),
        );
        for (const arn of unknown)
          this.#job.notUnderstood(
            `stack ${StackId}: ${arn} is not imported, so import all users, or ask CheckStackRoles`,
          );
      }
      this.#job.checkTime();
      token = next;
    } while (token !== undefined);
  }

  #writing(): Writing {
    const { Caller, Reason } = this.#job.sync;
    return { caller: Caller, now: this.#job.now, ...(Reason === undefined ? {} : { reason: Reason }) };
  }

  #candidates(): AsyncGenerator<User> {
    const { table } = this.#job;
    return this.#chosen
      ? theseUsers(table, [...this.#chosen])
      : everyUser(table, () => this.#job.checkTime());
  }
}

const COUNTED = { added: "Added", changed: "Changed", unchanged: "Unchanged" } as const;

/** Federated users and people of Identity Center are not in IAM's lists. */
function isOfIam(kind: User["Kind"]): boolean {
  return kind === "user" || kind === "role";
}

async function* everyUser(table: Table, onPage: () => void): AsyncGenerator<User> {
  let token: string | undefined;
  do {
    const { page, next } = await listUsers(table, PAGE, token);
    yield* page;
    onPage();
    token = next;
  } while (token !== undefined);
}

async function* theseUsers(table: Table, arns: readonly string[]): AsyncGenerator<User> {
  const items = await getItems(table, arns.map(keys.user));
  for (const arn of arns) {
    const user = readUser(items.get(keys.user(arn)));
    if (user) yield user;
  }
}

function notTheSame(arn: string, region: string, { UserId }: User): string {
  return UserId === undefined
    ? `${arn} was never imported from IAM in ${region}, so whether it is the same person is not known: import them there first`
    : `${arn} in ${region} is somebody else of the same name`;
}
