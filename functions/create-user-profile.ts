import { CreateUserProfile } from "../shared/contract/create-user-profile.ts";
import { createProfile } from "../shared/lambda/create-profile.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";

/**
 * Adds a user, with `iam_only` everywhere. What policies apply is known from an import; of somebody who was never imported, nothing
 * is, and levels decide alone.
 */
export const handler = serve(CreateUserProfile, async (call) => {
  const { IamUserArn, ...chosen } = call.input;
  return retryConflicts(CreateUserProfile, call, async () => {
    if (call.snapshot.user(IamUserArn)) {
      throw new Fault("ValidationException", `User with ARN ${IamUserArn} already exists`);
    }
    await createProfile(call, IamUserArn, chosen);
    return { IamUserArn };
  });
});
