import { readFile } from "node:fs/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { expectAccessible, openBrowser, signIn } from "../setup/browser.ts";
import { ACCOUNT, iamUser, openTestStack, policy, type TestStack, userArn } from "../setup/test-stack.ts";

const OFFICE = policy("Deny", "opsworks:DeleteStack", "*", {
  Sid: "OfficeOnly",
  Condition: { NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
});

let stack: TestStack;
let browser: Browser;
let context: BrowserContext;
let webshop: string;
let secret: string;

beforeAll(async () => {
  [stack, browser] = await Promise.all([
    openTestStack({ administrators: [userArn("alice")] }),
    openBrowser(),
  ]);
  await stack.importAccount({
    UserDetailList: [
      ...["alice", "carol", "sam"].map((name) => iamUser(name)),
      iamUser("bob", { GroupList: ["ops"], policies: { office: OFFICE } }),
      iamUser("full", { policies: { full: policy("Allow", "opsworks:*") } }),
    ],
    GroupDetailList: [{ GroupName: "ops", Arn: `arn:aws:iam::${ACCOUNT}:group/ops` }],
  });
  await stack.addGroups("ops");
  webshop = await stack.addStack("webshop");
  secret = await stack.addStack("unreleased");
  await stack.grant(webshop, userArn("carol"), { Level: "manage" });
  await stack.grant(webshop, userArn("sam"), { Level: "show" });
  await stack.grant(secret, userArn("bob"), { Level: "deny" });
  const ops = { StackId: webshop, GroupName: "ops", Level: "manage" };
  await stack.post(stack.asUser("alice"), "/SetPermission", ops);
});
afterAll(async () => {
  await browser.close();
  await stack.close();
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(async () => {
  await context.close();
  expect(stack.faults).toEqual([]);
});

const as = (name: string) => signIn(context, stack, stack.asUser(name));
const rows = async (page: Page) => {
  const found = new Map<string, string[]>();
  for (const row of await page.locator("tbody tr").all()) {
    const name = await row.getByRole("rowheader").innerText();
    const cells = await row.getByRole("cell").allInnerTexts();
    found.set(
      name.split("\n")[0] ?? "",
      cells.map((text) => text.replaceAll(/\s+/g, " ").trim()),
    );
  }
  return found;
};
/** What is said of each rule. */
const results = async (page: Page) =>
  new Map([...(await rows(page))].map(([rule, cells]) => [rule, cells.at(-1)]));

async function explain(page: Page, user: string, action: string, stackId = ""): Promise<void> {
  await page.getByRole("link", { name: "Explain", exact: true }).click();
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Action").fill(action);
  await page.getByLabel("Stack id").fill(stackId);
  await page.getByRole("button", { name: "Explain", exact: true }).click();
}

describe("Explain", () => {
  test("has every rule of the README's table, in its order", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    const named = [...readme.matchAll(/^\| \d? ?\| (`.+`) \| .* \| .* \|$/gm)].flatMap(([, names = ""]) =>
      names.replaceAll("`", "").split(", "),
    );
    const page = await as("carol");
    await explain(page, userArn("carol"), "CreateLayer", webshop);
    await page.getByText("Allowed", { exact: true }).waitFor();
    expect([...(await rows(page)).keys()]).toEqual(named);
    await expectAccessible(page);
  });

  test("tells of a Deny the statement that denies, what counts beside it, and what nobody knows", async () => {
    const page = await as("carol");
    await explain(page, userArn("bob"), "opsworks:DeleteStack", webshop);
    await page.getByText("Explicitly denied: policy office, statement OfficeOnly, denies it.").waitFor();
    const found = await results(page);
    expect(found.get("level-deny")).toBe("does not apply");
    expect(found.get("policy-deny")).toBe("decides");
    expect(found.get("level-allow")).toBe("not reached");
    await page.getByText("from group ops").waitFor();
    await page.locator("dd", { hasText: "aws:sourceip" }).waitFor();
    await expectAccessible(page);
  });

  test("tells of a refusal what would grant it", async () => {
    const page = await as("sam");
    await explain(page, userArn("sam"), "CreateDeployment", webshop);
    await page.locator("dd", { hasText: "the level Deploy, or a policy" }).waitFor();
    expect((await results(page)).get("default-deny")).toBe("decides");
    await explain(page, userArn("sam"), "GrantAccess", webshop);
    await page.locator("dd", { hasText: "SSH/RDP access to the stack" }).waitFor();
    expect((await results(page)).get("level-allow")).toBe("does not suffice without SSH/RDP");
    await explain(page, userArn("sam"), "CreateStack");
    await page.locator("dd", { hasText: "only a policy" }).waitFor();
  });

  test("says in its own place who may not ask, and what is no question", async () => {
    const page = await as("sam");
    await explain(page, userArn("bob"), "CreateDeployment", webshop);
    await page
      .getByRole("alert")
      .getByText("not authorized to perform: stackwarden:CheckAuthorization")
      .waitFor();
    expect(await page.getByLabel("User").inputValue()).toBe(userArn("bob"));
    await expectAccessible(page);
    await explain(page, `"><script>alert(1)</script>`, "CreateDeployment", webshop);
    await page.getByRole("alert").getByText("User must be the ARN of").waitFor();
    await explain(page, userArn("sam"), "Create Deployment", webshop);
    await page.getByRole("alert").getByText("Action must be an action").waitFor();
  });
});

describe("a user across stacks", () => {
  const path = (name: string) => `/console/users/permissions?user=${encodeURIComponent(userArn(name))}`;

  test("has their level on every stack, where it comes from, and the way to why", async () => {
    const page = await as("full");
    await page.goto(`${stack.url}/console/stacks/${webshop}/permissions`);
    await page.getByRole("link", { name: "bob", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "bob" }).waitFor();
    const found = await rows(page);
    expect(found.get("webshop")?.slice(0, 2)).toEqual(["IAM Policies Only", "Manage from group ops"]);
    expect(found.get("unreleased")?.slice(0, 2)).toEqual(["Deny", "Deny their own"]);
    await expectAccessible(page);
    await page.getByRole("link", { name: "Explain what they may do on webshop" }).click();
    expect(await page.getByLabel("User").inputValue()).toBe(userArn("bob"));
    expect(await page.getByLabel("Stack id").inputValue()).toBe(webshop);
  });

  test("is for whom a policy lets see permissions on every stack, and a manager of one has no way to it", async () => {
    const page = await as("carol");
    await page.goto(`${stack.url}/console/stacks/${webshop}/permissions`);
    await page.getByRole("row", { name: "bob" }).waitFor();
    expect(await page.getByRole("link", { name: "bob", exact: true }).count()).toBe(0);
    expect((await page.goto(`${stack.url}${path("bob")}`))?.status()).toBe(403);
    await page.getByText("No level includes it: ask an administrator of the account for a policy").waitFor();
  });

  test("is not there for nobody", async () => {
    const page = await as("full");
    expect((await page.goto(`${stack.url}${path("nobody")}`))?.status()).toBe(404);
    expect((await page.goto(`${stack.url}/console/users/permissions`))?.status()).toBe(400);
  });
});
