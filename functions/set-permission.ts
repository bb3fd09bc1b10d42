import { SetPermission } from "../shared/contract/set-permission.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { setLevelOfGroup } from "../shared/lambda/set-level-of-group.ts";
import { setPermissionOfUser } from "../shared/lambda/set-permission-of-user.ts";

/** Sets a user's level and instance access on a stack, or a group's level. Nobody sets their own level. */
export const handler = serve(SetPermission, async (call) => {
  const { StackId, IamUserArn = "", GroupName, Level, ...access } = call.input;
  return retryConflicts(SetPermission, call, async () => {
    if (GroupName === undefined) await setPermissionOfUser(call, StackId, IamUserArn, { Level, ...access });
    else if (Level !== undefined) await setLevelOfGroup(call, StackId, GroupName, Level);
    return {};
  });
});
