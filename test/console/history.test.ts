import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  expectAccessible,
  type Heard,
  NOTHING_HEARD,
  openBrowser,
  openReader,
  signIn,
} from "../setup/browser.ts";
import { ACCOUNT, iamUser, openTestStack, type TestStack, userArn } from "../setup/test-stack.ts";
import sshKeys from "../unit/data/ssh-public-keys.json" with { type: "json" };

const HOSTILE = `"><script>alert(1)</script>'&amp;\u202e`;

let stack: TestStack;
let browser: Browser;
let context: BrowserContext;
let webshop: string;
let heard: Heard;

beforeAll(async () => {
  [stack, browser] = await Promise.all([
    openTestStack({ administrators: [userArn("alice")] }),
    openBrowser(),
  ]);
  await stack.importAccount({
    UserDetailList: [iamUser("alice"), iamUser("bob"), iamUser("carol"), iamUser("dave")],
    GroupDetailList: [{ GroupName: "ops", Arn: `arn:aws:iam::${ACCOUNT}:group/ops` }],
  });
  webshop = await stack.addStack("webshop");
  await stack.grant(webshop, userArn("carol"), { Level: "manage" });
  await stack.grant(webshop, userArn("dave"), { Level: "show" });
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
const set = async (permission: object, by = "alice") => {
  const { status } = await stack.post(stack.asUser(by), "/SetPermission", {
    StackId: webshop,
    ...permission,
  });
  expect(status).toBe(200);
};
/** The cells of each row, as they read; what changed, line by line. */
const rows = async (page: Page) => {
  const all = await page.getByRole("table").first().locator("tbody tr").all();
  return Promise.all(all.map(async (row) => row.locator("td").allInnerTexts()));
};

describe("a stack's history", () => {
  test("says what was changed before and after, by whom, from where and why, the newest first", async () => {
    await set({ IamUserArn: userArn("bob"), Level: "show", Reason: HOSTILE }, "carol");
    await set({ IamUserArn: userArn("bob"), Level: "deploy", AllowSsh: true, AllowSudo: true });
    await set({ GroupName: "ops", Level: "show" });
    const page = await as("carol");
    await page.goto(`${stack.url}/console/stacks/${webshop}`);
    await page.getByRole("link", { name: "History" }).click();
    await page.getByRole("heading", { name: "History of webshop" }).waitFor();
    const [group, second, first] = await rows(page);
    expect(group?.slice(0, 2)).toEqual(["SetPermission\nof group ops", "Level: IAM Policies Only → Show"]);
    expect(second?.slice(0, 2)).toEqual([
      "SetPermission\nof bob",
      "Level: Show → Deploy\nSSH/RDP: off → on\nsudo/admin: off → on",
    ]);
    expect(second?.[2]).toMatch(/^alice\narn:aws:iam::123456789012:user\/alice\nfrom 127\.0\.0\.1/);
    expect(first?.[1]).toBe("Level: IAM Policies Only → Show");
    expect(first?.[2]).toContain("carol");
    expect(first?.[2]).toContain(`“${HOSTILE}”`);
    await expectAccessible(page);
  });

  test("says who held what at a time: of an event, or one that is chosen", async () => {
    await set({ IamUserArn: userArn("bob"), Level: "manage" });
    await set({ IamUserArn: userArn("bob"), Level: "deny" });
    const page = await as("carol");
    await page.goto(`${stack.url}/console/stacks/${webshop}/history`);
    await page.getByRole("link", { name: "who held what then" }).nth(1).click();
    await page.getByRole("heading", { name: /^At / }).waitFor();
    const bob = page.getByRole("row", { name: /^bob/ });
    expect(await bob.getByRole("cell").first().innerText()).toContain("Manage");
    const moment = new URL(page.url()).searchParams.get("at") ?? "";
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForURL((url) => url.searchParams.get("at") !== moment);
    // The browser leaves out zeros at the end.
    const chosen = new Date(`${new URL(page.url()).searchParams.get("at")}Z`);
    expect(chosen.toISOString()).toBe(moment);
    expect(await bob.getByRole("cell").first().innerText()).toContain("Manage");
    await expectAccessible(page);

    await page.getByLabel("Who held what at this time (UTC)").fill("2020-01-01T00:00:00");
    await page.getByRole("button", { name: "Show" }).click();
    await page
      .getByText(/^The stack did not exist yet at 1 Jan 2020, 09:00:00 GMT\+9: it was made at /)
      .waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: "Show all changes" }).click();
    await page.getByText("What was changed, the newest first").waitFor();
  });

  test("comes in pages", async () => {
    const events = 105;
    for (let number = 0; number < events; number += 1)
      await set({ IamUserArn: userArn("bob"), Level: number % 2 === 0 ? "show" : "deploy" });
    const page = await as("carol");
    await page.goto(`${stack.url}/console/stacks/${webshop}/history`);
    expect((await rows(page)).length).toBe(100);
    await page.getByRole("link", { name: "Next page" }).click();
    await page.waitForURL(/after=/);
    expect((await rows(page)).length).toBeGreaterThanOrEqual(5);
    await page.getByRole("link", { name: "First page" }).click();
  });

  test("is the manager's to see, not a Show user's", async () => {
    const page = await as("dave");
    await page.goto(`${stack.url}/console/stacks/${webshop}/history`);
    await page.getByText("is not authorized to perform: stackwarden:DescribeEvents").waitFor();
    await expectAccessible(page);
  });
});

describe("a user's history", () => {
  test("has their profile and their permissions on every stack", async () => {
    const change = {
      IamUserArn: userArn("dave"),
      SshPublicKey: sshKeys["rsa-2048"],
      AllowSelfManagement: true,
    };
    await stack.post(stack.asUser("alice"), "/UpdateUserProfile", change);
    await set({ IamUserArn: userArn("dave"), Level: "deploy" });
    const page = await as("alice");
    await page.goto(`${stack.url}/console/users/profile?user=${encodeURIComponent(userArn("dave"))}`);
    await page.getByRole("link", { name: "History" }).click();
    await page.getByRole("heading", { name: "History of dave" }).waitFor();
    const [level, profile] = await rows(page);
    expect(level?.slice(0, 2)).toEqual(["SetPermission\non webshop", "Level: Show → Deploy"]);
    expect(profile?.[0]).toBe("UpdateUserProfile");
    expect(profile?.[1]).toMatch(/^Self-management: off → on\nSSH key: none →\s+ssh-rsa .* …$/);
    await expectAccessible(page);
    await page.getByRole("link", { name: "who held what then" }).first().click();
    await page.getByRole("heading", { name: /^At / }).waitFor();
    await page
      .getByRole("row", { name: /^webshop/ })
      .getByText("Deploy")
      .waitFor();
  });

  test("of nobody is an error that says so", async () => {
    const page = await as("alice");
    await page.goto(`${stack.url}/console/users/history?user=${encodeURIComponent(HOSTILE)}`);
    await page.getByText("must be the ARN of an IAM user").waitFor();
  });
});

test("is no wider than a phone", async () => {
  await set({ IamUserArn: userArn("bob"), Level: "show", Reason: "until the end of the month" });
  await set({ IamUserArn: userArn("bob"), Level: "deploy" });
  context = await browser.newContext({ viewport: { width: 360, height: 700 } });
  const page = await as("alice");
  await page.goto(`${stack.url}/console/stacks/${webshop}/history`);
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
  // What each cell is stands in it, and none is cut off.
  expect(
    await page.evaluate(
      "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('.list'))",
    ),
  ).toBe(0);
});
