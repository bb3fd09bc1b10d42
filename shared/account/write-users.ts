import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Event } from "../model/event.ts";
import { hashOf } from "../model/policy-hash.ts";
import { IamFacts, type User } from "../model/user.ts";
import { faultOfAws } from "../table/aws-fault.ts";
import { tryAgain } from "../table/budget.ts";
import { appendEvent } from "../table/events.ts";
import { getItems } from "../table/get-items.ts";
import { keys } from "../table/keys.ts";
import { putInstanceProfile } from "../table/instance-profiles.ts";
import { getPolicies, putPolicy } from "../table/policies.ts";
import { claimSshUsername, freeSshUsername, releaseSshUsername } from "../table/ssh-usernames.ts";
import type { Table } from "../table/table.ts";
import { putUser, readUser, refreshIamFacts } from "../table/users.ts";
import { transact } from "../table/write.ts";
import type { AccountUser } from "./resolve-account.ts";

/** Who imports, and when. */
export type Writing = {
  readonly caller: string;
  readonly now: Date;
  readonly reason?: string;
  /** Of an import job: whoever it has written already counts as what they were then. */
  readonly importId?: string;
  /** Nobody is added. */
  readonly onlyKnown?: boolean;
};

/** A profile in another region, as far as it is taken from there. */
export type SourceProfile = Pick<
  User,
  "ProfileId" | "SshUsername" | "SshPublicKey" | "AllowSelfManagement"
> & { readonly Region: string };

/** What became of somebody; `absent`: nobody is added, and they are not there. */
export type Outcome = "added" | "changed" | "unchanged" | "absent";

const TOGETHER = 20;
const MAX_TRIES = 10;
const MAY_PASS = new Set<string | undefined>(["ThrottlingException", "ServiceUnavailableException"]);

/** Keeps the documents that are not kept yet. */
export async function writeDocuments(
  table: Table,
  documents: Iterable<readonly [hash: string, document: string]>,
): Promise<void> {
  await inGroups([...documents], async (group) => {
    const kept = await getPolicies(
      table,
      group.map(([hash]) => hash),
    );
    const missing = group.filter(([hash]) => !kept.has(hash));
    await Promise.all(missing.map(([, document]) => putPolicy(table, document)));
  });
}

/** Writes users as IAM has them now; answers with what became of each, in their order. */
export async function writeUsers(
  table: Table,
  given: readonly AccountUser[],
  writing: Writing,
  profileOf: (userArn: string) => SourceProfile | undefined = () => undefined,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await inGroups(given, async (group) => {
    const items = await getItems(
      table,
      group.map(({ IamUserArn }) => keys.user(IamUserArn)),
    );
    const written = group.map((user) => {
      const read = readUser(items.get(keys.user(user.IamUserArn)));
      return writeUserThatFits(table, user, read, profileOf(user.IamUserArn), writing);
    });
    outcomes.push(...(await allOf(written)));
  });
  return outcomes;
}

/** DynamoDB's words for what it never takes, such as an item that is too large. */
const NEVER = new Set(["ValidationException", "TransactionCanceledException"]);

/**
 * One whom the table cannot hold is kept without their details, so that the others are imported, and whatever the details might decide is
 * denied.
 */
async function writeUserThatFits(
  table: Table,
  given: AccountUser,
  read: User | undefined,
  source: SourceProfile | undefined,
  writing: Writing,
): Promise<Outcome> {
  try {
    return await writeUser(table, given, read, source, writing);
  } catch (error) {
    if (!(error instanceof Error && NEVER.has(error.name))) throw error;
    const Unreadable = "there are more of them than one item of the table holds";
    const { Boundary: _boundary, TrustPolicy: _trust, InstanceProfiles: _profiles, ...who } = given;
    const fitting = {
      ...who,
      Groups: [],
      Tags: {},
      Policies: [{ Name: "its policies, groups and tags", Unreadable }],
    };
    return writeUser(table, fitting, read, source, writing);
  }
}

async function writeUser(
  table: Table,
  given: AccountUser,
  read: User | undefined,
  source: SourceProfile | undefined,
  writing: Writing,
): Promise<Outcome> {
  const facts = IamFacts.parse(given);
  const { current, changed } = await changeUser(
    table,
    given.IamUserArn,
    read,
    writing,
    (current) => (current || !writing.onlyKnown ? merge(current, given, source, writing) : undefined),
    () =>
      refreshIamFacts(table, given.IamUserArn, facts, (before) =>
        eventOf(writing, given.IamUserArn, { Before: factsInEvent(before), After: factsInEvent(facts) }),
      ),
  );
  const written = changed ?? current;
  if (!written) return "absent";
  const isOurs = writing.importId !== undefined && written.LastImport?.Id === writing.importId;
  if (isOurs && written.LastImport) return written.LastImport.As;
  if (!changed) return "unchanged";
  return current ? "changed" : "added";
}

/** Marks somebody whom IAM does not know any more; nothing else of them changes. */
export async function markGone(table: Table, read: User, writing: Writing): Promise<void> {
  await changeUser(table, read.IamUserArn, read, writing, (current) =>
    current?.UserId === read.UserId && current?.GoneSince === undefined && current
      ? { ...current, GoneSince: writing.now.toISOString(), Revision: randomUUID() }
      : undefined,
  );
}

/** Another unique id; one that is not known is none. */
function isSomebodyElse({ UserId: had }: User, { UserId: has }: AccountUser): boolean {
  return had !== undefined && has !== undefined && had !== has;
}

/**
 * The profile as it is to be; `undefined` when nothing changes. The profile of another region replaces this one, once: as in
 * OpsWorks, whoever is imported from there starts with `iam_only` everywhere.
 */
function merge(
  current: User | undefined,
  given: AccountUser,
  source: SourceProfile | undefined,
  { now, importId }: Writing,
): User | undefined {
  const same = current && !isSomebodyElse(current, given) ? current : undefined;
  const from = source && originOf(source);
  const isSameProfile =
    !from || (same?.ReplacedFrom?.Region === from.Region && same.ReplacedFrom.ProfileId === from.ProfileId);
  const isTaken = !from || isDeepStrictEqual(same?.ReplacedFrom, from);
  const kept =
    same && isSameProfile
      ? { ProfileId: same.ProfileId, CreatedAt: same.CreatedAt }
      : { ProfileId: randomUUID(), CreatedAt: now.toISOString() };
  const ours = isTaken ? same : source;
  // A login name goes with the ARN: whoever has it now keeps it, and it is no right by itself.
  const SshUsername = (isTaken ? undefined : source?.SshUsername) ?? current?.SshUsername;
  const ReplacedFrom = from ?? same?.ReplacedFrom;
  const id = same?.UserId === undefined ? given.UserId : (given.UserId ?? same.UserId);
  const merged: User = {
    ...given,
    ...kept,
    ...(id === undefined ? {} : { UserId: id }),
    ...(same?.UnixId === undefined ? {} : { UnixId: same.UnixId }),
    ...(ours?.SshPublicKey === undefined ? {} : { SshPublicKey: ours.SshPublicKey }),
    AllowSelfManagement: ours?.AllowSelfManagement ?? false,
    ...(SshUsername === undefined ? {} : { SshUsername }),
    ...(ReplacedFrom ? { ReplacedFrom } : {}),
    Revision: current?.Revision ?? "",
  };
  const last = current?.LastImport;
  if (current && isDeepStrictEqual({ ...merged, ...(last ? { LastImport: last } : {}) }, { ...current }))
    return undefined;
  const As = importId !== undefined && last?.Id === importId ? last.As : current ? "changed" : "added";
  const LastImport = importId === undefined ? {} : { LastImport: { Id: importId, As } as const };
  return { ...merged, ...LastImport, Revision: randomUUID() };
}

function originOf({ Region, ProfileId, SshUsername, SshPublicKey, AllowSelfManagement }: SourceProfile) {
  const Settings = hashOf(JSON.stringify([SshUsername ?? "", SshPublicKey ?? "", AllowSelfManagement]));
  return { Region, ProfileId, Settings };
}

/** Writes one user, again from reading on when somebody else is in the way or the table is busy. @param ifAbsent of one who is to stay so */
async function changeUser(
  table: Table,
  userArn: string,
  read: User | undefined,
  writing: Writing,
  change: (current: User | undefined) => User | undefined,
  ifAbsent?: () => Promise<void>,
): Promise<{ current: User | undefined; changed: User | undefined }> {
  let current = read;
  let isFirst = true;
  const attempt = async () => {
    const key = keys.user(userArn);
    if (!isFirst) current = readUser((await getItems(table, [key])).get(key));
    isFirst = false;
    const changed = change(current);
    if (changed) await write(table, changed, current, writing);
    else if (!current) await ifAbsent?.();
    return { current, changed };
  };
  // Whether a write that timed out was done shows when the user is read again.
  const mayPass = (error: unknown) => {
    const fault = faultOfAws(error);
    return fault?.transient === true || MAY_PASS.has(fault?.name);
  };
  return tryAgain(attempt, { most: MAX_TRIES, mayPass });
}

async function write(table: Table, wanted: User, current: User | undefined, writing: Writing): Promise<void> {
  const name = await sshUsernameFor(table, wanted, current);
  const user = name === undefined ? wanted : { ...wanted, SshUsername: name };
  const had = current?.SshUsername;
  const profiles = (user.InstanceProfiles ?? []).filter((arn) => !current?.InstanceProfiles?.includes(arn));
  for (const arn of profiles) await putInstanceProfile(table, arn, user.IamUserArn);
  const isNewName = name !== undefined && name.toLowerCase() !== had?.toLowerCase();
  await transact(table, [
    putUser(table, user, current?.Revision),
    ...(isNewName ? [claimSshUsername(table, name, user, true)] : []),
    ...(isNewName && had !== undefined ? [releaseSshUsername(table, had)] : []),
    appendEvent(
      table,
      eventOf(writing, user.IamUserArn, {
        ...(current ? { Before: shownInEvent(current) } : {}),
        After: shownInEvent(user),
      }),
    ),
  ]);
}

/** Its time is when it is written, not when the import began. */
function eventOf(
  { caller, reason }: Writing,
  IamUserArn: string,
  change: Pick<Event, "Before" | "After">,
): Event {
  return {
    EventId: randomUUID(),
    Time: new Date().toISOString(),
    Operation: "ImportUsers",
    Caller: caller,
    ...(reason === undefined ? {} : { Reason: reason }),
    IamUserArn,
    ...change,
  };
}

/** The name that is wanted, if it is free; else the one there is, or one made from the IAM name. */
async function sshUsernameFor(
  table: Table,
  { SshUsername: wanted, Name, Kind }: User,
  current: User | undefined,
): Promise<string | undefined> {
  const had = current?.SshUsername;
  if (wanted !== undefined) {
    if (wanted.toLowerCase() === had?.toLowerCase()) return wanted;
    const key = keys.sshUsername(wanted);
    if ((await getItems(table, [key])).get(key) === undefined) return wanted;
  }
  if (had !== undefined) return had;
  return wanted !== undefined || Kind === "user" ? freeSshUsername(table, wanted ?? Name) : undefined;
}

function shownInEvent(user: User) {
  const { ProfileId, ReplacedFrom } = user;
  const { SshUsername, SshPublicKey, AllowSelfManagement } = user;
  const facts = { ProfileId, ...factsInEvent(user) };
  return ReplacedFrom ? { ...facts, ReplacedFrom, SshUsername, SshPublicKey, AllowSelfManagement } : facts;
}

function factsInEvent({ UserId, Groups, Boundary, GoneSince, ...user }: IamFacts) {
  const Policies = user.Policies.length > MOST_IN_EVENT ? summaryOf(user.Policies) : user.Policies;
  return { UserId, Groups, Policies, Boundary, GoneSince };
}

/** An event has them twice, before and after, and an item may have 400 KB. */
const MOST_IN_EVENT = 200;

function summaryOf(policies: User["Policies"]) {
  return { Count: policies.length, Hash: hashOf(JSON.stringify(policies)) };
}

/** Waits for every one, so that none that is late writes over what comes after. @throws what the first threw that failed */
async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

async function inGroups<T>(
  items: readonly T[],
  work: (group: readonly T[]) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < items.length; from += TOGETHER) await work(items.slice(from, from + TOGETHER));
}
