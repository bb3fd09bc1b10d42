import { isIdentityCenterRole, type Principal } from "../model/principal.ts";
import type { Place } from "../model/stack-arn.ts";
import type { User } from "../model/user.ts";
import type { Snapshot } from "./snapshot.ts";

/** Who is asked about; `userId` as API Gateway verified it, when they ask themselves. */
export type Subject = { readonly principal: Principal; readonly userId?: string };

/** A subject as the table knows it. */
export type Who = {
  /** Whose policies, boundary, tags and groups these are: of a session, the role. */
  readonly user: User | undefined;
  /** The name of whose levels, instance access and self-management count: of a session of Identity Center, the person. */
  readonly profileArn: string;
  readonly profile: User | undefined;
  /** Not somebody else under an old name. */
  readonly isSame: boolean;
  /** Who the session's name says it is, where the role does not prove it: what denies them something still counts. */
  readonly claimed?: User;
};

/** The names under which there may be something of them. */
export function namesOf({ userArn, personArn }: Principal): string[] {
  return personArn === undefined ? [userArn] : [userArn, personArn];
}

/**
 * Finds somebody. A session's name is a person's only if the role is one that nobody but Identity Center can make; elsewhere the
 * caller chooses it, and it says nothing for them.
 */
export function whoIs(snapshot: Pick<Snapshot, "user">, subject: Subject): Who {
  const { userArn, personArn } = subject.principal;
  const found = snapshot.user(userArn);
  const isSame = isSamePerson(found, subject);
  const user = isSame ? found : undefined;
  const person = personArn === undefined ? undefined : snapshot.user(personArn);
  if (personArn !== undefined && isIdentityCenterRole(user?.RoleArn ?? ""))
    return { user, profileArn: personArn, profile: person, isSame };
  return { user, profileArn: userArn, profile: user, isSame, ...(person ? { claimed: person } : {}) };
}

/**
 * Whether the verified caller is the user we know: an IAM user who is deleted and made again under the same name has
 * another unique id.
 *
 * Source: IAM User Guide, "IAM identifiers: Unique identifiers".
 */
function isSamePerson(user: User | undefined, { userId }: Subject): boolean {
  const verified = userId?.split(":")[0];
  return user?.UserId === undefined || verified === undefined || user.UserId === verified;
}

/**
 * Whether their profile is made by their own first look at it: nobody can import a federated user, or a person of Identity Center.
 *
 * Source: OpsWorks User Guide, "Importing Users into AWS OpsWorks Stacks".
 */
export function mayIntroduceThemselves(
  { principal }: Subject,
  { profileArn }: Who,
  { accountId }: Place,
): boolean {
  const isOurs = principal.accountId === accountId;
  return isOurs && (principal.kind === "federated" || profileArn === principal.personArn);
}
