import { Context } from "./context.ts";
import type { Pattern } from "./pattern.ts";
import { remember, rememberLast } from "./remember.ts";
import type { Selection, Statement } from "./policy.ts";

/** The statements that an action concerns, in their order. */
export type Concerned = { readonly Deny: readonly Statement[]; readonly Allow: readonly Statement[] };

/** Thrice as many as OpsWorks had; each policy keeps so many. */
const MOST_ACTIONS = 256;
const NO_CONTEXT = new Context([]);

/**
 * Sorts out once per action which statements are about it: patterns of actions have no variables, so the answer holds for
 * every request.
 *
 * @returns a function that takes an action in lower case
 */
export function statementsAbout(statements: readonly Statement[]): (action: string) => Concerned {
  // Actions are many, and what they have in common is little: one answer serves all that are alike.
  const concerned = remember((selection): Concerned => {
    const indexes = new Set(selection.split(","));
    const about = statements.filter(({ index }) => indexes.has(String(index)));
    return {
      Deny: about.filter(({ effect }) => effect === "Deny"),
      Allow: about.filter(({ effect }) => effect === "Allow"),
    };
  });
  const aboutAction = remember((action) => {
    const about = statements.filter((statement) => isAbout(statement.action, action));
    return concerned(about.map(({ index }) => index).join());
  }, MOST_ACTIONS);
  // A decision looks for a Deny, then for an Allow.
  return rememberLast(aboutAction);
}

/** Whether an `Action` or `NotAction` is about an action. @param action in lower case */
export function isAbout({ not, patterns }: Selection<Pattern>, action: string): boolean {
  return patterns.some((pattern) => pattern(action, NO_CONTEXT)) !== not;
}
