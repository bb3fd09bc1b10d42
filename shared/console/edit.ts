import type * as z from "zod";
import type { DescribePermissions } from "../contract/describe-permissions.ts";
import type { SetPermissions } from "../contract/set-permissions.ts";
import { Fault } from "../model/fault.ts";
import type { Permission } from "../model/grant.ts";
import { Level } from "../model/level.ts";

type Described = z.output<typeof DescribePermissions.output>;
export type UserRow = Described["Permissions"][number];
export type GroupRow = NonNullable<Described["GroupPermissions"]>[number];

/** Which of the form's rows: `user.3`, `group.0`. */
export type RowId = string;

/** A row of the form: what it was, as the visitor has seen it, and what they made of it. */
export type UserEdit = {
  readonly id: RowId;
  readonly IamUserArn: string;
  readonly Version: string;
  readonly was: Permission;
  readonly now: Permission;
};
export type GroupEdit = {
  readonly id: RowId;
  readonly GroupName: string;
  readonly Version: string;
  readonly was: Level;
  readonly now: Level;
};

/** What somebody makes of a stack's permissions. */
export type Edit = {
  readonly users: readonly UserEdit[];
  readonly groups: readonly GroupEdit[];
  readonly Reason: string;
};

/** The row by which a group gets a level that has none yet. */
export const NEW_GROUP: RowId = "group.new";

export function editOf(users: readonly UserRow[], groups: readonly GroupRow[]): Edit {
  return {
    users: users.map(({ IamUserArn, Version, Level, AllowSsh, AllowSudo }, index) => {
      const was = { Level, AllowSsh, AllowSudo };
      return { id: `user.${index}`, IamUserArn, Version, was, now: was };
    }),
    groups: groups.map(({ GroupName, Version, Level }, index) => {
      return { id: `group.${index}`, GroupName, Version, was: Level, now: Level };
    }),
    Reason: "",
  };
}

/** As it was, in one word of the form; {@link readPermission} reads it. */
export function writePermission({ Level, AllowSsh, AllowSudo }: Permission): string {
  return [Level, ...(AllowSsh ? ["ssh"] : []), ...(AllowSudo ? ["sudo"] : [])].join(" ");
}

function readPermission(text: string): Permission {
  const [level = "", ...access] = text.split(" ");
  return { Level: readLevel(level), AllowSsh: access.includes("ssh"), AllowSudo: access.includes("sudo") };
}

/** A row whose level may not be changed has no level in the form. */
export function readEdit(form: URLSearchParams): Edit {
  const users: UserEdit[] = [];
  const groups: GroupEdit[] = [];
  for (const [id, value] of form) {
    const of = (member: string) => form.get(`${id}.${member}`);
    if (/^user\.\d+$/.test(id)) {
      const was = readPermission(of("was") ?? "");
      const now = {
        Level: readLevel(of("level") ?? was.Level),
        AllowSsh: of("ssh") !== null,
        AllowSudo: of("sudo") !== null,
      };
      users.push({ id, IamUserArn: value, Version: of("version") ?? "", was, now });
    }
    const isNew = id === NEW_GROUP;
    if (!/^group\.\d+$/.test(id) && (!isNew || value.trim() === "")) continue;
    const was = isNew ? "iam_only" : readLevel(of("was") ?? "");
    const now = readLevel(of("level") ?? was);
    groups.push({ id, GroupName: value.trim(), Version: isNew ? "none" : (of("version") ?? ""), was, now });
  }
  return { users, groups, Reason: (form.get("Reason") ?? "").trim() };
}

function readLevel(text: string): Level {
  const level = Level.safeParse(text);
  if (level.success) return level.data;
  throw new Fault("ValidationException", `\`${text.slice(0, 20)}\` is no level`);
}

/** What SetPermissions is to do, and the row that each of its entries is of. */
export type Changes = {
  readonly input: z.input<typeof SetPermissions.input>;
  readonly users: readonly UserEdit[];
  readonly groups: readonly GroupEdit[];
};

/** Only what was changed, of the rows as the visitor has seen them. */
export function changesOf(StackId: string, { users, groups, Reason }: Edit): Changes {
  const changed = users.filter(isChanged);
  const changedGroups = groups.filter(({ id, was, now }) => was !== now || id === NEW_GROUP);
  const Permissions = changed.map(({ IamUserArn, Version, was, now }) => {
    const isOtherAccess = now.AllowSsh !== was.AllowSsh;
    return {
      IamUserArn,
      ...(now.Level === was.Level ? {} : { Level: now.Level }),
      ...(isOtherAccess ? { AllowSsh: now.AllowSsh } : {}),
      // Said even where it stays on: the operation then tells that it takes SSH/RDP, and does not turn it off.
      ...(now.AllowSudo !== was.AllowSudo || (isOtherAccess && now.AllowSudo)
        ? { AllowSudo: now.AllowSudo }
        : {}),
      IfVersion: Version,
    };
  });
  const GroupPermissions = changedGroups.map(({ GroupName, Version, now }) => {
    return { GroupName, Level: now, IfVersion: Version };
  });
  return {
    input: {
      StackId,
      ...(Permissions.length === 0 ? {} : { Permissions }),
      ...(GroupPermissions.length === 0 ? {} : { GroupPermissions }),
      ...(Reason === "" ? {} : { Reason }),
    },
    users: changed,
    groups: changedGroups,
  };
}

function isChanged({ was, now }: UserEdit): boolean {
  return writePermission(was) !== writePermission(now);
}

/** Of what an operation said, what is about which row; the rest under no row. */
export function saidOf(
  { message }: Fault,
  { users, groups }: Changes,
): ReadonlyMap<RowId | undefined, string> {
  const said = new Map<RowId | undefined, string>();
  for (const part of message.split(/; (?=`)/)) {
    const [, member, index = "", text = ""] =
      /^`(Permissions|GroupPermissions)\.(\d+)[\w.]*`:? (.*)$/s.exec(part) ?? [];
    const id = (member === "Permissions" ? users : groups)[Number(index)]?.id;
    const about = member === undefined ? undefined : id;
    const sentence = about === undefined ? part : text;
    const before = said.get(about);
    said.set(about, before === undefined ? sentence : `${before}; ${sentence}`);
  }
  return said;
}

/**
 * The edit over what somebody else made of it meanwhile: what the visitor has changed stays changed, what they left alone is as it is now. Answers with
 * the rows that are not as the visitor has seen them, too.
 */
export function overtake(
  edit: Edit,
  users: ReadonlyMap<RowId, UserRow>,
  groups: ReadonlyMap<RowId, GroupRow | undefined>,
): { edit: Edit; overtaken: ReadonlyMap<RowId, Permission | Level> } {
  const overtaken = new Map<RowId, Permission | Level>();
  const ofUser = (row: UserEdit): UserEdit => {
    const found = users.get(row.id);
    if (!found || found.Version === row.Version) return row;
    const { Level, AllowSsh, AllowSudo, Version } = found;
    const is = { Level, AllowSsh, AllowSudo };
    overtaken.set(row.id, is);
    const { was, now } = row;
    return {
      ...row,
      Version,
      was: is,
      now: {
        Level: now.Level === was.Level ? Level : now.Level,
        AllowSsh: now.AllowSsh === was.AllowSsh ? AllowSsh : now.AllowSsh,
        AllowSudo: now.AllowSudo === was.AllowSudo ? AllowSudo : now.AllowSudo,
      },
    };
  };
  const ofGroup = (row: GroupEdit): GroupEdit => {
    const found = groups.get(row.id);
    if (!groups.has(row.id) || (found?.Version ?? "none") === row.Version) return row;
    const { Level = "iam_only", Version = "none", GroupName = row.GroupName } = found ?? {};
    const id = row.id === NEW_GROUP ? rowOf(edit.groups, GroupName) : row.id;
    overtaken.set(id, Level);
    return { id, GroupName, Version, was: Level, now: row.now === row.was ? Level : row.now };
  };
  const moved = new Map<RowId, GroupEdit>();
  for (const row of edit.groups.map(ofGroup)) moved.set(row.id, row);
  return { edit: { ...edit, users: edit.users.map(ofUser), groups: [...moved.values()] }, overtaken };
}

/** Where a group stands that has a level already: in its own row, else in a further one. */
function rowOf(groups: readonly GroupEdit[], GroupName: string): RowId {
  const own = groups.find((row) => row.id !== NEW_GROUP && row.GroupName === GroupName);
  const last = Math.max(-1, ...groups.map(({ id }) => Number(/^group\.(\d+)$/.exec(id)?.[1] ?? -1)));
  return own?.id ?? `group.${last + 1}`;
}
