import { signedPost } from "./signed-post.ts";
import type { Running } from "./start.ts";

/** What a person sees when the local stack is ready: whom to be, a check to paste, and its answer. */
export async function welcome({ stack, users, root, stacks }: Running): Promise<string> {
  const someone = users.find(({ IamUserArn }) => IamUserArn.endsWith("/bob")) ?? users[0] ?? root;
  const question = {
    subject: { type: "user", id: someone.IamUserArn },
    action: { name: "opsworks:CreateDeployment" },
    resource: { type: "stack", id: stacks[0]?.StackId },
  };
  const url = `${stack.url}/access/v1/evaluation`;
  const response = await signedPost(url, stack.region, someone, JSON.stringify(question));
  const answer = await response.text();
  return `
Stackwarden runs at ${stack.url} (region ${stack.region}, account ${stack.accountId}).

Stacks
${stacks.map(({ StackId, Name }) => `  ${StackId}  ${Name}`).join("\n")}

Credentials (made for this run)
${[...users, root].map((one) => `  ${one.accessKeyId} ${one.secretAccessKey}  ${one.IamUserArn}`).join("\n")}

A check to paste: may ${someone.IamUserArn.split("/").at(-1)} deploy to ${stacks[0]?.Name}?

  curl -s ${url} \\
    --aws-sigv4 aws:amz:${stack.region}:execute-api --user '${someone.accessKeyId}:${someone.secretAccessKey}' \\
    -H 'content-type: application/json' -d '${JSON.stringify(question)}'

Its answer

  ${answer}

Ctrl-C ends it.
`;
}
