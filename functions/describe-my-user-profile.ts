import { listPermissionsOfUser } from "../shared/access/list-permissions.ts";
import { mayIntroduceThemselves, whoIs } from "../shared/access/who.ts";
import { DescribeMyUserProfile } from "../shared/contract/describe-my-user-profile.ts";
import type { Call } from "../shared/lambda/call.ts";
import { createProfile } from "../shared/lambda/create-profile.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import type { User } from "../shared/model/user.ts";
import { noSuchUser } from "../shared/table/users.ts";

/** The caller's own profile, and what the caller holds on every stack. */
export const handler = serve(DescribeMyUserProfile, async (call) => {
  const profile = await ownProfile(call);
  const { user, profileArn } = whoIs(call.snapshot, call.caller);
  const { IamUserArn, Name, SshUsername, SshPublicKey, Revision: Version } = profile;
  const who = { user, profile, profileArn };
  const { rows, ...rest } = await listPermissionsOfUser(call.deployment.table, who, call.input);
  return {
    UserProfile: { IamUserArn, Name, SshUsername, SshPublicKey, Version },
    Permissions: rows.map(({ stack, shown }) => ({
      StackId: stack.StackId,
      StackName: stack.Name,
      ...shown,
    })),
    ...rest,
  };
});

/** Of whom nobody can import, it is made now; but not for whom another Lambda only names. */
function ownProfile(call: Call): Promise<User> {
  return retryConflicts(DescribeMyUserProfile, call, async () => {
    const who = whoIs(call.snapshot, call.caller);
    if (who.profile) return who.profile;
    if (call.via === "gateway" && mayIntroduceThemselves(call.caller, who, call.deployment.place)) {
      return createProfile(call, who.profileArn, {});
    }
    throw noSuchUser(who.profileArn);
  });
}
