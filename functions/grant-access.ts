import { randomUUID } from "node:crypto";
import { heldBy } from "../shared/access/held.ts";
import { whoIs } from "../shared/access/who.ts";
import { GrantAccess } from "../shared/contract/grant-access.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { commit } from "../shared/lambda/commit.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { noSuchInstance } from "../shared/model/instance.ts";
import { encryptFor, MAX_LOGINS, newPassword } from "../shared/model/instance-login.ts";
import { appendEvent } from "../shared/table/events.ts";
import { latestLogin, newLogin, readLogins } from "../shared/table/instance-logins.ts";
import { instanceMustExist, readInstance } from "../shared/table/instances.ts";

/** Gives the caller a temporary RDP login. What is kept of the password, the instance alone can read. */
export const handler = serve(GrantAccess, async (call) => {
  const { InstanceId, ValidForInMinutes = 60 } = call.input;
  const { table } = call.deployment;
  const { stack } = call.snapshot;
  if (!stack) throw noSuchInstance(InstanceId);
  const { StackId } = stack;
  const who = whoIs(call.snapshot, call.caller);
  const { AllowSsh, AllowSudo: Administrator } = heldBy(who, stack, call.snapshot.grant);
  if (!who.profile || !AllowSsh) {
    throw new Fault(
      "AccessDeniedException",
      "a temporary login takes a profile that has SSH/RDP on the stack",
    );
  }
  const instance = await readInstance(table, { StackId, InstanceId });
  const { key, logins } = await readLogins(table, InstanceId, call.now);
  const refuse = (why: string) => new Fault("ValidationException", why);
  if (instance.Platform !== "Windows") throw refuse("the instance is no Windows: log in by SSH");
  if (!key) throw refuse("the instance has not asked for its users yet: install its script first");
  if (logins.length >= MAX_LOGINS) {
    throw refuse(`the instance has ${MAX_LOGINS} temporary logins, which is the most: wait until one ends`);
  }
  const Password = newPassword();
  const LoginId = randomUUID();
  const Username = `sw-${LoginId.slice(0, 8)}`;
  const ExpiresAt = Math.floor(call.now.getTime() / 1000) + ValidForInMinutes * 60;
  const { IamUserArn, ProfileId } = who.profile;
  const shown = { InstanceId, Username, Administrator, ExpiresAt };
  const EncryptedPassword = encryptFor(key, Password);
  const writes = [
    instanceMustExist(table, instance),
    latestLogin(table, { InstanceId, IamUserArn, now: call.now }),
    newLogin(table, InstanceId, { LoginId, EncryptedPassword, IamUserArn, ProfileId, ...shown }),
    appendEvent(table, changeEvent(call, { StackId, IamUserArn, After: shown })),
  ];
  const TemporaryCredential = { Username, Password, ValidForInMinutes, InstanceId };
  const withheld = `the login ${Username} was given for this \`ClientToken\`, and its password is shown once: ask for another login`;
  return commit(call, writes, { TemporaryCredential }, withheld);
});
