import { intern } from "./remember.ts";

/** An action that is asked about. */
export type Action = {
  /** In lower case. */
  readonly name: string;
  /** Counts from 0 in the order in which actions were first asked about; `undefined` where too many were. */
  readonly number: number | undefined;
};

/** Ten times as many as OpsWorks had; what is asked about beyond them is looked up anew every time. */
const MOST = 1024;
const known = new Map<string, Action>();

/** The one object that stands for an action, whatever its case. */
export function actionOf(text: string): Action {
  const name = intern(text.toLowerCase());
  const found = known.get(name);
  if (found !== undefined) return found;
  if (known.size === MOST) return { name, number: undefined };
  const action = { name, number: known.size };
  known.set(name, action);
  return action;
}
