import { collectPages } from "../shared/access/collect-pages.ts";
import { permissionsOfStackAt, permissionsOfUserAt } from "../shared/access/permissions-at.ts";
import { DescribePermissionsAt } from "../shared/contract/describe-permissions-at.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import type { PermissionThen } from "../shared/model/permission-history.ts";
import { readCursor, writeCursor } from "../shared/table/list.ts";

/** Who held what at a time, as the events tell it. */
export const handler = serve(DescribePermissionsAt, async (call) => {
  const { StackId, IamUserArn = "", ...paging } = call.input;
  const list = `permissions/${StackId ?? IamUserArn}`;
  const { At = timeOf(list, paging.NextToken) ?? call.now.toISOString() } = call.input;
  const { table } = call.deployment;
  const found =
    StackId === undefined
      ? { users: await permissionsOfUserAt(table, IamUserArn, At), groups: [] }
      : await permissionsOfStackAt(table, StackId, call.snapshot.stack, At);
  if (!found)
    throw new Fault("ResourceNotFoundException", `Unable to find stack with ID ${StackId} at ${At}`);
  const all = found.users.map(({ held, ...user }) => {
    const { AllowSsh, AllowSudo } = held;
    return { ...user, AllowSsh, AllowSudo, ...shown(held) };
  });
  const { rows, ...rest } = await collectPages(paging, async (limit, token) => {
    const after = token === undefined ? 0 : readPlace(list, token, At);
    const next = after + limit < all.length ? writeCursor(list, `${after + limit}@${At}`) : undefined;
    return { page: all.slice(after, after + limit), next };
  });
  const groups = found.groups.map(([GroupName, held]) => ({
    StackId: StackId ?? "",
    GroupName,
    ...shown(held),
  }));
  return { At, Permissions: rows, ...(groups.length === 0 ? {} : { GroupPermissions: groups }), ...rest };
});

/** A list whose time was not given stays one of the time at which it began. */
function timeOf(list: string, token: string | undefined): string | undefined {
  const at = token && readCursor(list, token).split("@", 2)[1];
  return at && !Number.isNaN(Date.parse(at)) ? at : undefined;
}

/** How far a list of that time was told. */
function readPlace(list: string, token: string, at: string): number {
  const [after, ofTime] = readCursor(list, token).split("@", 2);
  if (ofTime === at && /^\d{1,9}$/.test(after ?? "")) return Number(after);
  throw new Fault("ValidationException", "`NextToken` is not a token of this list");
}

function shown({ Level, Since, By, Reason }: PermissionThen) {
  return { Level, Since, By, ...(Reason === undefined ? {} : { Reason }) };
}
