import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAccount, summarize } from "../../infra/read-account.ts";

const PROGRAM = fileURLToPath(new URL("../../infra/import.ts", import.meta.url));
const BOUNDARY = "arn:aws:iam::123456789012:policy/boundary";
const UNATTACHED = "arn:aws:iam::123456789012:policy/unattached";
const userArn = (name: string) => `arn:aws:iam::123456789012:user/${name}`;
const allow = (rest: object) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "opsworks:*", Resource: "*", ...rest }],
});
const user = (name: string, documents: Record<string, unknown>) => ({
  Arn: userArn(name),
  UserName: name,
  UserId: `AIDA${name.toUpperCase()}`,
  UserPolicyList: Object.entries(documents).map(([PolicyName, PolicyDocument]) => ({
    PolicyName,
    PolicyDocument,
  })),
  PermissionsBoundary: { PermissionsBoundaryArn: BOUNDARY },
});

const SNAPSHOT = {
  UserDetailList: [
    user("good", { own: allow({}) }),
    user("doubtful", { own: allow({ Condition: {}, Action: "opsworks:LaunchRocket" }) }),
    user("bad", { own: allow({ Effect: "deny", Resource: "stack" }), encoded: "%7B%zz" }),
  ],
  RoleDetailList: [
    {
      Arn: "arn:aws:iam::123456789012:role/large",
      RoleName: "large",
      RoleId: "AROALARGE",
      AssumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: {
          Effect: "Allow",
          Action: "sts:AssumeRole",
          Principal: { AWS: Array(100).fill(userArn("somebody")) },
        },
      },
    },
  ],
  GroupDetailList: [
    {
      GroupName: "empty",
      GroupPolicyList: [{ PolicyName: "own", PolicyDocument: allow({ Effect: "Denied" }) }],
    },
  ],
  Policies: [
    {
      Arn: UNATTACHED,
      DefaultVersionId: "v2",
      PolicyVersionList: [
        { VersionId: "v1", Document: {} },
        { VersionId: "v2", Document: allow({ Action: "s3" }) },
      ],
    },
    {
      Arn: BOUNDARY,
      DefaultVersionId: "v1",
      PolicyVersionList: [{ VersionId: "v1", Document: { Statement: allow({}).Statement } }],
    },
  ],
};

let folder = "";
let file = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stackwarden-account-"));
  file = join(folder, "account.json");
  writeFileSync(file, JSON.stringify(SNAPSHOT));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(...args: readonly string[]) {
  return spawnSync(process.execPath, [PROGRAM, "--check", ...args], { encoding: "utf8" });
}

describe("a snapshot of an account", () => {
  test("has findings by policy, each policy once however many it applies to", async () => {
    const { findings } = await readAccount(file);
    const told = findings.map(({ policy, findings }) => [policy, findings.map(({ code }) => code)]);
    expect(Object.fromEntries(told)).toEqual({
      [`${userArn("doubtful")} own`]: ["unknown-action", "empty-condition"],
      [`${userArn("bad")} own`]: ["invalid-effect", "invalid-arn"],
      [`${userArn("bad")} encoded`]: ["not-json"],
      [BOUNDARY]: ["no-version"],
      [UNATTACHED]: ["invalid-action"],
      "group/empty own": ["invalid-effect"],
    });
  });

  test("is unreadable where there is an error, and nowhere else: no quota and no warning makes it so", async () => {
    const { users, notUnderstood } = await readAccount(file);
    const policies = users.flatMap(({ Name, Policies }) =>
      Policies.map((policy) => ({ of: Name, ...policy })),
    );
    expect(policies.filter((policy) => "Unreadable" in policy)).toEqual([
      {
        of: "bad",
        Name: "own",
        Unreadable: "$.Statement[0].Effect: must be `Allow` or `Deny`, written exactly so; and 1 more",
      },
      { of: "bad", Name: "encoded", Unreadable: expect.stringContaining("$: is not URL-encoded JSON") },
    ]);
    expect(notUnderstood).toHaveLength(2);
  });

  test("is summed up with a count of the findings, not with each", async () => {
    const { findings, notUnderstood } = await readAccount(file);
    const nobody = { added: [], changed: [], unchanged: [], vanished: [] };
    const lines = summarize({ ...nobody, findings, notUnderstood }).split("\n");
    expect(lines.at(-1)).toBe("8 findings about 6 policies: npm run -s import -- <file> --check");
    expect(summarize({ ...nobody, findings: [], notUnderstood: [] })).not.toContain("findings");
  });

  test("is checked without a table, a policy a line", () => {
    const { status, stdout, stderr } = check(file);
    expect(status).toBe(1);
    expect(stdout.trimEnd().split("\n")).toHaveLength(6);
    expect(stdout).toContain(`{"policy":"${BOUNDARY}","findings":[{"severity":"warning","code":"no-version"`);
    const told = stderr.trimEnd().split("\n");
    expect(told).toHaveLength(3);
    expect(told.at(-1)).toBe("policies: 8, users and roles: 4; errors: 5, warnings: 3");
  });

  test("of which there is nothing to say is checked with a summary, byte order mark or not", () => {
    const clean = join(folder, "clean.json");
    const account = {
      UserDetailList: [{ ...user("good", { own: allow({}) }), PermissionsBoundary: undefined }],
    };
    writeFileSync(clean, `\ufeff${JSON.stringify(account)}`);
    const { status, stdout, stderr } = check(clean);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "" });
    expect(stderr).toBe("policies: 1, users and roles: 1; errors: 0, warnings: 0\n");
  });

  test("fails its check for an error in a trust policy, which makes nobody unreadable", () => {
    const [role] = SNAPSHOT.RoleDetailList;
    const { Statement: statement } = role?.AssumeRolePolicyDocument ?? {};
    const trusting = { Statement: { ...statement, Condition: { Bool: { "aws:SecureTransport": "yes" } } } };
    const faulty = join(folder, "faulty.json");
    const account = { RoleDetailList: [{ ...role, AssumeRolePolicyDocument: trusting }] };
    writeFileSync(faulty, JSON.stringify(account));
    const { status, stdout, stderr } = check(faulty);
    expect(status).toBe(1);
    expect(stdout).toContain("invalid-boolean");
    expect(stderr).toBe("policies: 1, users and roles: 1; errors: 1, warnings: 1\n");
  });

  test.each([["--local"], ["--table", "any"]])("is not both checked and imported: %s", (...where) => {
    const { status, stderr } = check(file, ...where);
    expect(status).toBe(2);
    expect(stderr).toContain("`--check`");
  });
});
