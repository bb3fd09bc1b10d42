import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { consoleToken, openBrowser } from "../setup/browser.ts";
import { iamUser, openTestStack, policy, type TestStack, userArn } from "../setup/test-stack.ts";

const OWN = policy("Allow", ["opsworks:DescribeMyUserProfile", "opsworks:UpdateMyUserProfile"]);

let stack: TestStack;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  [stack, browser] = await Promise.all([openTestStack(), openBrowser()]);
  await stack.importAccount({
    UserDetailList: [iamUser("bob", { policies: { own: OWN } }), iamUser("mallory")],
  });
  const StackId = await stack.addStack("webshop");
  await stack.grant(StackId, userArn("bob"), { Level: "deploy" });
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

describe("signing in", () => {
  test("takes a token from the address, says whom it signs in, and leads to their stacks", async () => {
    const page = await context.newPage();
    const token = await consoleToken(stack, stack.asUser("bob"));
    await page.goto(`${stack.url}/console/sign-in#${token}`);
    await page.getByText(userArn("bob")).waitFor();
    expect(page.url()).toBe(`${stack.url}/console/sign-in`);
    expect(await context.cookies()).toEqual([]);

    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("heading", { name: "Stacks" }).waitFor();
    expect(page.url()).toBe(`${stack.url}/console`);
    await page
      .getByRole("row", { name: /webshop/ })
      .getByText("Deploy")
      .waitFor();
  });
});
