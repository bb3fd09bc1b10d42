import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { keys } from "../../shared/table/keys.ts";
import {
  cellsOf,
  expectAccessible,
  type Heard,
  NOTHING_HEARD,
  openBrowser,
  openReader,
  signIn,
} from "../setup/browser.ts";
import { ACCOUNT, iamUser, openTestStack, policy, type TestStack, userArn } from "../setup/test-stack.ts";
import sshKeys from "../unit/data/ssh-public-keys.json" with { type: "json" };

const SELF = ["opsworks:DescribeMyUserProfile", "opsworks:UpdateMyUserProfile"];
const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>'&amp;\u202e`;

let stack: TestStack;
let browser: Browser;
let context: BrowserContext;
let webshop: string;
let secret: string;
/** What scripts of strangers would have shown. */
let heard: Heard;

beforeAll(async () => {
  [stack, browser] = await Promise.all([
    openTestStack({ administrators: [userArn("alice")] }),
    openBrowser(),
  ]);
  const own = policy("Allow", SELF);
  const only = (action: string) => ({ policies: { one: policy("Allow", action) } });
  await stack.addGroups("ops");
  await stack.importAccount({
    UserDetailList: [
      iamUser("alice"),
      iamUser("bob", { policies: { own }, GroupList: ["ops"] }),
      iamUser("carol", { policies: { own } }),
      iamUser("dave"),
      iamUser("looks", only("opsworks:DescribeMyUserProfile")),
      iamUser("changes", only("opsworks:UpdateMyUserProfile")),
      ...Array.from({ length: 150 }, (_, index) => iamUser(`user-${String(index).padStart(3, "0")}`)),
    ],
    GroupDetailList: [{ GroupName: "ops", Arn: `arn:aws:iam::${ACCOUNT}:group/ops` }],
  });
  webshop = await stack.addStack("webshop");
  secret = await stack.addStack("unreleased");
  await stack.addStack(HOSTILE);
  await stack.grant(webshop, userArn("bob"), { Level: "show" });
  await stack.grant(webshop, userArn("carol"), { Level: "manage", AllowSsh: true, AllowSudo: true });
  await stack.grant(webshop, userArn("user-149"), { Level: "deny" });
  await stack.grant(secret, userArn("carol"), { Level: "deny" });
  await stack.grant(webshop, userArn("dave"), { Level: "manage" });
  await stack.post(stack.asUser("alice"), "/SetPermission", {
    StackId: webshop,
    GroupName: "ops",
    Level: "deploy",
  });
});
afterAll(async () => {
  await browser.close();
  await stack.close();
});
beforeEach(async () => {
  ({ context, heard } = await openReader(browser));
});
afterEach(async () => {
  await context.close();
  expect(heard).toEqual(NOTHING_HEARD);
  expect(stack.faults).toEqual([]);
});

const as = (name: string) => signIn(context, stack, stack.asUser(name));
const heading = (page: Page, name: string | RegExp) => page.getByRole("heading", { level: 1, name });
const permissionsOf = (id: string) => `${stack.url}/console/stacks/${id}/permissions`;
/** The cells of the row that begins like this, as they read. */
const cells = async (page: Page, name: string) => {
  const row = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });
  return cellsOf(row);
};

describe("Stacks", () => {
  test("shows every stack with the level that counts there, and where it comes from", async () => {
    const page = await as("bob");
    expect(await cells(page, "webshop")).toEqual([
      "Deploy from group ops",
      "– no SSH/RDP",
      "– no sudo/admin",
    ]);
    expect(await cells(page, "unreleased")).toEqual(["IAM Policies Only", "– no SSH/RDP", "– no sudo/admin"]);
  });

  test("finds by a part of the name, and says so when there is none", async () => {
    const page = await as("carol");
    await page.getByLabel("Search by name or id").fill("WEBS");
    await page.getByRole("button", { name: "Search" }).click();
    expect(await page.getByRole("rowheader").allInnerTexts()).toEqual([expect.stringMatching(/^webshop/)]);
    await page.getByLabel("Search by name or id").fill(HOSTILE + HOSTILE);
    await page.keyboard.press("Enter");
    await page.getByText("No stack is called like that").waitFor();
    expect(await page.getByLabel("Search by name or id").inputValue()).toBe(HOSTILE + HOSTILE);
    await page.getByRole("link", { name: "Show all stacks" }).click();
    expect(await page.getByRole("rowheader").count()).toBe(3);
  });

  test("shows an administrator all of them, profile or none", async () => {
    const page = await as("alice");
    expect(await page.getByRole("rowheader").count()).toBe(3);
    const root = await signIn(await browser.newContext(), stack, stack.asRoot());
    expect(await root.getByRole("rowheader").count()).toBe(3);
    await root.context().close();
  });

  test("tells who may not list them so in the operation's words, and opens one by its id", async () => {
    const page = await as("dave");
    await page
      .getByText(
        `User: ${userArn("dave")} is not authorized to perform: opsworks:DescribeMyUserProfile on resource: *`,
      )
      .waitFor();
    await page.getByLabel("Stack id").fill(webshop);
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("link", { name: "Permissions" }).click();
    await heading(page, "Permissions of webshop").waitFor();
  });
});

describe("a stack's Permissions", () => {
  test("show to its manager everybody's level, access, and what counts for another reason", async () => {
    const page = await as("carol");
    await page.getByRole("link", { name: "webshop" }).click();
    await page.getByRole("link", { name: "Permissions" }).click();
    await heading(page, "Permissions of webshop").waitFor();
    expect(await cells(page, "bob")).toEqual([
      "Show",
      "Deploy from group ops",
      "– no SSH/RDP",
      "– no sudo/admin",
    ]);
    expect(await cells(page, "carol")).toEqual(["Manage", "their own", "✓ SSH/RDP", "✓ sudo/admin"]);
    expect(await cells(page, "user-000")).toEqual([
      "IAM Policies Only",
      "their own",
      "– no SSH/RDP",
      "– no sudo/admin",
    ]);
    expect(await cells(page, "ops")).toEqual(["Deploy"]);
  });

  test("come in pages, and are searched and narrowed over all of them", async () => {
    const page = await as("carol");
    await page.goto(permissionsOf(webshop));
    const users = page.getByRole("table", { name: /^Users/ }).getByRole("rowheader");
    expect(await users.count()).toBe(100);
    expect(await page.getByText("user-149").count()).toBe(0);
    await page.getByRole("link", { name: "Next page" }).click();
    await page.getByText("user-149").first().waitFor();
    expect(await users.count()).toBe(56);
    await page.getByRole("link", { name: "First page" }).click();
    await page.waitForURL(permissionsOf(webshop));

    const search = async (choice: string, text: string) => {
      await page.getByLabel("Search by name or ARN").fill(text);
      await page.getByLabel("Show").selectOption(choice);
      await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Search" }).click()]);
      return (await users.allInnerTexts()).map((found) => found.split("\n")[0]);
    };
    const holders = "Who has a level or instance access";
    expect(await search(holders, "")).toEqual(["bob", "carol", "dave", "user-149"]);
    expect(await search(holders, "user-14")).toEqual(["user-149"]);
    expect(await search("Everybody", "user-14")).toHaveLength(10);
    expect(await search("Everybody", "nobody-at-all")).toEqual([]);
    await page.getByRole("link", { name: "Show everybody" }).click();
    await page.getByText("user-000").first().waitFor();
  });

  test.for([
    ["bob", "opsworks:DescribePermissions", () => webshop],
    ["carol", "opsworks:DescribePermissions", () => secret],
    ["dave", "opsworks:DescribePermissions", () => secret],
  ] as const)("are refused to %s in the words of %s", async ([name, action, stackId]) => {
    const page = await as(name);
    const response = await page.goto(permissionsOf(stackId()));
    expect(response?.status()).toBe(403);
    await heading(page, "You may not do this").waitFor();
    await page.getByText(`${userArn(name)} is not authorized to perform: ${action} on resource`).waitFor();
    expect(await page.getByText("user-000").count()).toBe(0);
  });

  test("of a stack that is not there are not found", async () => {
    const page = await as("alice");
    const nowhere = "00000000-0000-4000-8000-000000000000";
    expect((await page.goto(permissionsOf(nowhere)))?.status()).toBe(404);
    await page.getByText(`Unable to find stack with ID ${nowhere}`).waitFor();
    expect((await page.goto(permissionsOf("%3Cscript%3E")))?.status()).toBe(400);
  });
});

describe("My Settings", () => {
  test("show a summary of the own levels for every stack, by choosing it on the upper right", async () => {
    const page = await as("bob");
    await page.getByRole("link", { name: "My Settings" }).click();
    await heading(page, "My Settings").waitFor();
    await page.getByText(userArn("bob")).first().waitFor();
    expect(await cells(page, "webshop")).toEqual([
      "Deploy from group ops",
      "Show",
      "– no SSH/RDP",
      "– no sudo/admin",
    ]);
    expect(await page.getByRole("rowheader").count()).toBe(3);
  });

  test.for([
    ["looks", "opsworks:UpdateMyUserProfile"],
    ["changes", "opsworks:DescribeMyUserProfile"],
  ] as const)("take both actions by policy: %s lacks %s", async ([name, lacking]) => {
    const page = await as(name);
    expect((await page.goto(`${stack.url}/console/my-settings`))?.status()).toBe(403);
    expect(await page.getByRole("listitem").allInnerTexts()).toEqual([
      `${lacking}: nothing allows it: only a policy can`,
    ]);
  });

  test("are nothing that the account root has", async () => {
    const page = await signIn(context, stack, stack.asRoot());
    expect((await page.goto(`${stack.url}/console/my-settings`))?.status()).toBe(404);
    await page.getByText("The account root has no profile").waitFor();
  });

  test("open with self-management, and close without", async () => {
    const page = await as("dave");
    const change = (AllowSelfManagement: boolean) =>
      stack.post(stack.asUser("alice"), "/UpdateUserProfile", {
        IamUserArn: userArn("dave"),
        AllowSelfManagement,
      });
    await change(true);
    expect((await page.goto(`${stack.url}/console/my-settings`))?.status()).toBe(200);
    await change(false);
    expect((await page.reload())?.status()).toBe(403);
  });

  test("change the own SSH key, say what is wrong with it, and keep what was typed", async () => {
    const page = await as("carol");
    await page.goto(`${stack.url}/console/my-settings`);
    const key = page.getByLabel("SSH public key");
    await key.fill("ssh-rsa nonsense");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").innerText()).toContain("`SshPublicKey`");
    expect(await key.inputValue()).toBe("ssh-rsa nonsense");
    await expectAccessible(page);
    await key.fill(sshKeys.ed25519);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("status").waitFor();
    expect((await stack.read(keys.user(userArn("carol")))).SshPublicKey).toBe(sshKeys.ed25519);
    await stack.post(stack.asUser("carol"), "/UpdateMyUserProfile", { SshPublicKey: sshKeys["rsa-2048"] });
    await key.fill(sshKeys["ecdsa-256"]);
    await page.getByRole("button", { name: "Save" }).click();
    expect(await page.getByRole("alert").innerText()).toContain("was changed meanwhile");
    expect(await key.inputValue()).toBe(sshKeys["ecdsa-256"]);
    expect((await stack.read(keys.user(userArn("carol")))).SshPublicKey).toBe(sshKeys["rsa-2048"]);
    await key.fill("");
    await page.getByRole("button", { name: "Save" }).click();
    await expect
      .poll(async () => (await stack.read(keys.user(userArn("carol")))).SshPublicKey)
      .toBeUndefined();
  });
});

describe("every page", () => {
  test("can be used by everybody, in light and in dark", { timeout: 180_000 }, async () => {
    const page = await as("carol");
    for (const path of [
      "/console",
      "/console?search=none",
      "/console/my-settings",
      `/console/stacks/${webshop}/permissions`,
      `/console/stacks/${secret}/permissions`,
      "/console/nowhere",
      "/console/sign-in",
    ]) {
      await page.goto(`${stack.url}${path}`);
      await expectAccessible(page);
    }
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(page, "You are signed out").waitFor();
    await expectAccessible(page);
    await page.goto(`${stack.url}/console`);
    await expectAccessible(page);
  });

  test("shows what people called a stack as they did, and runs none of it", async () => {
    const page = await as("carol");
    expect(await page.getByRole("link", { name: "script" }).innerText()).toBe(HOSTILE);
    await page.goto(`${stack.url}/console?search=${encodeURIComponent(HOSTILE)}`);
    expect(await page.getByRole("rowheader").count()).toBe(1);
    await page.goto(
      `${stack.url}/console/my-settings?search=${encodeURIComponent(HOSTILE)}&saved=${HOSTILE}`,
    );
    expect(await page.getByRole("rowheader").count()).toBe(1);
    const admin = await signIn(await browser.newContext(), stack, stack.asUser("alice"));
    await admin.getByRole("link", { name: "script" }).click();
    await admin.getByRole("link", { name: "Permissions" }).click();
    expect(await heading(admin, /script/).innerText()).toBe(`Permissions of ${HOSTILE}`);
    await admin.context().close();
  });

  test("is read by keyboard: the content comes first when it is asked for", async () => {
    const page = await as("carol");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.id")).toBe("search");
  });

  test("shows times in the reader's zone, and nothing moves for it", async () => {
    const page = await as("carol");
    await page.addInitScript(
      "globalThis.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) globalThis.shift += entry.value; }).observe({ type: 'layout-shift', buffered: true });",
    );
    for (const path of ["/console", "/console/my-settings", `/console/stacks/${webshop}/permissions`]) {
      await page.goto(`${stack.url}${path}`);
      const time = page.locator("footer time");
      const at = new Date((await time.getAttribute("datetime")) ?? "");
      const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "Asia/Tokyo" }).format(
        at,
      );
      const hour = new Intl.DateTimeFormat("en-GB", { timeStyle: "short", timeZone: "Asia/Tokyo" }).format(
        at,
      );
      expect(await time.innerText()).toBe(`${day}, ${hour} GMT+9`);
      expect(
        await page.evaluate("new Promise((done) => setTimeout(() => done(globalThis.shift), 200))"),
      ).toBe(0);
    }
  });

  test("fits a phone: nothing scrolls sideways, no table either", async () => {
    const phone = await browser.newContext({ viewport: { width: 360, height: 700 } });
    const page = await signIn(phone, stack, stack.asUser("carol"));
    for (const path of ["/console", "/console/my-settings", `/console/stacks/${webshop}/permissions`]) {
      await page.goto(`${stack.url}${path}`);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
      expect(
        await page.evaluate(
          "[...document.querySelectorAll('.list')].filter((list) => list.scrollWidth > list.clientWidth).length",
        ),
      ).toBe(0);
    }
    await phone.close();
  });
});
