import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openBrowser, signIn } from "../setup/browser.ts";
import { consoleToken } from "../setup/console-visitor.ts";
import { iamUser, openTestStack, policy, type TestStack, userArn } from "../setup/test-stack.ts";

const OWN = policy("Allow", ["opsworks:DescribeMyUserProfile", "opsworks:UpdateMyUserProfile"]);

let stack: TestStack;
let browser: Browser;
let context: BrowserContext;
/** Another website, on another host. */
let elsewhere: Server;
let elsewhereUrl: string;
let elsewherePage = "";

beforeAll(async () => {
  [stack, browser] = await Promise.all([openTestStack(), openBrowser()]);
  const policies = { own: OWN };
  await stack.importAccount({
    UserDetailList: [iamUser("bob", { policies }), iamUser("mallory", { policies })],
  });
  const StackId = await stack.addStack("webshop");
  await stack.grant(StackId, userArn("bob"), { Level: "deploy" });
  elsewhere = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(elsewherePage);
  }).listen(0, "localhost");
  await once(elsewhere, "listening");
  const address = elsewhere.address();
  elsewhereUrl = `http://localhost:${typeof address === "object" ? address?.port : ""}`;
});
afterAll(async () => {
  elsewhere.close();
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

const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

/** Opens the address that the command opens. */
async function openSignIn(token: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${stack.url}/console/sign-in#${token}`);
  return page;
}

describe("signing in", () => {
  test("takes a token from the address, says whom it signs in, and leads to their stacks", async () => {
    const page = await openSignIn(await consoleToken(stack, stack.asUser("bob")));
    await page.getByText(userArn("bob")).waitFor();
    expect(page.url()).toBe(`${stack.url}/console/sign-in`);
    expect(await context.cookies()).toEqual([]);

    await button(page, "Sign in").click();
    await heading(page, "Stacks").waitFor();
    expect(page.url()).toBe(`${stack.url}/console`);
    await page.getByRole("row", { name: "webshop" }).getByText("Deploy").waitFor();
  });

  test("sets a cookie that scripts, other websites and connections without TLS never get, for an hour", async () => {
    await signIn(context, stack, stack.asUser("bob"));
    const [cookie, ...others] = await context.cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      name: "__Host-stackwarden",
      domain: "127.0.0.1",
      path: "/",
      httpOnly: true,
      secure: true,
      sameSite: "Strict",
    });
    expect(Math.abs((cookie?.expires ?? 0) - Date.now() / 1000 - 3600)).toBeLessThan(60);
  });

  test("shows the token to no address, no referrer and no history", async () => {
    const token = await consoleToken(stack, stack.asUser("bob"));
    const page = await context.newPage();
    const seen: string[] = [];
    page.on("request", (request) => seen.push(request.url(), request.headers()["referer"] ?? ""));
    await page.goto(`${stack.url}/console/sign-in#${token}`);
    await button(page, "Sign in").click();
    await heading(page, "Stacks").waitFor();
    expect(seen.filter((text) => text.includes(token) && !text.endsWith(`/sign-in#${token}`))).toEqual([]);
    // Chromium does not send the form once more by itself.
    await page.goBack().catch(() => undefined);
    expect(page.url()).not.toContain(token);
  });

  test("works without script, by pasting the code", async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false });
    const page = await plain.newPage();
    await page.goto(`${stack.url}/console/sign-in`);
    await page.getByLabel("Sign-in code").fill(await consoleToken(stack, stack.asUser("bob")));
    await button(page, "Continue").click();
    await button(page, "Sign in").click();
    await heading(page, "Stacks").waitFor();
    await plain.close();
  });

  test("takes a click, so that nobody is signed in as somebody else without seeing it", async () => {
    elsewherePage = `<a href="${stack.url}/console/sign-in#${await consoleToken(stack, stack.asUser("mallory"))}">a gift</a>`;
    const page = await context.newPage();
    await page.goto(elsewhereUrl);
    await page.getByText("a gift").click();
    await page.getByText(userArn("mallory")).waitFor();
    await page.getByText("If that is not you").waitFor();
    await page.getByRole("link", { name: "Cancel" }).click();
    await heading(page, "Sign in to go on").waitFor();
    expect(await context.cookies()).toEqual([expect.objectContaining({ name: "__Host-stackwarden-return" })]);
  });

  test("says so when it replaces a session, and ends that", async () => {
    const page = await signIn(context, stack, stack.asUser("bob"));
    const [before] = await context.cookies();
    await page.goto(`${stack.url}/console/sign-in#${await consoleToken(stack, stack.asUser("mallory"))}`);
    await page.getByText(`You are signed in as ${userArn("bob")}`).waitFor();
    await button(page, "Sign in").click();
    await page.getByRole("banner").getByText("mallory").waitFor();
    const [after] = await context.cookies();
    expect(after?.value).not.toBe(before?.value);

    await context.addCookies([before!]);
    await page.goto(`${stack.url}/console`);
    await heading(page, "Sign in to go on").waitFor();
  });

  test("never goes on with an id that was there before", async () => {
    const planted = "A".repeat(43);
    const where = { domain: "127.0.0.1", path: "/", secure: true, httpOnly: true };
    const plantedCookie = { name: "__Host-stackwarden", value: planted, ...where };
    await context.addCookies([plantedCookie]);
    const page = await signIn(context, stack, stack.asUser("bob"));
    expect((await context.cookies()).map(({ value }) => value)).not.toContain(planted);
    await context.addCookies([plantedCookie]);
    await page.goto(`${stack.url}/console`);
    await heading(page, "Sign in to go on").waitFor();
  });

  test("comes back to where one was", async () => {
    const page = await context.newPage();
    await page.goto(`${stack.url}/console/my-settings?search=web`);
    await heading(page, "Sign in to go on").waitFor();
    const again = await signIn(context, stack, stack.asUser("bob"));
    expect(again.url()).toBe(`${stack.url}/console/my-settings?search=web`);
    await page.reload();
    await heading(page, "My Settings").waitFor();
  });
});

describe("a token is refused when", () => {
  const REFUSED = "This sign-in does not work any more";

  test("it was used", async () => {
    const token = await consoleToken(stack, stack.asUser("bob"));
    const first = await openSignIn(token);
    const second = await openSignIn(token);
    await button(second, "Sign in").waitFor();
    await button(first, "Sign in").click();
    await heading(first, "Stacks").waitFor();
    await context.clearCookies();
    await button(second, "Sign in").click();
    await heading(second, REFUSED).waitFor();
    await heading(await openSignIn(token), REFUSED).waitFor();
    expect(await context.cookies()).toEqual([]);
  });

  test("it is no token", async () => {
    for (const token of ["x", "A".repeat(43), "<script>alert(1)</script>", "%00"])
      await heading(await openSignIn(token), REFUSED).waitFor();
  });
});

describe("signing out", () => {
  test("ends the session everywhere, on the server too", async () => {
    const page = await signIn(context, stack, stack.asUser("bob"));
    const [cookie] = await context.cookies();
    await button(page, "Sign out").click();
    await heading(page, "You are signed out").waitFor();
    expect(await context.cookies()).toEqual([]);
    await context.addCookies([cookie!]);
    await page.goto(`${stack.url}/console`);
    await heading(page, "Sign in to go on").waitFor();
  });
});

describe("another website", () => {
  test("links to a page, which opens signed in", async () => {
    const page = await signIn(context, stack, stack.asUser("bob"));
    elsewherePage = `<a href="${stack.url}/console/my-settings">look</a>`;
    await page.goto(elsewhereUrl);
    await page.getByText("look").click();
    await heading(page, "My Settings").waitFor();
  });

  test("sends no form, for want of the cookie and by its origin", async () => {
    const page = await signIn(context, stack, stack.asUser("bob"));
    elsewherePage = `<form method="post" action="${stack.url}/console/my-settings"><input name="SshPublicKey" value="x"><button>win</button></form>`;
    await page.goto(elsewhereUrl);
    await button(page, "win").click();
    await heading(page, "Not from here").waitFor();
    await page.goto(elsewhereUrl);
    elsewherePage = elsewherePage.replace("my-settings", "sign-out");
    await page.reload();
    await button(page, "win").click();
    await page.goto(`${stack.url}/console`);
    await heading(page, "Stacks").waitFor();
  });

  test("shows no page in a frame of its own, and reads none", async () => {
    const page = await signIn(context, stack, stack.asUser("bob"));
    elsewherePage = `<iframe src="${stack.url}/console"></iframe>`;
    await page.goto(elsewhereUrl);
    const frame = page.frames()[1];
    await expect.poll(() => frame?.url(), { timeout: 20_000 }).toMatch(/^chrome-error:/);
    const read = await page.evaluate(
      (url) => fetch(url, { credentials: "include" }).then(String, () => "refused"),
      `${stack.url}/console`,
    );
    expect(read).toBe("refused");
  });
});
