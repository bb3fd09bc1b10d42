import { actionsOnStack } from "../decision/levels.ts";
import type { Context } from "../iam/context.ts";
import { readPrincipal } from "../model/principal.ts";
import type { User } from "../model/user.ts";
import { learn } from "./answer.ts";
import type { Deployment } from "./deployment.ts";
import { suppliedContext } from "./request-context.ts";
import type { Snapshot } from "./snapshot.ts";

/** What somebody may do on a stack. */
export type MayDo = {
  readonly actions: readonly string[];
  /** Condition keys that policies asked for and nobody supplied. */
  readonly absentKeys: readonly string[];
};

/** Asks the decision about every action that there is on a stack. Of a person of Identity Center it is what their own level gives. */
export async function mayDo(
  deployment: Deployment,
  snapshot: Snapshot,
  { IamUserArn }: User,
  now: Date,
): Promise<MayDo> {
  const principal = readPrincipal(IamUserArn);
  const { stack } = snapshot;
  if (!principal || !stack) return { actions: [], absentKeys: [] };
  const ask = await learn(deployment, snapshot, { principal });
  let context: Context | undefined;
  const contextOf = (user: User | undefined) => {
    context ??= suppliedContext({ principal, user, stackTags: stack.Tags, place: deployment.place, now }, {});
    return context;
  };
  const actions = actionsOnStack().filter(
    (action) => ask(action, stack.Arn, contextOf).decision === "allowed",
  );
  return { actions, absentKeys: context?.absent ?? [] };
}
