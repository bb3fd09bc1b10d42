import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import {
  iamUser,
  openTestStack,
  policy,
  REGION,
  stackRoles,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const SCRIPT = fileURLToPath(new URL("../../infra/instance/stackwarden-access.sh", import.meta.url));
const has = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
const isRoot = process.getuid?.() === 0;
const missing = ["sshd", "ssh", "ssh-keygen", "curl", "sudo", "visudo", "useradd"].filter(
  (program) => !has(program) && !existsSync(`/usr/sbin/${program}`),
);
const whyNot = [
  ...(process.platform === "linux" ? [] : ["it takes Linux"]),
  ...(isRoot ? [] : ["it takes root, who makes accounts and removes them again"]),
  ...(missing.length === 0
    ? []
    : [`${missing.join(", ")} missing: apt-get install -y openssh-server openssh-client sudo curl`]),
];
if (whyNot.length > 0) process.stderr.write(`test/infra/sshd.test.ts is skipped: ${whyNot.join("; ")}\n`);

const hasMounts = isRoot && spawnSync("unshare", ["-m", "true"]).status === 0;
const run = promisify(execFile);

/** Stackwarden's own, of an instance that is none of the stack's. */
const REFUSAL = {
  status: 403,
  body: { __type: "AccessDeniedException", message: "x (the caller is no instance)" },
};
/** API Gateway's, of a request that it does not believe, as with a wrong clock, or that no policy allows. */
const FORBIDDEN = {
  status: 403,
  body: { message: "Signature expired: 20260101T000000Z is now earlier than ..." },
};

describe("the script", () => {
  test("is right for dash", () => {
    const { status, stderr } = spawnSync(has("dash") ? "dash" : "sh", ["-n", SCRIPT], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
  });

  const isThere = has("shellcheck");
  if (!isThere) process.stderr.write("shellcheck is missing: apt-get install -y shellcheck\n");
  test.skipIf(!isThere)("passes shellcheck", () => {
    const { status, stdout } = spawnSync("shellcheck", ["-s", "sh", SCRIPT], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });

  test("says how it is used, and refuses what it does not know", () => {
    expect(execFileSync("sh", [SCRIPT, "--help"], { encoding: "utf8" })).toContain("install --url <url>");
    expect(spawnSync("sh", [SCRIPT, "frobnicate"]).status).toBe(2);
  });
});

describe.skipIf(whyNot.length > 0 || !hasMounts)("install", () => {
  /** A shell that has /etc, /run and the like for itself, with nothing of this machine's but copies. */
  const inPrivate = (commands: string) => {
    const folder = `/opt/stackwarden-install-${randomUUID().slice(0, 6)}`;
    const prepare = `set -e
      mkdir ${folder} && mount -t tmpfs tmpfs ${folder} && cp -a /etc ${folder}/etc && mkdir ${folder}/a ${folder}/b ${folder}/c
      mount --bind ${folder}/etc /etc && mount --bind ${folder}/a /usr/local/sbin && mount --bind ${folder}/b /run
      mount --bind ${folder}/c /var/lib && mkdir /run/sshd && ssh-keygen -q -A
      install() { sh ${SCRIPT} install --url https://127.0.0.1:9 --region us-east-1 --stack 6f0b2c1e-3a54-4a8e-9a3c-0d2f7f1c0001; }
      `;
    const { status, stdout, stderr } = spawnSync("unshare", ["-m", "sh", "-c", prepare + commands], {
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true, force: true });
    return { status, stdout, stderr };
  };

  test("adds to a configuration that ends without a line end, and uninstall leaves it as it was", () => {
    const { status, stdout, stderr } = inPrivate(`
      printf 'Port 22\nPasswordAuthentication no' >/etc/ssh/sshd_config
      chmod 0640 /etc/ssh/sshd_config
      installed() { ls /etc/cron.d /etc/sudoers.d /usr/local/sbin; }
      installed >/run/before
      install && install
      sshd -t && cat /etc/ssh/sshd_config && ls -l /etc/ssh/sshd_config | cut -c1-10 && cat /etc/cron.d/stackwarden-access
      stackwarden-access uninstall
      printf '%s\n' after && cat /etc/ssh/sshd_config && installed | diff /run/before -`);
    expect([status, stderr]).toEqual([0, expect.stringContaining("the first sync failed")]);
    const [during = "", after = ""] = stdout.split("after\n");
    expect(during).toMatch(/^Port 22\nPasswordAuthentication no\n# BEGIN/);
    expect(during).toMatch(/# BEGIN[^]*\nMatch Group stackwarden\n[^]*\nMatch all\n# END/);
    expect(during.match(/# BEGIN/g)).toHaveLength(1);
    expect(during).toContain("-rw-r-----");
    expect(during).toContain("stackwarden-access sync");
    expect(after).toMatch(/^Port 22\nPasswordAuthentication no\n+$/);
  });

  test("puts its part into the folder that the configuration includes, and its key command counts, whatever else asks for one", () => {
    const { status, stdout } = inPrivate(`
      printf 'Include /etc/ssh/sshd_config.d/*.conf\nAuthorizedKeysCommand /bin/true\nAuthorizedKeysCommandUser nobody\n' >/etc/ssh/sshd_config
      install
      useradd -M -N -g stackwarden -u 3999 probe
      sshd -T -o 'AuthorizedKeysCommand /bin/false' -C user=probe,host=h,addr=127.0.0.1
      printf '%s\n' others
      sshd -T -C user=root,host=h,addr=127.0.0.1`);
    expect(status).toBe(0);
    const [ours = "", others = ""] = stdout.split("others\n");
    expect(ours).toContain("\nauthorizedkeyscommand /usr/local/sbin/stackwarden-access keys %u\n");
    expect(ours).toContain("\nauthorizedkeysfile none\n");
    expect(ours).toContain("\nauthenticationmethods publickey\n");
    expect(others).toContain("\nauthorizedkeyscommand /bin/true\n");
    expect(others).not.toContain("stackwarden");
  });

  test("changes nothing where sshd refuses the configuration, or would not run the script", () => {
    const broken = inPrivate(`
      printf 'Port 22\nNonsense yes\n' >/etc/ssh/sshd_config
      install || cat /etc/ssh/sshd_config && ls /etc/ssh`);
    expect(broken.stdout).toMatch(/^Port 22\nNonsense yes\n/);
    expect(broken.stdout).not.toMatch(/stackwarden|\.new/);
    const open = inPrivate("chmod g+w /usr/local/sbin; install; ls /etc/stackwarden /usr/local/sbin");
    expect(open.stderr).toContain("sshd runs nothing below /usr/local/sbin");
    expect(open.stdout).not.toContain("access");
  });
});

describe.skipIf(whyNot.length > 0)("a real sshd", () => {
  const mark = randomUUID().slice(0, 6);
  // sshd runs nothing below a folder that others may write to, so not in the temporary folder.
  const folder = `/opt/stackwarden-test-${mark}`;
  const file = (name: string) => join(folder, name);
  const group = `swt${mark}`;
  const sudoers = `/etc/sudoers.d/stackwarden-test-${mark}`;
  const name = (who: string) => `${who}-${mark}`;
  const people = ["granted", "other", "again"].map(name);
  const [granted = "", other = "", again = ""] = people;
  const Ec2InstanceId = `i-${randomUUID().replaceAll("-", "").slice(0, 17)}`;

  let stack: TestStack;
  let admin: Identity;
  let instance: Identity;
  let StackId: string;
  let service: Service;
  let imds: Server;
  let sshd: ChildProcess | undefined;
  let port = 0;

  beforeAll(async () => {
    mkdirSync(folder, { mode: 0o755 });
    cpSync(SCRIPT, file("stackwarden-access"));
    chmodSync(file("stackwarden-access"), 0o755);
    for (const key of ["host", ...people]) keyPair(key);
    stack = await openTestStack();
    await stack.importAccount({
      UserDetailList: [
        iamUser("admin", { policies: { all: policy("Allow", ["opsworks:*", "stackwarden:*"]) } }),
        ...people.map((person) => iamUser(person)),
      ],
      RoleDetailList: stackRoles(),
    });
    // Far from the first ids, which accounts of this machine might have.
    await stack.put({ ...keys.unixIds(), LastGiven: 3000 + Math.floor(Math.random() * 900) });
    admin = stack.asUser("admin");
    StackId = await stack.addStack();
    await post("/RegisterInstance", { StackId, Ec2InstanceId });
    instance = stack.asRole("aws-opsworks-ec2-role", Ec2InstanceId);
    service = await startService(stack.url);
    imds = await startImds(() => instance);
    for (const person of people) {
      const SshPublicKey = readFileSync(file(`${person}.pub`), "utf8");
      await post("/UpdateUserProfile", { IamUserArn: userArn(person), SshPublicKey });
    }
    configure();
    port = await freePort();
    writeFileSync(file("sshd_config"), sshdConfig());
    mkdirSync("/run/sshd", { recursive: true });
    sshd = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", file("sshd_config")], { stdio: "ignore" });
    await reachable(port);
  }, 90_000);

  afterAll(async () => {
    sshd?.kill();
    for (const account of accounts()) spawnSync("userdel", ["-r", "-f", account]);
    spawnSync("groupdel", [group]);
    rmSync(sudoers, { force: true });
    rmSync(folder, { recursive: true, force: true });
    imds?.close();
    await service?.close();
    await stack?.close();
  });

  beforeEach(async () => {
    service.answerWith(undefined);
    configure();
    for (const person of people) await allow(person, { Level: "iam_only", AllowSsh: person === granted });
    await sync();
  });

  const post = async (path: string, body: object) => {
    const reply = await stack.post(admin, path, body);
    expect(reply).toMatchObject({ status: 200 });
    return reply.body;
  };
  const allow = (person: string, permission: object) =>
    post("/SetPermission", { StackId, IamUserArn: userArn(person), ...permission });

  const keyPair = (key: string) =>
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", key, "-f", file(key)]);

  const configure = (more: Record<string, string | number> = {}) => {
    const settings = {
      URL: service.url,
      REGION,
      STACK: StackId,
      IMDS: `http://127.0.0.1:${portOf(imds)}`,
      STATE: file("state"),
      SUDOERS: sudoers,
      GROUP: group,
      ...more,
    };
    const lines = Object.entries(settings).map(([setting, value]) => `${setting}=${value}\n`);
    writeFileSync(file("access.conf"), lines.join(""));
  };

  const script = (...args: string[]) =>
    run(file("stackwarden-access"), ["--config", file("access.conf"), ...args]);
  const sync = () => script("sync");

  /** What install writes, with the paths of this test. */
  const sshdConfig = () => `
Port ${port}
ListenAddress 127.0.0.1
HostKey ${file("host")}
PidFile none
UsePAM no
StrictModes yes
LogLevel ERROR
PasswordAuthentication no
Match Group ${group}
  AuthorizedKeysCommand ${file("stackwarden-access")} --config ${file("access.conf")} keys %u
  AuthorizedKeysCommandUser root
  AuthorizedKeysFile none
  TrustedUserCAKeys none
  AuthenticationMethods publickey
`;

  /** What a login prints, or `undefined`. */
  const login = async (person: string, key = person, command = "id -un"): Promise<string | undefined> => {
    const options = {
      Port: port,
      IdentitiesOnly: "yes",
      BatchMode: "yes",
      StrictHostKeyChecking: "no",
      UserKnownHostsFile: "/dev/null",
      LogLevel: "ERROR",
    };
    const flags = Object.entries(options).flatMap(([option, value]) => ["-o", `${option}=${value}`]);
    try {
      const to = `${person}@127.0.0.1`;
      const { stdout } = await run("ssh", ["-F", "none", ...flags, "-i", file(key), to, command]);
      return stdout.trim();
    } catch (error) {
      expect(String(error)).toContain("Permission denied");
      return undefined;
    }
  };
  const accounts = () => {
    const [, , id] = spawnSync("getent", ["group", group], { encoding: "utf8" }).stdout.split(":");
    return readFileSync("/etc/passwd", "utf8")
      .split("\n")
      .filter((line) => id && line.split(":")[3] === id)
      .map((line) => line.split(":")[0] ?? "");
  };
  const sudoOf = (person: string) =>
    spawnSync("sudo", ["-n", "-l", "-U", person], { encoding: "utf8" }).stdout;
  const idOf = async (person: string): Promise<number> =>
    (await stack.read(keys.user(userArn(person)))).UnixId;

  test("lets in who is granted, under their own name and Unix id", async () => {
    expect(await login(granted)).toBe(granted);
    expect(await login(granted, granted, "id -u")).toBe(String(await idOf(granted)));
  });

  test("lets in nobody who is not granted, nor with another's key", async () => {
    expect(await login(other)).toBeUndefined();
    expect(await login(granted, other)).toBeUndefined();
    await allow(other, { AllowSsh: true });
    await sync();
    expect(await login(other)).toBe(other);
    expect(await login(other, granted)).toBeUndefined();
  });

  test("lets nobody in who is revoked, at the next login and before any sync", async () => {
    expect(await login(granted)).toBe(granted);
    await allow(granted, { AllowSsh: false });
    expect(await login(granted)).toBeUndefined();
    await allow(granted, { AllowSsh: true });
    expect(await login(granted)).toBe(granted);
  });

  test("lets nobody in with the level Deny, whatever else", async () => {
    await allow(granted, { Level: "deny", AllowSsh: true, AllowSudo: true });
    expect(await login(granted)).toBeUndefined();
  });

  test("lets nobody in by a key that they put into their own home", async () => {
    const put = `mkdir -p ~/.ssh && chmod 700 ~/.ssh && echo '${readFileSync(file(`${other}.pub`), "utf8").trim()}' > ~/.ssh/authorized_keys`;
    expect(await login(granted, granted, put)).toBe("");
    expect(await login(granted, other)).toBeUndefined();
    await allow(granted, { AllowSsh: false });
    expect(await login(granted, other)).toBeUndefined();
  });

  test("lets who is revoked keep no open account: it is locked by the next sync, and opened again", async () => {
    const shellOf = () => spawnSync("getent", ["passwd", granted], { encoding: "utf8" }).stdout.trim();
    expect(shellOf()).toMatch(/sh$/);
    await allow(granted, { AllowSsh: false });
    await sync();
    expect(shellOf()).toMatch(/nologin$/);
    expect(readFileSync("/etc/shadow", "utf8")).toMatch(
      new RegExp(`^${granted}:![^:]*:(?:[^:]*:){5}${Math.floor(Date.now() / 86_400_000) - 2}:`, "m"),
    );
    await allow(granted, { AllowSsh: true });
    await sync();
    expect(shellOf()).not.toMatch(/nologin$/);
    expect(await login(granted)).toBe(granted);
  });

  test.skipIf(!hasMounts)("takes no half of a feed for the whole when there is no room for it", () => {
    const place = file("full");
    mkdirSync(place);
    const inMemory = `mount -t tmpfs -o size=32k tmpfs ${place} && mount --bind ${place} /run && exec "$@"`;
    const users = Array.from({ length: 900 }, (_, index) => `u${index}\t${2000 + index}\t0\t`).join("\n");
    service.answerWith({ Lines: `${users}\n${"#".repeat(20)}\n`, ETag: randomUUID() });
    const settings = ["--config", file("access.conf")];
    return expect(
      run("unshare", ["-m", "sh", "-c", inMemory, "sh", file("stackwarden-access"), ...settings, "sync"]),
    ).rejects.toThrow("stay as they are");
  });

  test("gives sudo with AllowSudo, and takes it away with it", async () => {
    expect(sudoOf(granted)).not.toContain("NOPASSWD: ALL");
    await allow(granted, { AllowSudo: true });
    await sync();
    expect(sudoOf(granted)).toContain("(ALL) NOPASSWD: ALL");
    expect(await login(granted, granted, "sudo -n id -u")).toBe("0");
    await allow(granted, { AllowSudo: false });
    await sync();
    expect(sudoOf(granted)).not.toContain("NOPASSWD: ALL");
    await allow(granted, { AllowSudo: true });
    await sync();
    await allow(granted, { AllowSsh: false });
    await sync();
    expect(sudoOf(granted)).not.toContain("NOPASSWD: ALL");
  });

  test("lets nobody in who was deleted; made again, they get an account of their own, and nothing of the old", async () => {
    const IamUserArn = userArn(again);
    await allow(again, { AllowSsh: true, AllowSudo: true });
    await sync();
    expect(await login(again, again, "echo secret > ~/mine; chmod 600 ~/mine; id -un")).toBe(again);
    const before = await idOf(again);
    await post("/DeleteUserProfile", { IamUserArn });
    expect(await login(again)).toBeUndefined();
    const SshPublicKey = readFileSync(file(`${again}.pub`), "utf8");
    await post("/CreateUserProfile", { IamUserArn, SshUsername: again, SshPublicKey });
    await sync();
    expect(await login(again)).toBeUndefined();
    expect(sudoOf(again)).not.toContain("NOPASSWD: ALL");
    await allow(again, { AllowSsh: true });
    // The account is still the old one's until the next sync.
    expect(await login(again)).toBeUndefined();
    await sync();
    expect(await idOf(again)).not.toBe(before);
    expect(await login(again, again, "id -u; ls ~")).toBe(String(await idOf(again)));
    expect(accounts()).toContain(`${group}-${before}`);
    expect(readFileSync(`/home/${group}-${before}/mine`, "utf8")).toBe("secret\n");
  });

  test("removes an account that has been locked for long, but never its home, and gives it back to its user alone", async () => {
    const isThere = (account: string) => spawnSync("getent", ["passwd", account]).status === 0;
    await allow(other, { AllowSsh: true });
    await sync();
    expect(await login(other, other, "echo mine > ~/mine; stat -c %a ~")).toBe("700");
    await allow(other, { AllowSsh: false });
    await sync();
    await sync();
    expect(isThere(other)).toBe(true);
    const days = (count: number) => String(Math.floor(Date.now() / 86_400_000) - 2 - count);
    execFileSync("usermod", ["-e", days(29), other]);
    await sync();
    expect(isThere(other)).toBe(true);
    execFileSync("usermod", ["-e", days(30), other]);
    await sync();
    expect(isThere(other)).toBe(false);
    // Somebody else under the name, meanwhile.
    service.answerWith({ Lines: `${other}\t2345\t0\t\n`, ETag: randomUUID() });
    await sync();
    expect(spawnSync("getent", ["passwd", other], { encoding: "utf8" }).stdout).toContain(`/home/${other}-`);
    execFileSync("userdel", ["-r", other], { stdio: "ignore" });
    service.answerWith(undefined);
    await allow(other, { AllowSsh: true });
    await sync();
    expect(await login(other, other, "cat ~/mine")).toBe("mine");
  });

  test("gives nobody the account of another deployment, as in an image of one of its servers", async () => {
    await allow(other, { AllowSsh: true });
    await sync();
    execFileSync("usermod", ["-c", "Stackwarden another.example.com", "-l", name("image"), other]);
    await sync();
    expect(await login(other)).toBeUndefined();
    expect(await login(name("image"), other)).toBeUndefined();
    expect(accounts()).not.toContain(other);
    await expect(script("status")).resolves.toMatchObject({
      stdout: expect.stringMatching(new RegExp(`^${name("image")} .*: locked$`, "m")),
    });
    await allow(other, { AllowSsh: false });
    await sync();
    execFileSync("usermod", ["-e", "1", name("image")]);
    await sync();
    expect(accounts()).toContain(name("image"));
    execFileSync("userdel", [name("image")]);
  });

  test("writes the sudoers file only when it changes", async () => {
    await allow(granted, { AllowSudo: true });
    await sync();
    const before = statSync(sudoers).ino;
    await sync();
    expect(statSync(sudoers).ino).toBe(before);
    await allow(granted, { AllowSudo: false });
    await sync();
    expect(statSync(sudoers).ino).not.toBe(before);
    expect(readFileSync(sudoers, "utf8")).not.toContain("NOPASSWD");
  });

  test("follows somebody who changes their login name: the account is the same", async () => {
    const renamed = name("renamed");
    await allow(other, { AllowSsh: true });
    await sync();
    expect(await login(other, other, "touch ~/mine")).toBe("");
    await post("/UpdateUserProfile", { IamUserArn: userArn(other), SshUsername: renamed });
    expect(await login(other)).toBeUndefined();
    await sync();
    expect(await login(renamed, other, "ls ~")).toBe("mine");
    expect(accounts()).not.toContain(other);
    await post("/UpdateUserProfile", { IamUserArn: userArn(other), SshUsername: other });
    await sync();
  });

  test("touches no account that it did not make: neither its shell nor its keys", async () => {
    const local = name("local");
    execFileSync("useradd", ["-M", "-N", "-s", "/bin/sh", local]);
    try {
      const before = readFileSync("/etc/shadow", "utf8")
        .split("\n")
        .find((line) => line.startsWith(local));
      await post("/UpdateUserProfile", { IamUserArn: userArn(other), SshUsername: local });
      await allow(other, { AllowSsh: true, AllowSudo: true });
      await sync();
      expect(await login(local, other)).toBeUndefined();
      expect(sudoOf(local)).not.toContain("NOPASSWD: ALL");
      expect((await script("keys", local)).stdout).toBe("");
      expect(readFileSync("/etc/shadow", "utf8")).toContain(before);
      expect(accounts()).not.toContain(local);
    } finally {
      execFileSync("userdel", [local]);
      await post("/UpdateUserProfile", { IamUserArn: userArn(other), SshUsername: other });
    }
  });

  test("asks nobody about an account that is not its own, so a break-glass account waits for nothing", async () => {
    service.answerWith("nothing at all");
    const before = service.asked();
    expect((await script("keys", "root")).stdout).toBe("");
    expect(service.asked()).toBe(before);
  });

  describe("while the service cannot be reached", () => {
    test.for([
      "a refused connection",
      500,
      503,
      429,
      409,
      404,
      "garbage",
      { Lines: '"' },
      FORBIDDEN,
    ] as const)("lets nobody in, unless a cache was asked for: %j", { timeout: 60_000 }, async (how) => {
      service.answerWith(how);
      expect(await login(granted)).toBeUndefined();
      configure({ CACHE_SECONDS: 60 });
      expect(await login(granted)).toBe(granted);
    });

    test("lets in from the cache within its time, and out after it", async () => {
      configure({ CACHE_SECONDS: 4 });
      await sync();
      const keptAt = Date.now();
      service.answerWith(503);
      expect(await login(granted)).toBe(granted);
      await sleep(Math.max(0, 5100 - (Date.now() - keptAt)));
      expect(await login(granted)).toBeUndefined();
      service.answerWith(undefined);
      expect(await login(granted)).toBe(granted);
    });

    test("leaves accounts and sudo as they are", async () => {
      await allow(granted, { AllowSudo: true });
      await sync();
      service.answerWith(503);
      await expect(sync()).rejects.toThrow("stay as they are");
      expect(sudoOf(granted)).toContain("NOPASSWD: ALL");
    });

    test("takes a cache that is not whole, as after a crash, for none: neither to go by nor to ask with", async () => {
      await sync();
      const cache = file("state/users");
      const whole = readFileSync(cache, "utf8");
      writeFileSync(cache, whole.slice(0, -20));
      await sync();
      expect(readFileSync(cache, "utf8").replace(/^\d+/, "")).toBe(whole.replace(/^\d+/, ""));
      expect(await login(granted)).toBe(granted);
      configure({ CACHE_SECONDS: 60 });
      writeFileSync(cache, whole.slice(0, -20));
      service.answerWith(503);
      expect(await login(granted)).toBeUndefined();
    });

    test("leaves accounts and sudo as they are when API Gateway, not Stackwarden, refuses", async () => {
      await allow(granted, { AllowSudo: true });
      await sync();
      service.answerWith(FORBIDDEN);
      await expect(sync()).rejects.toThrow("Signature expired: 20260101T000000Z");
      expect(sudoOf(granted)).toContain("NOPASSWD: ALL");
      service.answerWith(undefined);
      expect(await login(granted)).toBe(granted);
    });

    test("does not believe a cache from the future, as after a clock was set back", async () => {
      configure({ CACHE_SECONDS: 60 });
      const cache = file("state/users");
      const future = String(Math.floor(Date.now() / 1000) + 3600);
      writeFileSync(cache, readFileSync(cache, "utf8").replace(/^\d+/, future));
      service.answerWith(503);
      expect(await login(granted)).toBeUndefined();
    });
  });

  test("lets nobody in when the service refuses, cache or not, and forgets what it knew", async () => {
    configure({ CACHE_SECONDS: 600 });
    await sync();
    service.answerWith(REFUSAL);
    expect(await login(granted)).toBeUndefined();
    service.answerWith(503);
    expect(await login(granted)).toBeUndefined();
    service.answerWith(undefined);
    expect(await login(granted)).toBe(granted);
  });

  test("lets nobody in on a server that was deregistered, and takes its sudo away", async () => {
    configure({ CACHE_SECONDS: 600 });
    await allow(granted, { AllowSudo: true });
    await sync();
    const { Instances } = await post("/DescribeInstances", { StackId });
    await post("/DeregisterInstance", { InstanceId: Instances[0].InstanceId });
    try {
      expect(await login(granted)).toBeUndefined();
      await sync();
      expect(sudoOf(granted)).not.toContain("NOPASSWD: ALL");
    } finally {
      await post("/RegisterInstance", { StackId, Ec2InstanceId });
    }
    await sync();
    expect(await login(granted)).toBe(granted);
  });

  test("knows a tag and the users under it together, whoever writes the cache meanwhile", async () => {
    const cache = file("state/users");
    const before = readFileSync(cache, "utf8");
    const [, tag = ""] = before.split(/[ \n]/);
    // Another sync, while this one is asking, is told of somebody who loses access again at once.
    service.answerWith(() => {
      writeFileSync(cache, `${Math.floor(Date.now() / 1000)} othertag 0-0\nintruder\t3999\t1\t\n`);
      return { NotModified: true, ETag: tag };
    });
    await sync();
    expect(readFileSync(cache, "utf8").replace(/^\d+/, "")).toBe(before.replace(/^\d+/, ""));
    expect(accounts()).not.toContain("intruder");
  });

  test("lets a login put no older answer in place of what a sync was told later", async () => {
    const cache = file("state/users");
    const before = readFileSync(cache, "utf8");
    await allow(granted, { AllowSudo: true });
    expect(await login(granted)).toBe(granted);
    expect(readFileSync(cache, "utf8")).toBe(before);
  });

  test("has its credentials on no command line", async () => {
    service.answerWith("no answer at all");
    const asking = script("keys", granted);
    let seen = "";
    for (let tries = 0; tries < 15; tries += 1) {
      seen += execFileSync("ps", ["axww", "-o", "args"], { encoding: "utf8" });
      await sleep(100);
    }
    service.answerWith(undefined);
    await asking;
    expect(seen).toContain("/DescribeInstanceAccess");
    expect(seen).not.toContain(instance.secretAccessKey);
    expect(seen).not.toContain(instance.sessionToken ?? "no token");
  });

  test("a feed that was tampered with never becomes an account, a key or sudo of anybody else", async () => {
    const key = readFileSync(file(`${granted}.pub`), "utf8")
      .split(" ")
      .slice(0, 2)
      .join(" ");
    const good = `${granted}\t${await idOf(granted)}\t1\t${key}`;
    const hostile = fc.oneof(
      fc.constantFrom(
        `ALL\t3999\t1\t${key}`,
        `%wheel\t3999\t1\t${key}`,
        `root\t0\t1\t${key}`,
        `x\t0\t1\t${key}`,
        `x y\t3999\t1\t${key}`,
        `x,y\t3999\t1\t${key}`,
        `$(touch ${file("hacked")})\t3999\t1\t${key}`,
        `-G\t3999\t1\t${key}`,
        `x\t3999 ALL=(ALL) NOPASSWD:ALL\t1\t${key}`,
        `x\t4001\t1\t${key}`,
        `x\t+3999\t1\t${key}`,
        `x\t3999\t2\t${key}`,
        `x\t3999\t1\tcommand='id' ${key}`,
        `x\t3999\t1\t${key} ${key}`,
        `x\t3999\t1\t${key}\t`,
        `x\t3999\t1\t${key}=a=`,
        `../x\t3999\t1\t${key}`,
        `${granted}\t3998\t1\t${key}`,
        `x\t${good.split("\t")[1]}\t1\t${key}`,
      ),
      fc.string({ unit: fc.constantFrom(...Array.from("aZ9 \t,;:%#!'`$()=*-/\\n")), maxLength: 40 }),
    );
    // What has a quote or a backslash is no answer at all.
    configure({ CACHE_SECONDS: 600 });
    await sync();
    for (const line of [
      `x\t3999\t1\tcommand="id" ${key}`,
      `x\\\t3999\t1\t${key}`,
      `x\u0000\t3999\t1\t${key}`,
    ]) {
      service.answerWith({ Lines: `${line}\n`, ETag: randomUUID() });
      expect((await script("keys", granted)).stdout).toBe(`${key}\n`);
      await expect(sync()).rejects.toThrow("has no room here");
    }
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 12 }), async (lines) => {
        const text = [good, ...lines].join("\n");
        service.answerWith({ Lines: `${text}\n`, ETag: randomUUID() });
        const { stdout } = await script("keys", granted);
        expect(stdout).toBe(`${key}\n`);
        const found = execFileSync("ssh-keygen", ["-lf", "-"], { input: stdout, encoding: "utf8" });
        expect(found.trim().split("\n")).toHaveLength(1);
        const before = accounts();
        await sync().catch(() => undefined);
        execFileSync("visudo", ["-cqf", sudoers]);
        const rules = readFileSync(sudoers, "utf8").split("\n").slice(1);
        for (const rule of rules)
          expect(rule).toMatch(/^(?:#(?:[23]\d{3}|4000) ALL=\(ALL\) NOPASSWD:ALL # [A-Za-z_][\w-]{0,31})?$/);
        expect(rules[0]).toContain(granted);
        for (const account of accounts().filter((one) => !before.includes(one)))
          expect(account).toMatch(/^[A-Za-z_][\w-]{0,31}$/);
        expect(existsSync(file("hacked"))).toBe(false);
        expect(sudoOf("nobody")).not.toContain("NOPASSWD: ALL");
        for (const account of accounts())
          if (!people.includes(account)) spawnSync("userdel", ["-r", "-f", account]);
      }),
      { numRuns: 25 },
    );
  }, 90_000);

  test("says what is set up, and who has an account", async () => {
    await allow(granted, { AllowSudo: true });
    await sync();
    const { stdout } = await script("status");
    expect(stdout).toContain(`service: ${service.url} (${REGION}), stack ${StackId}`);
    expect(stdout).toContain("when it cannot be reached: nobody gets in");
    expect(stdout).toMatch(new RegExp(`^${granted} \\(\\d{4}\\): open, sudo$`, "m"));
  });

  test.for([
    ["URL", "http://example.com"],
    ["URL", 'https://x" --output /etc/passwd'],
    ["REGION", 'us-east-1"'],
    ["STACK", "$(id)"],
    ["CACHE_SECONDS", "-1"],
    ["CACHE_SECONDS", "9999999"],
    ["REMOVE_AFTER_DAYS", "-1"],
    ["GROUP", "a b"],
    ["PATH", "/tmp"],
  ] as const)("goes by no setting that is wrong: %s=%s", async ([setting, value]) => {
    configure({ [setting]: value });
    await expect(script("keys", granted)).rejects.toMatchObject({ code: 1, stdout: "" });
    expect(await login(granted)).toBeUndefined();
  });
});

type Answer = undefined | number | string | object | (() => object);
type Service = {
  readonly url: string;
  readonly answerWith: (answer: Answer) => void;
  readonly asked: () => number;
  readonly close: () => Promise<void>;
};

function replyOf(answer: number | string | object) {
  if (typeof answer === "number") return { status: answer, body: "{}" };
  if (typeof answer === "string") return { status: 200, body: answer };
  if ("status" in answer && "body" in answer)
    return { status: Number(answer.status), body: JSON.stringify(answer.body) };
  return { status: 200, body: JSON.stringify(answer) };
}

/** Stands before the gateway; `undefined` passes a request on as it came. */
async function startService(gateway: string): Promise<Service> {
  let answer: Answer;
  let asked = 0;
  const { port: gatewayPort } = new URL(gateway);
  const server = createTcpServer((socket) => {
    asked += 1;
    socket.on("error", () => undefined);
    if (answer === "a refused connection") return socket.resetAndDestroy();
    if (answer === undefined) {
      const upstream = connect(Number(gatewayPort), "127.0.0.1");
      upstream.on("error", () => socket.destroy());
      socket.on("close", () => upstream.destroy());
      return socket.pipe(upstream).pipe(socket);
    }
    if (answer === "no answer at all") return socket.resume();
    const given = answer;
    socket.once("data", () => {
      const { status, body } = replyOf(typeof given === "function" ? given() : given);
      socket.end(
        `HTTP/1.1 ${status} x\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
    });
    return socket;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    // The gateway verifies what was signed, and the port is part of it.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answerWith: (next) => {
      answer = next;
    },
    asked: () => asked,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}

/** The instance metadata service, version 2, as far as the script uses it. */
async function startImds(identity: () => Identity): Promise<Server> {
  const token = randomUUID();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (request.method === "PUT" && path === "/latest/api/token") return response.end(token);
    if (request.headers["x-aws-ec2-metadata-token"] !== token) return response.writeHead(401).end();
    const credentials = "/latest/meta-data/iam/security-credentials/";
    if (path === credentials) return response.end("aws-opsworks-ec2-role");
    if (path !== `${credentials}aws-opsworks-ec2-role`) return response.writeHead(404).end();
    const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token } = identity();
    const Type = "AWS-HMAC";
    return response.end(
      JSON.stringify({ Code: "Success", Type, AccessKeyId, SecretAccessKey, Token }, undefined, 2),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function reachable(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("connect", () => resolve(socket.destroy() !== undefined));
      socket.on("error", () => resolve(false));
    });
    if (isOpen) return;
    await sleep(100);
  }
  throw new Error("sshd does not answer");
}
