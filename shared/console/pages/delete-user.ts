import { DeleteUserProfile } from "../../contract/delete-user-profile.ts";
import { DescribePermissions } from "../../contract/describe-permissions.ts";
import { Fault } from "../../model/fault.ts";
import { reasonField, reasonOf } from "../fields.ts";
import { html, type Html, name } from "../html.ts";
import { hiddenToken } from "../layout.ts";
import { namesOfStacks, stackLink } from "../names-of-stacks.ts";
import type { Page, View, Visit } from "../page.ts";
import { part, showPart } from "../part.ts";
import { readProfile, userOf } from "../read-profile.ts";
import { permission as shown } from "../words.ts";
import { DELETE_USER, deletePath, profilePath, USERS, usersTabs } from "./users.ts";

/** Asks before somebody is deleted, and says what that does. */
export const deleteUser: Page = {
  path: DELETE_USER,
  async get(visit) {
    return ask(visit);
  },
  async post(visit) {
    const { form } = visit.request;
    const IfVersion = form.get("Version") ?? "";
    try {
      await visit.call(DeleteUserProfile, { IamUserArn: userOf(visit), IfVersion, ...reasonOf(form) });
    } catch (error) {
      if (!(error instanceof Fault) || error.name !== "ConflictException") throw error;
      return ask(visit, error);
    }
    return { location: `${USERS}?done=deleted` };
  },
};

async function ask(visit: Visit, conflict?: Fault): Promise<View> {
  const { IamUserArn, Name, SshUsername, Version } = await readProfile(visit);
  return {
    title: `Delete ${Name}?`,
    section: "users",
    ...(conflict ? { status: conflict.statusCode } : {}),
    body: html`${usersTabs(USERS)}
${conflict && html`<p class="note bad" role="alert">Somebody else changed this user since you looked. Nothing was deleted: below is how it is now.</p>`}
<div class="card"><p><strong class="key">${name(IamUserArn)}</strong></p>
<ul>
<li>Everything they were given here ends at once, on every stack: levels, SSH/RDP and sudo/admin. Signed in to this console, they are out.</li>
<li>Servers refuse them at the next login, and lock their account within a minute. Their home folder stays.</li>
${SshUsername !== undefined && html`<li>The SSH user name <code>${SshUsername}</code> is free for somebody else.</li>`}
<li>Nothing changes in IAM. Whom IAM still has, an import adds again, with the same policies and with IAM Policies Only on every stack.</li>
<li>It cannot be undone; the history keeps it.</li>
</ul>
${await whatTheyHold(visit, IamUserArn)}
<form method="post" action="${deletePath(IamUserArn)}">${hiddenToken(visit)}<input type="hidden" name="Version" value="${Version}">
${reasonField(visit.request.form.get("Reason") ?? "")}
<p class="actions"><button class="danger">Delete</button><a class="button" href="${profilePath(IamUserArn)}">Cancel</a></p></form></div>`,
  };
}

/** On the first thousand stacks, which is where most have all of theirs. */
async function whatTheyHold(visit: Visit, IamUserArn: string): Promise<Html> {
  const asked = await part(visit.call(DescribePermissions, { IamUserArn, MaxResults: 1000 }));
  const held = asked.refusal
    ? []
    : asked.answer.Permissions.filter(
        ({ Level, AllowSsh, AllowSudo }) => AllowSsh || AllowSudo || Level !== "iam_only",
      );
  const names = await namesOfStacks(
    visit,
    held.map(({ StackId }) => StackId),
  );
  return showPart(asked, ({ NextToken }) =>
    held.length === 0
      ? html`<p>${NextToken === undefined ? "They hold nothing now: neither a level nor instance access on any stack." : "They hold nothing on the first thousand stacks."}</p>`
      : html`<details open><summary>What they hold now${NextToken !== undefined && ", on the first thousand stacks"}: ${held.length}</summary><ul>${held.map((permission) => html`<li>${stackLink(permission.StackId, names)}: ${shown(permission)}</li>`)}</ul></details>`,
  );
}
