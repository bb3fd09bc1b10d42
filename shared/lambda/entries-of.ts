import type { SeveralPermissions } from "../contract/set-permissions.ts";
import type { Own } from "../contract/writing.ts";
import type * as z from "zod";
import type { GroupEntry } from "./change-levels.ts";
import type { UserEntry } from "./change-of-user.ts";

/** The entries of several permissions, each with where it stands in the input. */
export function entriesOf({
  Permissions = [],
  GroupPermissions = [],
}: Own<z.output<typeof SeveralPermissions>>): { users: UserEntry[]; groups: GroupEntry[] } {
  return {
    users: Permissions.map((entry, index) => ({ ...entry, at: `Permissions.${index}` })),
    groups: GroupPermissions.map((entry, index) => ({ ...entry, at: `GroupPermissions.${index}` })),
  };
}
