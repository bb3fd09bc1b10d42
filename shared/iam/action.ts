import { intern } from "./remember.ts";

/** An action that is asked about. */
export type Action = {
  /** In lower case. */
  readonly name: string;
  /** Counts from 0 in the order in which actions were first asked about, as long as there are not too many. */
  readonly number: number | undefined;
};

/** Ten times as many as OpsWorks had, and longer than any name of AWS's. */
const MOST = 1024;
const LONGEST = 128;
const known = new Map<string, Action>();

/** The one object that stands for an action, whatever its case. */
export function actionOf(text: string): Action {
  const name = intern(text.toLowerCase());
  const found = known.get(name);
  if (found !== undefined) return found;
  if (known.size === MOST || name.length > LONGEST) return { name, number: undefined };
  const action = { name, number: known.size };
  known.set(name, action);
  return action;
}
