import { Context } from "./context.ts";
import type { Pattern } from "./pattern.ts";
import type { Selection, Statement } from "./policy.ts";

/** The statements that an action concerns, in their order. */
export type Concerned = { readonly Deny: readonly Statement[]; readonly Allow: readonly Statement[] };

const MOST_ACTIONS = 1024;
const NO_CONTEXT = new Context([]);

/**
 * Sorts out once per action which statements are about it: patterns of actions have no variables, so the answer holds for
 * every request. What was sorted out is kept, within a bound that callers who make up actions cannot pass.
 *
 * @returns a function that takes an action in lower case
 */
export function statementsAbout(statements: readonly Statement[]): (action: string) => Concerned {
  const byAction = new Map<string, Concerned>();
  // Actions are many, and what they have in common is little: one answer serves all that are alike.
  const bySelection = new Map<string, Concerned>();
  const sortOut = (action: string): Concerned => {
    const about = statements.filter((statement) => isAbout(statement.action, action));
    const selection = about.map(({ index }) => index).join();
    const concerned = bySelection.get(selection) ?? {
      Deny: about.filter(({ effect }) => effect === "Deny"),
      Allow: about.filter(({ effect }) => effect === "Allow"),
    };
    bySelection.set(selection, concerned);
    return concerned;
  };
  return (action) => {
    const found = byAction.get(action);
    if (found !== undefined) return found;
    if (byAction.size >= MOST_ACTIONS) {
      byAction.clear();
      bySelection.clear();
    }
    const concerned = sortOut(action);
    byAction.set(action, concerned);
    return concerned;
  };
}

/** Whether an `Action` or `NotAction` is about an action. @param action in lower case */
export function isAbout({ not, patterns }: Selection<Pattern>, action: string): boolean {
  return patterns.some((pattern) => pattern(action, NO_CONTEXT)) !== not;
}
