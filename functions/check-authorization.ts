import { loadSnapshot } from "../shared/access/snapshot.ts";
import { CheckAuthorization } from "../shared/contract/check-authorization.ts";
import { askedIn, check } from "../shared/lambda/check.ts";
import { serve } from "../shared/lambda/serve.ts";

/** Whether a user may do something on a stack, and why. */
export const handler = serve(CheckAuthorization, async (call) => {
  const asked = askedIn(call.input, call.caller.principal);
  return check(call, call.input, await loadSnapshot(call.deployment.table, asked));
});
