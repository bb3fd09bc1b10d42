import { CreateConsoleToken } from "../../shared/contract/create-console-token.ts";
import { html, name } from "../../shared/console/html.ts";
import { layout } from "../../shared/console/layout.ts";
import { page, seeOther } from "../../shared/console/respond.ts";
import { isFromHere } from "../../shared/console/same-origin.ts";
import type { WebAnswer } from "../../shared/lambda/web-request.ts";
import type { OwnPages } from "./gateway.ts";
import { replyOf } from "./reply.ts";
import { signedPost } from "./signed-post.ts";
import type { ReceivedRequest } from "./sigv4.ts";
import type { Credentials } from "./start.ts";

export const LOCAL_SIGN_IN = "/local/sign-in";

/** Whom the local stack has credentials for, and where it runs; not known before it does. */
export type Demo = {
  readonly url: string;
  readonly region: string;
  readonly people: readonly Credentials[];
};

/**
 * Of this machine alone: offers everybody there are credentials for, and signs in whoever is chosen as the command would, by a request that
 * is signed with their key.
 */
export function localSignIn(demo: () => Demo | undefined): OwnPages {
  return {
    has: (path) => path === LOCAL_SIGN_IN,
    async answer(request) {
      const { url, region, people } = demo() ?? { url: "", region: "", people: [] };
      if (request.method === "GET") return shown(200, people);
      const header = (name: string) => request.headers.get(name)?.[0];
      if (request.method !== "POST" || !isFromHere({ header })) return shown(403, people);
      const chosen = formOf(request).get("arn");
      const person = people.find(({ IamUserArn }) => IamUserArn === chosen);
      if (!person) return shown(404, people);
      const response = await signedPost(`${url}${CreateConsoleToken.path}`, region, person, "{}");
      const { Token } = CreateConsoleToken.output.parse(await response.json());
      return replyFrom(seeOther(`/console/sign-in#${Token}`));
    },
  };
}

function shown(status: number, people: readonly Credentials[]) {
  const body = html`<p>These are the people of this machine’s account. In AWS, <code>npx stackwarden console</code> does what their button does.</p>
<div class="list"><table><caption>Whom to sign in as</caption><thead><tr><th scope="col">Who</th><th scope="col"><span class="unseen">Sign in</span></th></tr></thead><tbody>${people.map(
    ({ IamUserArn }) =>
      html`<tr><th scope="row">${name(IamUserArn)}</th><td><form method="post" action="${LOCAL_SIGN_IN}"><input type="hidden" name="arn" value="${IamUserArn}"><button aria-label="Sign in as ${IamUserArn}">Sign in</button></form></td></tr>`,
  )}</tbody></table></div>`;
  return replyFrom(page(status, layout({ title: "Sign in on this machine", body })));
}

function replyFrom({ status, ...answer }: WebAnswer) {
  return replyOf({ ...answer, statusCode: status });
}

function formOf({ body }: ReceivedRequest): URLSearchParams {
  return new URLSearchParams(Buffer.from(body).toString("utf8"));
}
