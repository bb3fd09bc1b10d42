import { instanceThatCalls } from "../shared/access/instance-caller.ts";
import { usersOfInstance } from "../shared/access/users-of-instance.ts";
import { DescribeInstanceAccess } from "../shared/contract/describe-instance-access.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { lineOf, tagOf } from "../shared/model/instance-user.ts";

/** Who may log in to the instance that asks. */
export const handler = serve(DescribeInstanceAccess, async (call) => {
  const { StackId, Format, IfNoneMatch } = call.input;
  const { table } = call.deployment;
  if (call.via !== "gateway") {
    throw new Fault(
      "AccessDeniedException",
      "an instance asks for itself, by API Gateway, which verifies it",
    );
  }
  const { stack } = await instanceThatCalls(table, call.caller, StackId);
  const Users = await usersOfInstance(table, stack);
  const ETag = tagOf(Users);
  if (ETag === IfNoneMatch) return { NotModified: true as const, ETag };
  return Format === "Lines" ? { Lines: Users.map(lineOf).join(""), ETag } : { Users, ETag };
});
