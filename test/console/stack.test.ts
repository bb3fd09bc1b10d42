import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type IamEndpoint, startIamEndpoint } from "../../infra/local/iam-endpoint.ts";
import {
  cellsOf,
  expectAccessible,
  type Heard,
  NOTHING_HEARD,
  openBrowser,
  openReader,
  signIn,
} from "../setup/browser.ts";
import {
  ACCOUNT,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  roleArn,
  stackRoles,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const HOSTILE = `"><script>alert(1)</script>'&amp;\u202e`;

let stack: TestStack;
let iam: IamEndpoint;
let browser: Browser;
let context: BrowserContext;
let webshop: string;
let empty: string;
let heard: Heard;

beforeAll(async () => {
  iam = await startIamEndpoint({});
  process.env.AWS_ENDPOINT_URL_IAM = iam.url;
  [stack, browser] = await Promise.all([
    openTestStack({ administrators: [userArn("alice")] }),
    openBrowser(),
  ]);
  const roles = stackRoles();
  await stack.importAccount({
    UserDetailList: [
      iamUser("alice"),
      iamUser("bob"),
      iamUser("carol"),
      iamUser("dora"),
      iamUser("lists", { policies: { own: policy("Allow", "opsworks:DescribeLayers") } }),
    ],
    RoleDetailList: roles,
  });
  iam.account = { RoleDetailList: roles };
  webshop = await stack.addStack(HOSTILE);
  empty = await stack.addStack("empty");
  const layer = { StackId: webshop, Type: "custom", Name: HOSTILE, Shortname: "app" };
  const { body } = await stack.post(stack.asUser("alice"), "/CreateLayer", layer);
  for (const [index, Hostname] of ["app-1", "app-2", "bastion"].entries()) {
    const made = await stack.post(stack.asUser("alice"), "/RegisterInstance", {
      StackId: webshop,
      LayerIds: Hostname === "bastion" ? [] : [body.LayerId],
      Ec2InstanceId: `i-0000000${index}`,
      Hostname,
      Platform: index === 1 ? "Windows" : "Linux",
      PrivateIp: `10.0.0.${index}`,
    });
    expect(made.status).toBe(200);
  }
  await stack.grant(webshop, userArn("bob"), { Level: "show" });
  await stack.grant(webshop, userArn("carol"), { Level: "manage" });
  await stack.grant(empty, userArn("carol"), { Level: "manage" });
  await stack.grant(webshop, userArn("dora"), { Level: "deny" });
});
afterAll(async () => {
  await browser.close();
  await stack.close();
  await iam.close();
});
beforeEach(async () => {
  ({ context, heard } = await openReader(browser));
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
});
afterEach(async () => {
  await context.close();
  expect(heard).toEqual(NOTHING_HEARD);
  expect(stack.faults).toEqual([]);
});

const open = async (name: string, stackId: string) => {
  const page = await signIn(context, stack, stack.asUser(name));
  await page.goto(`${stack.url}/console/stacks/${stackId}`);
  return page;
};
const cells = async (page: Page, name: string) => {
  const row = page.getByRole("row", { name: new RegExp(`^${name}`) });
  return cellsOf(row);
};
const setRoles = (more: object[]) => {
  const kept = stackRoles().filter(({ RoleName }) => RoleName !== "service-role" && more.length > 0);
  iam.account = { RoleDetailList: more.length === 0 ? stackRoles() : [...kept, ...more] };
};

describe("a stack's overview", () => {
  test("shows a Show user the stack, its layers and instances, and why not what its roles lack", async () => {
    const page = await open("bob", webshop);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe(HOSTILE);
    await page.getByText(roleArn("service-role")).first().waitFor();
    await page.getByText("us-east-1", { exact: true }).waitFor();
    const layers = page.getByRole("table").first().getByRole("row").nth(1);
    expect(await layers.getByRole("rowheader").innerText()).toContain(HOSTILE);
    expect(await cells(page, "app-1")).toEqual([
      "Linux",
      HOSTILE,
      "–",
      "10.0.0.0",
      `arn:aws:iam::${ACCOUNT}:instance-profile/ec2`,
    ]);
    expect((await cells(page, "bastion"))[1]).toBe("–");
    await page
      .getByText(`User: ${userArn("bob")} is not authorized to perform: stackwarden:CheckStackRoles`)
      .waitFor();
    await expectAccessible(page);
    await page.getByLabel("Search by host name, id or address").fill("BASTION");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByRole("row", { name: /^app/ }).count(), { timeout: 20_000 }).toBe(0);
    expect((await cells(page, "bastion"))[0]).toBe("Linux");
  });

  test("leads to its Permissions and back", async () => {
    const page = await open("carol", webshop);
    await page.getByRole("link", { name: "Permissions" }).click();
    await page.getByRole("heading", { name: /^Permissions of/ }).waitFor();
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("heading", { name: "Layers" }).waitFor();
  });

  test("of one without layers and instances says what to do next", async () => {
    const page = await open("carol", empty);
    await page.getByText("The stack has no layer. The operation CreateLayer adds one.").waitFor();
    await page.getByText("No instance is registered.").waitFor();
    await expectAccessible(page);
  });

  test("shows part of it to whoever may see only that, and nothing to whom it is denied", async () => {
    const lister = await open("lists", webshop);
    expect(await lister.getByRole("heading", { level: 1 }).innerText()).toBe(webshop);
    await lister.getByText("is not authorized to perform: opsworks:DescribeStacks").waitFor();
    await lister.getByText("is not authorized to perform: opsworks:DescribeInstances").waitFor();
    expect(await lister.getByRole("table").count()).toBe(1);
    await lister.close();
    const denied = await open("dora", webshop);
    await denied.getByRole("heading", { name: "You may not do this" }).waitFor();
    expect(await denied.getByText("app-1").count()).toBe(0);
    await denied.goto(`${stack.url}/console/stacks/${encodeURIComponent("no id")}`);
    await denied.getByRole("heading", { name: "That cannot be done" }).waitFor();
  });
});

describe("the roles of a stack", () => {
  test("lack nothing, says its manager's page", async () => {
    setRoles([]);
    const page = await open("carol", webshop);
    await page.getByText("lack nothing").waitFor();
    await expectAccessible(page);
  });

  test("lack something: errors first, each with what would mend it, to be copied", async () => {
    setRoles([iamRole("service-role", { trusts: "lambda.amazonaws.com" })]);
    const page = await open("carol", webshop);
    const gaps = page.getByRole("article");
    await gaps.first().waitFor();
    const severities = await gaps.locator(".severity").allInnerTexts();
    expect(severities[0]).toBe("Error");
    expect(severities).toEqual(severities.toSorted());
    const first = gaps.first();
    await first.getByText("opsworks.amazonaws.com").first().waitFor();
    await first.getByText("The JSON that mends it").click();
    await expectAccessible(page);
    await first.getByRole("button", { name: "Copy" }).click();
    await first.getByRole("button", { name: "Copied" }).waitFor();
    const copied: unknown = JSON.parse(await page.evaluate("navigator.clipboard.readText()"));
    expect(JSON.stringify(copied)).toContain("opsworks.amazonaws.com");
  });
});

test("is no wider than a phone, whatever its name", async () => {
  setRoles([iamRole("service-role", { trusts: "lambda.amazonaws.com" })]);
  context = await browser.newContext({ viewport: { width: 360, height: 700 } });
  const page = await open("carol", webshop);
  for (const summary of await page.locator("summary").all()) await summary.click();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
});
