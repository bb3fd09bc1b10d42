import { type Action, actionOf } from "./action.ts";
import { type Arn, isArn, splitArn } from "./arn.ts";
import type { Context } from "./context.ts";
import { InvalidRequest } from "./invalid-request.ts";
import { remember } from "./remember.ts";

/** What is asked: an action on a resource (`*` when it has none), in a context. */
export type Request = {
  readonly action: Action;
  readonly resource: Arn;
  readonly context: Context;
};

/** Stacks are few and asked about again and again. */
const splitOnce = remember(splitArn);

/** @throws InvalidRequest for an action that is not `service:Name`, or a resource that is neither `*` nor an ARN */
export function readRequest(action: string, resource: string, context: Context): Request {
  if (!/^[A-Za-z0-9-]+:[A-Za-z0-9_.-]+$/.test(action))
    throw new InvalidRequest("action", "must be `service:Name`");
  const arn = splitOnce(resource);
  if (resource !== "*" && !isArn(arn)) throw new InvalidRequest("resource", "must be `*` or an ARN");
  return { action: actionOf(action), resource: arn, context };
}
