import type { Html } from "./html.ts";
import { stackPath } from "./names-of-stacks.ts";
import { tabs } from "./tabs.ts";

/** The pages of a stack. */
export function stackTabs(stackId: string, current: "" | "/permissions"): Html {
  const path = stackPath(stackId);
  return tabs("Stack", { [path]: "Overview", [`${path}/permissions`]: "Permissions" }, `${path}${current}`);
}
