import type { Html } from "./html.ts";
import { stackPath } from "./names-of-stacks.ts";
import { tabs } from "./tabs.ts";

/** The pages of a stack. */
export function stackTabs(stackId: string, current: "" | "/permissions" | "/history"): Html {
  const path = stackPath(stackId);
  const pages = {
    [path]: "Overview",
    [`${path}/permissions`]: "Permissions",
    [`${path}/history`]: "History",
  };
  return tabs("Stack", pages, `${path}${current}`);
}
