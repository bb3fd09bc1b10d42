import { namesOf } from "../access/who.ts";
import { Fault } from "../model/fault.ts";
import { changePermission, type PermissionChange } from "../model/grant.ts";
import { appendEvent } from "../table/events.ts";
import { setGrant } from "../table/grants.ts";
import { noSuchStack } from "../table/stacks.ts";
import { ensureUnixId } from "../table/unix-ids.ts";
import { noSuchUser, userMustBe } from "../table/users.ts";
import { transact } from "../table/write.ts";
import type { Call } from "./call.ts";
import { changeEvent } from "./change-event.ts";
import { rightsMustStay } from "./rights-must-stay.ts";

/** Sets what one user holds on a stack. Members left out stay; SSH/RDP off turns sudo/admin off. */
export async function setPermissionOfUser(
  call: Call,
  stackId: string,
  userArn: string,
  change: PermissionChange,
): Promise<void> {
  const { table } = call.deployment;
  const { stack } = call.snapshot;
  if (change.Level !== undefined && namesOf(call.caller.principal).includes(userArn)) {
    throw new Fault(
      "ValidationException",
      "Unable to change own permission level. Only AllowSsh and AllowSudo allowed.",
    );
  }
  const user = call.snapshot.user(userArn);
  if (!user) throw noSuchUser(userArn);
  if (!stack) throw noSuchStack(stackId);
  const before = call.snapshot.permission(userArn);
  const after = changePermission(before, change);
  if (after.AllowSudo && !after.AllowSsh) {
    throw new Fault(
      "ValidationException",
      "`AllowSudo` takes `AllowSsh`: sudo/admin comes with SSH/RDP only",
    );
  }
  const grant = setGrant(table, user, stackId, after, call.snapshot.grant(userArn));
  if (!grant) return;

  if (after.AllowSsh && user.UnixId === undefined) await ensureUnixId(table, userArn);
  await transact(table, [
    userMustBe(table, user),
    ...rightsMustStay(call, stack, userArn),
    grant,
    appendEvent(
      table,
      changeEvent(call, { StackId: stackId, IamUserArn: userArn, Before: before, After: after }),
    ),
  ]);
}
