import { listPermissionsOfUser } from "../shared/access/list-permissions.ts";
import { DescribeMyUserProfile } from "../shared/contract/describe-my-user-profile.ts";
import { serve } from "../shared/lambda/serve.ts";
import { noSuchUser } from "../shared/table/users.ts";

/** The caller's own profile, and what the caller holds on every stack. */
export const handler = serve(DescribeMyUserProfile, async (call) => {
  const { userArn } = call.caller.principal;
  const user = call.snapshot.user(userArn);
  if (!user) throw noSuchUser(userArn);
  const { IamUserArn, Name, SshUsername, SshPublicKey } = user;
  const { rows, ...rest } = await listPermissionsOfUser(call.deployment.table, user, call.input);
  return {
    UserProfile: { IamUserArn, Name, SshUsername, SshPublicKey },
    Permissions: rows.map(({ stack, permission }) => ({
      StackId: stack.StackId,
      StackName: stack.Name,
      ...permission,
    })),
    ...rest,
  };
});
