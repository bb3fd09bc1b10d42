import { SetPermission } from "../shared/contract/set-permission.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { changePermission } from "../shared/model/grant.ts";
import { appendEvent } from "../shared/table/events.ts";
import { setGrant } from "../shared/table/grants.ts";
import { stackMustExist } from "../shared/table/stacks.ts";
import { ensureUnixId } from "../shared/table/unix-ids.ts";
import { noSuchUser, userMustBe } from "../shared/table/users.ts";
import { transact } from "../shared/table/write.ts";

/** Sets a user's level and instance access on a stack. Members left out stay; nobody sets their own level. */
export const handler = serve(SetPermission, async (call) => {
  const { StackId, IamUserArn, ...change } = call.input;
  const { table } = call.deployment;
  if (change.Level !== undefined && IamUserArn === call.caller.principal.userArn) {
    throw new Fault(
      "ValidationException",
      "Unable to change own permission level. Only AllowSsh and AllowSudo allowed.",
    );
  }
  return retryConflicts(SetPermission, call, async () => {
    const user = call.snapshot.user(IamUserArn);
    if (!user) throw noSuchUser(IamUserArn);
    const before = call.snapshot.permission(IamUserArn);
    const after = changePermission(before, change);
    if (after.AllowSudo && !after.AllowSsh) {
      throw new Fault(
        "ValidationException",
        "`AllowSudo` takes `AllowSsh`: sudo/admin comes with SSH/RDP only",
      );
    }
    const grant = setGrant(table, user, StackId, after, call.snapshot.grant(IamUserArn));
    if (!grant) return {};
    if (after.AllowSsh && user.UnixId === undefined) await ensureUnixId(table, IamUserArn);
    await transact(table, [
      userMustBe(table, user),
      stackMustExist(table, StackId),
      grant,
      appendEvent(table, changeEvent(call, { StackId, IamUserArn, Before: before, After: after })),
    ]);
    return {};
  });
});
