import { readPrincipal } from "../../model/principal.ts";
import { html } from "../html.ts";
import { namesOfStacks } from "../names-of-stacks.ts";
import type { Page } from "../page.ts";
import { userOf } from "../read-profile.ts";
import { stackTabs } from "../stack-tabs.ts";
import { trail } from "../trail.ts";
import { HISTORY, profilePath, USERS, usersTabs } from "./users.ts";

/** What was changed on a stack, by whom, and who held what at a time. */
export const stackHistory: Page = {
  path: "/console/stacks/:StackId/history",
  async get(visit) {
    const { StackId = "" } = visit.params;
    const [shown, names] = await Promise.all([
      trail(visit, { StackId }, profilePath),
      namesOfStacks(visit, [StackId]),
    ]);
    return {
      title: `History of ${names.get(StackId) ?? StackId}`,
      section: "stacks",
      body: html`${stackTabs(StackId, "/history")}${shown}`,
    };
  },
};

/** What was changed of a user, on stacks and of their profile. */
export const userHistory: Page = {
  path: HISTORY,
  async get(visit) {
    const IamUserArn = userOf(visit);
    const shown = await trail(visit, { IamUserArn }, profilePath);
    return {
      title: `History of ${readPrincipal(IamUserArn)?.name ?? IamUserArn}`,
      section: "users",
      body: html`${usersTabs(USERS)}
<p class="sub"><a href="${profilePath(IamUserArn)}">Profile</a> of the same user. Whoever was called so before is in it, too.</p>
${shown}`,
    };
  },
};
