import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { signedPost, type Signer } from "../../infra/local/signed-post.ts";
import { readState } from "../../infra/local/state.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

type Announced = {
  url: string;
  region: string;
  accountId: string;
  users: (Signer & { IamUserArn: string })[];
  roles: (Signer & { IamUserArn: string })[];
  stacks: { StackId: string; Name: string }[];
};

let running: ChildProcess | undefined;
afterEach(() => stop());

async function start(...options: string[]): Promise<Announced> {
  const command = ["infra/local/start.ts", "--port", "0", "--json", ...options];
  running = spawn(process.execPath, command, { cwd: ROOT, stdio: ["ignore", "pipe", "ignore"] });
  if (!running.stdout) throw new Error("there is no output");
  const [line] = await once(createInterface(running.stdout), "line");
  return JSON.parse(String(line));
}

async function stop(): Promise<number | null> {
  if (!running || running.exitCode !== null) return null;
  running.kill("SIGINT");
  const [code] = await once(running, "exit");
  return code;
}

const named = ({ users }: Announced, name: string) => {
  const user = users.find(({ IamUserArn }) => IamUserArn.endsWith(`/${name}`));
  if (!user) throw new Error(`${name} is not there`);
  return user;
};

async function mayDeploy(stack: Announced): Promise<boolean> {
  const bob = named(stack, "bob");
  const question = {
    subject: { type: "user", id: bob.IamUserArn },
    action: { name: "opsworks:CreateDeployment" },
    resource: { type: "stack", id: shop(stack) },
  };
  const response = await signedPost(
    `${stack.url}/access/v1/evaluation`,
    stack.region,
    bob,
    JSON.stringify(question),
  );
  const answer: unknown = await response.json();
  return typeof answer === "object" && answer !== null && "decision" in answer && answer.decision === true;
}

const shop = ({ stacks }: Announced) => stacks.find(({ Name }) => Name === "webshop-production")?.StackId;

/** Each packages the service and starts a database, on a machine that may be busy. */
const PATIENCE = 90_000;

describe("npm start", { timeout: PATIENCE }, () => {
  test("announces itself in one line for scripts, and leaves nothing behind when it ends", async () => {
    const stack = await start();
    expect(stack).toMatchObject({ region: "us-east-1", accountId: "123456789012" });
    expect([stack.users.length, stack.roles.length, stack.stacks.length]).toEqual([5, 4, 3]);
    expect(await mayDeploy(stack)).toBe(true);
    const state = join(ROOT, `.stackwarden/local-${running?.pid}.json`);
    expect(existsSync(state)).toBe(true);
    expect(await stop()).toBe(130);
    expect(existsSync(state)).toBe(false);
  });

  test("is found by other commands, also when another was killed or has ended since", async () => {
    const stack = await start();
    const folder = join(ROOT, ".stackwarden");
    const own = `local-${running?.pid}.json`;
    const killed = join(folder, "local-999999999.json");
    const written = JSON.parse(readFileSync(join(folder, own), "utf8"));
    writeFileSync(killed, JSON.stringify({ ...written, url: "http://127.0.0.1:9", pid: 999_999_999 }));
    expect((await readState()).url).toBe(stack.url);
    expect(existsSync(killed)).toBe(false);
  });

  test("serves its account as IAM does, and runs the import that is asked for", async () => {
    const stack = await start();
    const ask = async (path: string) => {
      const response = await signedPost(`${stack.url}${path}`, stack.region, named(stack, "alice"), "{}");
      return response.text();
    };
    await ask("/ImportUsers");
    while ((await ask("/DescribeImport")).includes('"Status":"running"')) await sleep(100);
    expect(JSON.parse(await ask("/DescribeImport"))).toMatchObject({
      Status: "succeeded",
      Unchanged: 9,
      Vanished: 0,
    });
  });

  test("with --data goes on where it ended, with new credentials", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stackwarden-data-"));
    const first = await start("--data", folder);
    const change = { StackId: shop(first), IamUserArn: named(first, "bob").IamUserArn, Level: "show" };
    const set = await signedPost(
      `${first.url}/SetPermission`,
      first.region,
      named(first, "carol"),
      JSON.stringify(change),
    );
    expect(set.status).toBe(200);
    await stop();

    const second = await start("--data", folder);
    expect(second.stacks).toEqual(first.stacks);
    expect(named(second, "bob").accessKeyId).not.toBe(named(first, "bob").accessKeyId);
    expect(await mayDeploy(second)).toBe(false);
    await stop();
    rmSync(folder, { recursive: true });
  });

  test("says at once that its port is in use", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    const { status, stderr } = spawnSync(process.execPath, ["infra/local/start.ts", "--port", port], {
      cwd: ROOT,
      encoding: "utf8",
    });
    taken.close();
    expect(status).toBe(1);
    expect(stderr).toContain(`port ${port} is in use: choose another`);
  });
});

describe("the console", { timeout: PATIENCE }, () => {
  test("is opened as one of the demo's people, or by the command with one's own keys", async () => {
    const stack = await start();
    const page = `${stack.url}/local/sign-in`;
    const { status, body } = await ask(page);
    expect([status, body.match(/<button aria-label/g)?.length]).toEqual([200, 10]);

    const bob = named(stack, "bob");
    const form = { method: "POST", body: new URLSearchParams({ arn: bob.IamUserArn }) };
    const offered = await ask(page, { ...form, headers: { origin: stack.url } });
    expect(offered.status).toBe(303);
    expect(await whom(stack, offered.location)).toContain(bob.IamUserArn);
    for (const origin of ["https://evil.example", `${stack.url}0`, "null"])
      expect((await ask(page, { ...form, headers: { origin } })).status).toBe(403);

    const opened = await runConsole(stack, "--no-open");
    expect(opened).toMatchObject({ status: 0, stderr: "" });
    const [address = ""] = /http:\S+/.exec(opened.stdout) ?? [];
    expect(await whom(stack, address)).toContain(bob.IamUserArn);
    const refused = await runConsole({ ...stack, users: [{ ...bob, secretAccessKey: "wrong" }] });
    expect(refused).toMatchObject({ status: 2, stdout: "" });
    expect(refused.stderr).toMatch(
      /^console: 127\.0\.0\.1:\d+ answered 403, Forbidden: set AWS_ACCESS_KEY_ID/,
    );
  });

  test("is opened over TLS alone, but on the machine itself", () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ["infra/console.ts", "--url", "http://example.com", "--region", "us-east-1"],
      { cwd: ROOT, encoding: "utf8" },
    );
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr:
        "console: `--url` is an address that begins with https:// (or, of this machine, with http://), not `http://example.com`\n",
    });
  });

  test("is opened in the browser, or its address is printed where there is none", async () => {
    const stack = await start();
    const folder = mkdtempSync(join(tmpdir(), "stackwarden-browser-"));
    const browser = join(folder, "xdg-open");
    const opened = join(folder, "opened");
    writeFileSync(browser, `#!/bin/sh\nprintf %s "$1" > ${opened}\n`, { mode: 0o755 });
    expect((await runConsole(stack, "--path", folder)).stdout).toBe(
      `opened ${stack.url}/console in your browser\n`,
    );
    expect(await whom(stack, readFileSync(opened, "utf8"))).toContain(named(stack, "bob").IamUserArn);
    writeFileSync(browser, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
    expect((await runConsole(stack, "--path", folder)).stdout).toContain("open this within a minute");
    rmSync(folder, { recursive: true });
  });

  async function ask(url: string, init: RequestInit = {}) {
    const response = await fetch(url, { ...init, redirect: "manual" });
    return {
      status: response.status,
      location: response.headers.get("location") ?? "",
      body: await response.text(),
    };
  }

  /** Whom the console says that an address signs in. */
  async function whom({ url }: Announced, address: string): Promise<string> {
    const token = address.slice(address.indexOf("#") + 1);
    const init = { method: "POST", body: new URLSearchParams({ token }), headers: { origin: url } };
    return (await ask(`${url}/console/sign-in`, init)).body;
  }

  /** The command, with bob's keys in its environment; `--path` is where it finds a browser. */
  async function runConsole(stack: Announced, ...options: string[]) {
    const bob = named(stack, "bob");
    const [path] = options[0] === "--path" ? options.splice(0, 2).slice(1) : ["/nowhere"];
    const command = ["infra/console.ts", "--url", stack.url, "--region", stack.region, ...options];
    const { PATH: _path, ...rest } = process.env;
    const env = {
      ...rest,
      PATH: path,
      AWS_ACCESS_KEY_ID: bob.accessKeyId,
      AWS_SECRET_ACCESS_KEY: bob.secretAccessKey,
    };
    return promisify(execFile)(process.execPath, command, { cwd: ROOT, env }).then(
      ({ stdout, stderr }) => ({ status: 0, stdout, stderr }),
      ({ code, stdout, stderr }) => ({
        status: Number(code),
        stdout: String(stdout),
        stderr: String(stderr),
      }),
    );
  }
});

describe("npm run invoke", { timeout: PATIENCE }, () => {
  test("says to start the local stack first", () => {
    const event = '{"caller": "arn:aws:iam::123456789012:user/bob", "input": {}}';
    const command = ["infra/local/invoke.ts", "DescribeMyUserProfile", event];
    const { status, stderr } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toBe("invoke: the local stack is not running: start it with `npm start`\n");
  });

  test("runs one function against it", async () => {
    const stack = await start();
    const event = JSON.stringify({ caller: named(stack, "bob").IamUserArn, input: {} });
    const command = ["infra/local/invoke.ts", "DescribeMyUserProfile", event];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      UserProfile: { Name: "bob" },
      Permissions: expect.arrayContaining([
        expect.objectContaining({ StackName: "webshop-production", Level: "deploy" }),
      ]),
    });
  });
});
