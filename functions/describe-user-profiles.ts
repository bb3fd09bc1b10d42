import { collectPages } from "../shared/access/collect-pages.ts";
import { DescribeUserProfiles } from "../shared/contract/describe-user-profiles.ts";
import { serve } from "../shared/lambda/serve.ts";
import type { User } from "../shared/model/user.ts";
import { getItems } from "../shared/table/get-items.ts";
import { keys } from "../shared/table/keys.ts";
import { listUsers, noSuchUser, readUser } from "../shared/table/users.ts";

/** The profiles of these users, or of all of them. */
export const handler = serve(DescribeUserProfiles, async (call) => {
  const { IamUserArns, ...paging } = call.input;
  const { table } = call.deployment;
  const { policiesAsOf } = call.snapshot;
  const age = policiesAsOf === undefined ? {} : { PoliciesAsOf: policiesAsOf };
  if (IamUserArns === undefined) {
    const { rows, ...rest } = await collectPages(paging, (limit, token) => listUsers(table, limit, token));
    return { UserProfiles: rows.map(profileOf), ...age, ...rest };
  }
  const items = await getItems(table, IamUserArns.map(keys.user));
  const users = IamUserArns.map((arn) => {
    const user = readUser(items.get(keys.user(arn)));
    if (!user) throw noSuchUser(arn);
    return user;
  });
  return { UserProfiles: users.map(profileOf), ...age };
});

function profileOf({
  IamUserArn,
  Name,
  SshUsername,
  SshPublicKey,
  AllowSelfManagement,
  GoneSince,
  ...user
}: User) {
  const Version = user.Revision;
  return { IamUserArn, Name, SshUsername, SshPublicKey, AllowSelfManagement, GoneSince, Version };
}
