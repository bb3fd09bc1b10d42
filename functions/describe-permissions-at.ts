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
  const last = paging.NextToken === undefined ? undefined : readPlace(list, paging.NextToken);
  const At = call.input.At ?? last?.at ?? call.now.toISOString();
  if (last && last.at !== At) throw notOfThisList();
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
    const after = token === undefined ? 0 : readPlace(list, token).after;
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

/** How far a list was told, and of what time it is: a list whose time was not given stays one of the time at which it began. */
function readPlace(list: string, token: string): { readonly after: number; readonly at: string } {
  const [, after, at] = /^(\d{1,9})@(.+)$/.exec(readCursor(list, token)) ?? [];
  if (after === undefined || at === undefined || Number.isNaN(Date.parse(at))) throw notOfThisList();
  return { after: Number(after), at };
}

function notOfThisList(): Fault {
  return new Fault("ValidationException", "`NextToken` is not a token of this list");
}

function shown({ Level, Since, By, Reason }: PermissionThen) {
  return { Level, Since, By, ...(Reason === undefined ? {} : { Reason }) };
}
