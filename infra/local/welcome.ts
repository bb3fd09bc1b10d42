import { SignatureV4 } from "@smithy/signature-v4";
import { Hash } from "@smithy/hash-node";
import { HttpRequest } from "@smithy/protocol-http";
import type { Credentials, Running } from "./start.ts";

/** What a person sees when the local stack is ready: whom to be, a check to paste, and its answer. */
export async function welcome({ stack, users, root, stacks }: Running): Promise<string> {
  const someone = users.find(({ IamUserArn }) => IamUserArn.endsWith("/bob")) ?? users[0] ?? root;
  const question = {
    subject: { type: "user", id: someone.IamUserArn },
    action: { name: "opsworks:CreateDeployment" },
    resource: { type: "stack", id: stacks[0]?.StackId },
  };
  const url = `${stack.url}/access/v1/evaluation`;
  const answer = await post(url, stack.region, someone, question);
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

async function post(url: string, region: string, credentials: Credentials, body: unknown): Promise<string> {
  const { hostname, port, host, pathname } = new URL(url);
  const signer = new SignatureV4({
    service: "execute-api",
    region,
    credentials,
    sha256: Hash.bind(null, "sha256"),
  });
  const request = new HttpRequest({
    method: "POST",
    hostname,
    port: Number(port),
    path: pathname,
    headers: { host, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const { headers } = await signer.sign(request);
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return response.text();
}
