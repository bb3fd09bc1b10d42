import * as z from "zod";
import type { Level } from "./level.ts";

/** How many groups may have a level on one stack: they are kept on the stack's item, which every check reads. */
export const MAX_GROUP_GRANTS = 100;

const error = "must be the name of an IAM group, without its path";

/** As IAM has them, but for one that no object in JavaScript can have as a member's name. Source: IAM API Reference, CreateGroup. */
export const GroupName = z.string({ error }).regex(/^(?!__proto__$)[\w+=,.@-]{1,128}$/, { error });

/** The levels of groups on a stack, by name. */
export type GroupGrants = Readonly<Record<string, Level>>;

/** The level of a group; `undefined` when it has none. */
export function levelOfGroup(grants: GroupGrants = {}, name: string): Level | undefined {
  return Object.hasOwn(grants, name) ? grants[name] : undefined;
}
