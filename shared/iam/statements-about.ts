import type { Action } from "./action.ts";
import { Context } from "./context.ts";
import { remember } from "./remember.ts";
import type { Selection, Statement } from "./policy.ts";

/** The statements that an action concerns, in their order. */
export type Concerned = { readonly Deny: readonly Statement[]; readonly Allow: readonly Statement[] };

const MOST_UNNUMBERED = 256;
// Stryker disable next-line ArrayDeclaration: patterns of actions have no variables
const NO_CONTEXT = new Context([]);

/**
 * Sorts out once per action which statements are about it: patterns of actions have no variables, so the answer holds for
 * every request.
 */
export function statementsAbout(statements: readonly Statement[]): (action: Action) => Concerned {
  // Actions are many, and what they have in common is little: one answer serves all that are alike.
  const concerned = remember((selection): Concerned => {
    const indexes = new Set(selection.split(","));
    const about = statements.filter(({ index }) => indexes.has(String(index)));
    return {
      Deny: about.filter(({ effect }) => effect === "Deny"),
      Allow: about.filter(({ effect }) => effect === "Allow"),
    };
  });
  const sortOut = remember((name) => {
    const about = statements.filter((statement) => isAbout(statement.action, name));
    return concerned(about.map(({ index }) => index).join());
  }, MOST_UNNUMBERED);
  const byNumber: (Concerned | undefined)[] = [];
  return ({ name, number }) => {
    // Stryker disable next-line ConditionalExpression: the answer is the same, found slower
    if (number === undefined) return sortOut(name);
    return (byNumber[number] ??= sortOut(name));
  };
}

/** Whether an `Action` or `NotAction` is about an action. @param action in lower case */
export function isAbout({ not, patterns }: Selection, action: string): boolean {
  return patterns.some((pattern) => pattern(action, NO_CONTEXT)) !== not;
}
