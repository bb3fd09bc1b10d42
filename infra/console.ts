import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { CreateConsoleToken } from "../shared/contract/create-console-token.ts";
import { readApi, signedCall } from "./signed-call.ts";

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
  const api = readApi(values.url, values.region);
  const { Token } = await signedCall(api, CreateConsoleToken, {});
  const { origin } = api.url;
  const address = `${origin}/console/sign-in#${Token}`;
  if (!values["no-open"] && (await openBrowser(address))) {
    process.stdout.write(`opened ${origin}/console in your browser\n`);
  } else {
    process.stdout.write(`open this within a minute; it works once:\n\n${address}\n`);
  }
  return 0;
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
