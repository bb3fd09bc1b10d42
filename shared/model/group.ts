import * as z from "zod";
import { Level } from "./level.ts";
import { NO_VERSION, versionOf } from "./version.ts";

/** How many groups may have a level on one stack: they are kept on the stack's item, which every check reads. */
export const MAX_GROUP_GRANTS = 100;

const error = "must be the name of an IAM group, without its path";

/** As IAM has them, but for one that no object in JavaScript can have as a member's name. Source: IAM API Reference, CreateGroup. */
export const GroupName = z.string({ error }).regex(/^(?!__proto__$)[\w+=,.@-]{1,128}$/, { error });

/** The levels of groups on a stack, by name; for the group with that unique id of IAM's, if it was known. */
export const GroupGrants = z.record(
  z.string(),
  z.object({ Level, GroupId: z.string().optional(), Version: z.string().optional() }),
);
export type GroupGrants = z.infer<typeof GroupGrants>;

/** The level that a stack has for a group's name; `undefined` when it has none. */
export function levelOfName(grants: GroupGrants = {}, name: string): Level | undefined {
  return Object.hasOwn(grants, name) ? grants[name]?.Level : undefined;
}

/** The same for a group: one that was deleted and made again under the same name is another one, and has none. */
export function levelOfGroup(grants: GroupGrants = {}, name: string, groupId?: string): Level | undefined {
  const id = Object.hasOwn(grants, name) ? grants[name]?.GroupId : undefined;
  const isOther = id !== undefined && groupId !== undefined && id !== groupId;
  return isOther ? undefined : levelOfName(grants, name);
}

/** The version of what a stack has for a group's name, whatever group that was given to. */
export function versionOfName(grants: GroupGrants = {}, name: string): string {
  const grant = Object.hasOwn(grants, name) ? grants[name] : undefined;
  return grant ? versionOf(grant) : NO_VERSION;
}
