import { randomUUID } from "node:crypto";
import { CreateUserProfile } from "../shared/contract/create-user-profile.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { readPrincipal } from "../shared/model/principal.ts";
import type { User } from "../shared/model/user.ts";
import { appendEvent } from "../shared/table/events.ts";
import { claimSshUsername, freeSshUsername } from "../shared/table/ssh-usernames.ts";
import { putUser, readIamFacts } from "../shared/table/users.ts";
import { transact } from "../shared/table/write.ts";

/**
 * Adds a user, with `iam_only` everywhere. What policies apply is known from an import; of somebody who was never imported, nothing
 * is, and levels decide alone.
 */
export const handler = serve(CreateUserProfile, async (call) => {
  const { IamUserArn, SshUsername, SshPublicKey, AllowSelfManagement = false } = call.input;
  const { table } = call.deployment;
  const principal = readPrincipal(IamUserArn);
  return retryConflicts(CreateUserProfile, call, async () => {
    if (call.snapshot.user(IamUserArn) || !principal) {
      throw new Fault("ValidationException", `User with ARN ${IamUserArn} already exists`);
    }
    const name = SshUsername ?? (await freeSshUsername(table, principal.name));
    const user: User = {
      IamUserArn,
      Name: principal.name,
      Kind: principal.kind === "role" || principal.kind === "federated" ? principal.kind : "user",
      ProfileId: randomUUID(),
      ...(await readIamFacts(table, IamUserArn)),
      SshUsername: name,
      ...(SshPublicKey === undefined ? {} : { SshPublicKey }),
      AllowSelfManagement,
      CreatedAt: call.now.toISOString(),
      Revision: randomUUID(),
    };
    const after = { SshUsername: name, SshPublicKey, AllowSelfManagement };
    await transact(table, [
      putUser(table, user, undefined),
      claimSshUsername(table, name, user, SshUsername === undefined),
      appendEvent(table, changeEvent(call, { IamUserArn, After: after })),
    ]);
    return { IamUserArn };
  });
});
