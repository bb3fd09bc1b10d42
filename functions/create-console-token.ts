import { CreateConsoleToken } from "../shared/contract/create-console-token.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { newSignInToken } from "../shared/table/console-sessions.ts";

/** A token by which the caller, and nobody whom another Lambda only names, signs in to the console. */
export const handler = serve(CreateConsoleToken, async (call) => {
  const { principal, userId } = call.caller;
  if (call.via !== "gateway" || userId === undefined) {
    throw new Fault("AccessDeniedException", "nobody signs in by direct invocation, whoever they are named");
  }
  const who = { CallerArn: principal.arn, UserId: userId };
  const { token, expiresAt } = await newSignInToken(call.deployment.table, who, call.now);
  return { Token: token, ExpiresAt: expiresAt.toISOString() };
});
