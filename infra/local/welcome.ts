import { readPrincipal } from "../../shared/model/principal.ts";
import { signedPost } from "./signed-post.ts";
import { LOCAL_SIGN_IN } from "./sign-in-page.ts";
import type { Credentials, Running } from "./start.ts";

/** More would fill the screen; `--json` has them all. */
const MOST_SHOWN = 20;

/** What a person sees when the local stack is ready: whom to be, a check to paste, and its answer. */
export async function welcome({ stack, users, roles, root, others, stacks }: Running): Promise<string> {
  const someone = users.find(({ IamUserArn }) => IamUserArn.endsWith("/bob")) ?? users[0] ?? root;
  const stackAsked = stacks.find(({ Name }) => Name === "webshop-production") ?? stacks[0];
  const question = {
    subject: { type: "user", id: someone.IamUserArn },
    action: { name: "opsworks:CreateDeployment" },
    resource: { type: "stack", id: stackAsked?.StackId },
  };
  const url = `${stack.url}/access/v1/evaluation`;
  const response = await signedPost(url, stack.region, someone, JSON.stringify(question));
  const answer = await response.text();
  return `
Stackwarden runs at ${stack.url} (region ${stack.region}, account ${stack.accountId}).

The console, in a browser; choose whom to sign in as:

  ${stack.url}${LOCAL_SIGN_IN}
${listed("Stacks", stacks, ({ StackId, Name }) => `${StackId}  ${Name}`)}${listed("People, with credentials made for this run (key and secret)", [...users, root], keysOf)}${listed("Sessions of roles (key, secret, and the token to send as X-Amz-Security-Token)", roles, keysOf)}${listed("Whom `--sign-in` named (key, secret, and the token of who has one)", others, keysOf)}
A check to paste: may ${nameOf(someone)} deploy to ${stackAsked?.Name}?

curl -s ${url} \\
  --aws-sigv4 aws:amz:${stack.region}:execute-api --user '${someone.accessKeyId}:${someone.secretAccessKey}' \\
  -H 'content-type: application/json' \\
  -d '${JSON.stringify(question)}'; echo

It should answer

${answer}

The README goes on from here. Why a request is refused with 403 is said in this terminal. Ctrl-C ends it.
`;
}

function listed<T>(title: string, items: readonly T[], show: (item: T) => string): string {
  if (items.length === 0) return "";
  const lines = items.slice(0, MOST_SHOWN).map((item) => `  ${show(item)}`);
  const more =
    items.length > MOST_SHOWN
      ? [`  ... and ${items.length - MOST_SHOWN} more: \`npm start -- --json\` has all`]
      : [];
  return ["", title, ...lines, ...more, ""].join("\n");
}

function keysOf(one: Credentials): string {
  const { accessKeyId, secretAccessKey, sessionToken = "" } = one;
  return [nameOf(one).padEnd(26), accessKeyId, secretAccessKey, sessionToken].join("  ").trimEnd();
}

function nameOf({ IamUserArn }: Credentials): string {
  return readPrincipal(IamUserArn)?.kind === "root"
    ? "root"
    : IamUserArn.replace(/^.*?:(?:user|role|federated-user|assumed-role)\//, "");
}
