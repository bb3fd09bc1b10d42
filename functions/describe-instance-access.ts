import { instanceThatCalls } from "../shared/access/instance-caller.ts";
import { loginsOfInstance } from "../shared/access/logins-of-instance.ts";
import { usersOfInstance } from "../shared/access/users-of-instance.ts";
import { DescribeInstanceAccess } from "../shared/contract/describe-instance-access.ts";
import type { Call } from "../shared/lambda/call.ts";
import { changeEvent } from "../shared/lambda/change-event.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import type { Instance } from "../shared/model/instance.ts";
import type { InstanceKey } from "../shared/model/instance-login.ts";
import { lineOf, tagOf } from "../shared/model/instance-user.ts";
import type { Stack } from "../shared/model/stack.ts";
import { appendEvent } from "../shared/table/events.ts";
import { anotherKey, newInstanceKey, readLogins } from "../shared/table/instance-logins.ts";
import { instanceMustExist } from "../shared/table/instances.ts";
import { takeNonce } from "../shared/table/nonces.ts";
import { transact } from "../shared/table/write.ts";

/** Who may log in to the instance that asks. */
export const handler = serve(DescribeInstanceAccess, async (call) => {
  const { StackId, Nonce, Format, IfNoneMatch, PublicKey } = call.input;
  const { table } = call.deployment;
  if (call.via !== "gateway") {
    throw new Fault(
      "AccessDeniedException",
      "an instance asks for itself, by API Gateway, which verifies it",
    );
  }
  const { instance, stack } = await instanceThatCalls(table, call.caller, StackId);
  await takeNonce(table, instance.InstanceId, Nonce, call.now);
  const Users = await usersOfInstance(table, stack);
  const isWindows = instance.Platform === "Windows";
  const Logins = isWindows ? await loginsFor(call, instance, stack, PublicKey) : undefined;
  const ETag = tagOf({ Users, Logins });
  if (ETag === IfNoneMatch) return { NotModified: true as const, ETag };
  const told = Logins ? { Logins } : {};
  return Format === "Lines" ? { Lines: Users.map(lineOf).join(""), ETag } : { Users, ...told, ETag };
});

async function loginsFor(call: Call, instance: Instance, stack: Stack, given: InstanceKey | undefined) {
  const { table } = call.deployment;
  const { StackId, InstanceId } = instance;
  const { key, logins } = await readLogins(table, InstanceId, call.now);
  if (given && key && tagOf([given.Modulus, given.Exponent]) !== tagOf([key.Modulus, key.Exponent]))
    throw anotherKey();
  if (given && !key) {
    const After = { InstanceId, PublicKey: given };
    await transact(table, [
      instanceMustExist(table, instance),
      newInstanceKey(table, InstanceId, given),
      appendEvent(table, changeEvent(call, { StackId, After })),
    ]);
  }
  return loginsOfInstance(table, stack, logins);
}
