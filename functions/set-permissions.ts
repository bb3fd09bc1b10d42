import { SetPermissions } from "../shared/contract/set-permissions.ts";
import { entriesOf } from "../shared/lambda/entries-of.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { setPermissions } from "../shared/lambda/set-permissions.ts";

/** Sets what several users and groups have on a stack, in one transaction. What is wrong is said with the entry that it is about. */
export const handler = serve(SetPermissions, async (call) => {
  const { users, groups } = entriesOf(call.input);
  return retryConflicts(SetPermissions, call, () => setPermissions(call, call.input.StackId, users, groups));
});
