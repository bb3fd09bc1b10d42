import { actionNames } from "../decision/levels.ts";

/** Every action that somebody may be asked about, as AWS spells it. */
export function catalogue(): readonly string[] {
  return actionNames();
}
