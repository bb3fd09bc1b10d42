import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { IAMClient } from "@aws-sdk/client-iam";
import * as z from "zod";
import { CreateConsoleToken } from "../shared/contract/create-console-token.ts";
import { signedPost } from "./local/signed-post.ts";

const HELP = `Opens Stackwarden's console in your browser, signed in as whoever your AWS credentials are of.

  npx stackwarden console --url <ApiUrl>       the output of the deployment; or STACKWARDEN_URL
  npx stackwarden console ... --region <region>   of the deployment, where the address does not say it
  npx stackwarden console ... --no-open           prints the address instead, to be opened within a minute, once

Credentials are found as the AWS CLI finds them: variables, profiles (AWS_PROFILE), IAM Identity Center, roles.
Exit code: 0, or 2 when nobody could be signed in.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      url: { type: "string", default: process.env.STACKWARDEN_URL ?? "" },
      region: { type: "string" },
      "no-open": { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const url = readUrl(values.url);
  const region = values.region ?? regionOf(url) ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (region === undefined) throw new Error("in which region is it? add `--region <region>`");

  const address = `${url.origin}/console/sign-in#${await askForToken(url, region)}`;
  if (!values["no-open"] && (await openBrowser(address))) {
    process.stdout.write(`opened ${url.origin}/console in your browser\n`);
  } else {
    process.stdout.write(`open this within a minute; it works once:\n\n${address}\n`);
  }
  return 0;
}

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])$/;

/** Without TLS, the token could be read on the way; on the machine itself there is none. */
function readUrl(text: string): URL {
  if (text === "") throw new Error("where is it? add `--url <ApiUrl>`, an output of the deployment");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname));
  if (!url || !isSafe) throw new Error(`\`--url\` is an address that begins with https://, not \`${text}\``);
  return url;
}

function regionOf({ hostname }: URL): string | undefined {
  return /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(hostname)?.[1];
}

const Refusal = z.object({ message: z.string() });

async function askForToken(url: URL, region: string): Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken } = await new IAMClient({ region }).config.credentials();
  const credentials = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
  const response = await signedPost(`${url.origin}${CreateConsoleToken.path}`, region, credentials, "{}");
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return CreateConsoleToken.output.parse(answer).Token;
  const why = Refusal.safeParse(answer).data?.message ?? "no reason";
  const hint =
    why === "Forbidden"
      ? ": attach the policy UserPolicyArn of the deployment to whom the credentials are of, and see that the region is right"
      : "";
  throw new Error(`${url.host} answered ${response.status}, ${why}${hint}`);
}

const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

/** Whether there is a browser to open: not on a server, say. */
async function openBrowser(address: string): Promise<boolean> {
  const [command, ...rest] = OPENERS[process.platform] ?? ["xdg-open"];
  const child = spawn(command, [...rest, address], { stdio: "ignore", detached: true });
  child.unref();
  const ended = once(child, "exit").then(
    ([code]) => code === 0,
    () => false,
  );
  // Some stay as long as the browser does.
  return Promise.race([ended, sleep(3000, true, { ref: true })]);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`console: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
