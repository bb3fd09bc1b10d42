import { UpdateUserProfile } from "../shared/contract/update-user-profile.ts";
import { changeProfile } from "../shared/lambda/change-profile.ts";
import { serve } from "../shared/lambda/serve.ts";

/** Changes a user's login name, SSH key and self-management. */
export const handler = serve(UpdateUserProfile, async (call) => {
  const { IamUserArn, ...change } = call.input;
  await changeProfile(UpdateUserProfile, call, IamUserArn, change);
  return {};
});
