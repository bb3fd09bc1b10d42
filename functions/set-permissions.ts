import { SetPermissions } from "../shared/contract/set-permissions.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { setPermissions } from "../shared/lambda/set-permissions.ts";

/** Sets what several users and groups have on a stack, in one transaction. What is wrong is said with the entry that it is about. */
export const handler = serve(SetPermissions, async (call) => {
  const { StackId, Permissions = [], GroupPermissions = [] } = call.input;
  const users = Permissions.map((entry, index) => ({ ...entry, at: `Permissions.${index}` }));
  const groups = GroupPermissions.map((entry, index) => ({ ...entry, at: `GroupPermissions.${index}` }));
  return retryConflicts(SetPermissions, call, () => setPermissions(call, StackId, users, groups));
});
