import { effectiveLevel, type SourcedLevel } from "../model/effective-level.ts";
import { type Grant, type Permission, permissionOf, versionOfGrant } from "../model/grant.ts";
import { levelOfGroup } from "../model/group.ts";
import type { Level } from "../model/level.ts";
import type { Stack } from "../model/stack.ts";
import type { User } from "../model/user.ts";
import type { Who } from "./who.ts";

/** Whose levels are asked for. */
export type Holder = Pick<Who, "user" | "profile" | "profileArn" | "claimed">;

/** What somebody holds on a stack. `Level` is the one that counts, of their own and those of their groups. */
export type Held = Permission & SourcedLevel;

type GrantOf = (userArn: string) => Grant | undefined;

/** A user as the holder of levels. */
export function holder(user: User): Holder {
  return { user, profile: user, profileArn: user.IamUserArn };
}

/** @param grant of a user by name, on that stack */
export function heldBy(
  { user, profile, profileArn, claimed }: Holder,
  stack: Stack | undefined,
  grant: GrantOf,
): Held {
  const own = permissionOf(profile, grant(profileArn));
  const levels = user && stack ? levelsOfGroups(user, stack) : [];
  if (user && user !== profile) levels.push(levelOfRole(user, grant(user.IamUserArn)));
  const claimedLevel = claimed && permissionOf(claimed, grant(claimed.IamUserArn)).Level;
  if (claimed && claimedLevel === "deny")
    levels.push({ Level: claimedLevel, LevelFrom: `person/${claimed.Name}` });
  return { ...own, ...effectiveLevel(own.Level, levels) };
}

/** As it is shown: `Level` is the one that was set; with the one that counts, where that is another's. */
export type Shown = Permission & {
  readonly EffectiveLevel?: Level;
  readonly LevelFrom?: string;
  readonly Version: string;
};

export function shownOf(holding: Holder, stack: Stack, grant: GrantOf): Shown {
  const { profile, profileArn } = holding;
  const Version = versionOfGrant(profile, grant(profileArn));
  const own = { ...permissionOf(profile, grant(profileArn)), Version };
  const { Level: EffectiveLevel, LevelFrom } = heldBy(holding, stack, grant);
  return LevelFrom === "user" ? own : { ...own, EffectiveLevel, LevelFrom };
}

/** Of a user whom IAM no longer has, no group is a reason to let them do anything. */
function levelsOfGroups({ Groups, GroupIds, GoneSince }: User, { GroupGrants }: Stack): SourcedLevel[] {
  return Groups.flatMap((name) => {
    const Level = levelOfGroup(GroupGrants, name, idOf(GroupIds, name));
    const counts = Level !== undefined && (GoneSince === undefined || Level === "deny");
    return counts ? [{ Level, LevelFrom: `group/${name}` }] : [];
  });
}

function idOf(ids: User["GroupIds"] = {}, name: string): string | undefined {
  return Object.hasOwn(ids, name) ? ids[name] : undefined;
}

/** What is given to a role of Identity Center holds for every person who comes by it. */
function levelOfRole(role: User, grant: Grant | undefined): SourcedLevel {
  return { Level: permissionOf(role, grant).Level, LevelFrom: `role/${role.Name}` };
}
