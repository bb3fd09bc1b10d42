import { whoIs } from "../shared/access/who.ts";
import { UpdateMyUserProfile } from "../shared/contract/update-my-user-profile.ts";
import { changeProfile } from "../shared/lambda/change-profile.ts";
import { serve } from "../shared/lambda/serve.ts";

/** Changes the caller's own SSH key. */
export const handler = serve(UpdateMyUserProfile, async (call) => {
  const { profileArn } = whoIs(call.snapshot, call.caller);
  await changeProfile(UpdateMyUserProfile, call, profileArn, call.input);
  return {};
});
