import { namesOf } from "../shared/access/who.ts";
import { DeleteUserProfile } from "../shared/contract/delete-user-profile.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { versionMustBe } from "../shared/model/version.ts";
import { appendEvent } from "../shared/table/events.ts";
import { releaseSshUsername } from "../shared/table/ssh-usernames.ts";
import { noSuchUser, removeUser } from "../shared/table/users.ts";

/**
 * Removes a user in one write, however many grants there are: they were given to this profile, so they count for nobody from
 * now on. FollowTable clears them away later.
 */
export const handler = serve(DeleteUserProfile, async (call) => {
  const { IamUserArn } = call.input;
  const { table } = call.deployment;
  if (namesOf(call.caller.principal).includes(IamUserArn)) {
    throw new Fault(
      "ValidationException",
      "nobody deletes their own profile, which might deny them something",
    );
  }
  return retryConflicts(DeleteUserProfile, call, async () => {
    const user = call.snapshot.user(IamUserArn);
    if (!user) throw noSuchUser(IamUserArn);
    versionMustBe(`user ${IamUserArn}`, user.Revision, call.ifVersion);
    const { SshUsername, SshPublicKey, AllowSelfManagement, ProfileId } = user;
    const before = { ProfileId, SshUsername, SshPublicKey, AllowSelfManagement };
    return commit(
      call,
      [
        ...removeUser(table, user),
        ...(SshUsername === undefined ? [] : [releaseSshUsername(table, SshUsername)]),
        appendEvent(table, changeEvent(call, { IamUserArn, Before: before })),
      ],
      {},
    );
  });
});
