import { SetPermission } from "../shared/contract/set-permission.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { setPermissions } from "../shared/lambda/set-permissions.ts";

/** Sets a user's level and instance access on a stack, or a group's level. Nobody sets their own level. */
export const handler = serve(SetPermission, async (call) => {
  const { StackId, IamUserArn, GroupName, Level, ...access } = call.input;
  const IfVersion = call.ifVersion;
  const users = IamUserArn === undefined ? [] : [{ IamUserArn, Level, ...access, IfVersion }];
  const groups = GroupName === undefined || Level === undefined ? [] : [{ GroupName, Level, IfVersion }];
  return retryConflicts(SetPermission, call, () => setPermissions(call, StackId, users, groups));
});
