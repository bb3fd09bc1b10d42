import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type IamEndpoint, startIamEndpoint } from "../../infra/local/iam-endpoint.ts";
import { readTemplate } from "../../infra/local/template.ts";
import { importAccount } from "../../shared/account/import-account.ts";
import { resolveAccount } from "../../shared/account/resolve-account.ts";
import {
  expectAccessible,
  type Heard,
  NOTHING_HEARD,
  openBrowser,
  openReader,
  signIn,
} from "../setup/browser.ts";
import { newTable } from "../setup/import-job.ts";
import {
  ACCOUNT,
  iamUser,
  INSTANCE_PROFILE,
  openTestStack,
  policy,
  REGION,
  SERVICE_ROLE,
  stackRoles,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const ELSEWHERE = "eu-west-1";
/** A machine may be busy. */
const PATIENTLY = { timeout: 20_000 };
const may = (...actions: string[]) => ({ policies: { own: policy("Allow", actions) } });
const PEOPLE = [
  iamUser("alice"),
  iamUser("watcher", may("stackwarden:DescribeImport")),
  iamUser("starter", may("stackwarden:ImportUsers")),
  iamUser("bob"),
];

let stack: TestStack;
let iam: IamEndpoint;
let browser: Browser;
let context: BrowserContext;
let webshop: string;
/** Lets IAM answer. */
let open: () => void;
let heard: Heard;

beforeAll(async () => {
  iam = await startIamEndpoint({});
  process.env.AWS_ENDPOINT_URL_IAM = iam.url;
  [stack, browser] = await Promise.all([
    openTestStack({ administrators: [userArn("alice")], streams: true }),
    openBrowser(),
  ]);
  const elsewhere = await newTable(await readTemplate(inject("packageFolder")), ELSEWHERE);
  process.env.SOURCE_TABLES = `arn:aws:dynamodb:${ELSEWHERE}:${ACCOUNT}:table/${elsewhere.name}`;
  const there = { UserDetailList: [iamUser("ann"), iamUser("left")] };
  await importAccount(elsewhere, resolveAccount(there), { caller: "operator", now: new Date() });
  await stack.importAccount({ UserDetailList: PEOPLE });
  webshop = await stack.addStack("webshop");
});
afterAll(async () => {
  await browser.close();
  await stack.close();
  await iam.close();
});
beforeEach(async () => {
  iam.account = { UserDetailList: PEOPLE, RoleDetailList: stackRoles() };
  iam.before = () => undefined;
  ({ context, heard } = await openReader(browser));
});
afterEach(async () => {
  await context.close();
  expect(heard).toEqual(NOTHING_HEARD);
  expect(stack.faults).toEqual([]);
});

const as = (name: string) => signIn(context, stack, stack.asUser(name));
const importPage = async (name: string) => {
  const page = await as(name);
  await page.goto(`${stack.url}/console/users/import`);
  return page;
};
/** IAM keeps everybody waiting until it is opened. */
const closeIam = () => {
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  iam.before = () => opened.then(() => undefined);
};
const start = (page: Page) => page.getByRole("button", { name: "Import" }).click();
/** What the report says of something. */
const said = (page: Page, term: string) =>
  page.locator("dt", { hasText: term }).first().locator("xpath=following-sibling::dd[1]").innerText();
const levelOf = async (page: Page, stackId: string, name: string) => {
  await page.goto(`${stack.url}/console/stacks/${stackId}/permissions?search=user%2F${name}`);
  return page
    .getByRole("row", { name: new RegExp(`^${name}`) })
    .getByRole("cell")
    .first()
    .innerText();
};

describe("an import from IAM", () => {
  test("is started, shows how far it is by itself, and ends with what it did", async () => {
    const page = await importPage("alice");
    await page.getByText("There was no import yet.").waitFor();
    await expectAccessible(page);
    closeIam();
    iam.account = {
      UserDetailList: [...PEOPLE.filter(({ UserName }) => UserName !== "bob"), iamUser("zoe")],
      RoleDetailList: stackRoles(),
    };
    await page.getByLabel("Reason (optional)").fill("new colleagues");
    await start(page);
    await page.getByRole("heading", { name: "Importing from IAM …" }).waitFor();
    expect(await page.getByRole("button", { name: "Import" }).count()).toBe(0);
    await page.getByText("users and roles were looked at so far").waitFor();
    await expectAccessible(page);
    // Asked for again, it is still the same page.
    await page.evaluate("globalThis.isSame = true");
    await page.waitForResponse((response) => response.url().endsWith("/console/users/import"));
    expect(await page.evaluate("globalThis.isSame")).toBe(true);
    open();

    await page.getByText("Imported from IAM.").waitFor();
    // Somebody, and the three roles.
    expect(await said(page, "Added")).toBe("4");
    expect(await said(page, "Unchanged")).toBe("3");
    expect(await said(page, "No longer in IAM")).toMatch(/^1\. Who of them still holds something/);
    await page.getByText("Show them").first().click();
    await page.getByRole("link", { name: userArn("bob") }).waitFor();
    await page.getByText("Who was added has IAM Policies Only on every stack.").waitFor();
    await expectAccessible(page);
    expect((await stack.eventsAboutUser(userArn("zoe"))).at(-1)).toMatchObject({ Reason: "new colleagues" });
  });

  test("adds the user to the list for all existing stacks, with IAM Policies Only", async () => {
    const another = await stack.addStack("another");
    iam.account = { UserDetailList: [...PEOPLE, iamUser("newcomer")], RoleDetailList: stackRoles() };
    const page = await importPage("alice");
    await start(page);
    await page.getByText("Imported from IAM.").waitFor();
    for (const id of [webshop, another])
      expect(await levelOf(page, id, "newcomer")).toBe("IAM Policies Only");
  });

  test("of somebody is what puts them on the list, and on a new stack's list are all current users", async () => {
    const page = await importPage("alice");
    await page.goto(`${stack.url}/console/users?search=user%2Flate`);
    await page.getByText("Nobody matches").waitFor();
    iam.account = {
      UserDetailList: [...PEOPLE, iamUser("late"), iamUser("later")],
      RoleDetailList: stackRoles(),
    };
    await page.getByRole("link", { name: "Import", exact: true }).click();
    await page.getByLabel("These").check();
    await page.getByLabel("ARNs of users and roles").fill(` ${userArn("late")}\n\n`);
    await start(page);
    await page.getByText("Imported from IAM.").waitFor();
    expect(await said(page, "Added")).toBe("1");
    await page.goto(`${stack.url}/console/users?search=user%2Flate`);
    expect(await page.getByRole("rowheader").count()).toBe(1);

    const made = await stack.post(stack.asRoot(), "/CreateStack", {
      Name: "new",
      Region: REGION,
      ServiceRoleArn: SERVICE_ROLE,
      DefaultInstanceProfileArn: INSTANCE_PROFILE,
    });
    expect(made.status).toBe(200);
    await page.goto(`${stack.url}/console/stacks/${made.body.StackId}/permissions`);
    const rows = page
      .getByRole("table")
      .first()
      .getByRole("row", { name: /arn:aws:iam/ });
    const levels = await rows.evaluateAll((all) => all.map((row) => row.querySelector("td")?.textContent));
    expect(levels.length).toBeGreaterThan(PEOPLE.length);
    expect(new Set(levels)).toEqual(new Set(["IAM Policies Only"]));
  });

  test("of those who are here adds nobody", async () => {
    iam.account = { UserDetailList: [...PEOPLE, iamUser("outsider")], RoleDetailList: stackRoles() };
    const page = await importPage("alice");
    await page.getByLabel("Only who is a user here already").check();
    await start(page);
    await page.getByText("Imported from IAM.").waitFor();
    expect(await said(page, "Added")).toBe("0");
  });

  test("goes without script, by a link", async () => {
    const script = await as("alice");
    const plain = await browser.newContext({
      javaScriptEnabled: false,
      storageState: await script.context().storageState(),
    });
    closeIam();
    const page = await plain.newPage();
    await page.goto(`${stack.url}/console/users/import`);
    await start(page);
    await page.getByRole("link", { name: "Refresh" }).click();
    await page.getByRole("heading", { name: "Importing from IAM …" }).waitFor();
    open();
    await expect
      .poll(async () => {
        await page.reload();
        return page.getByText("Imported from IAM.").count();
      }, PATIENTLY)
      .toBe(1);
    await plain.close();
  });

  test("is one at a time: whoever is second sees the first", async () => {
    const page = await importPage("alice");
    closeIam();
    await stack.post(stack.asUser("alice"), "/ImportUsers", {});
    await start(page);
    await page.getByText(/^an import that began at .* is running/).waitFor();
    await page.getByRole("heading", { name: "Importing from IAM …" }).waitFor();
    open();
    await page.getByText("Imported from IAM.").waitFor();
  });

  test("goes on when the session is over, and the page says so", async () => {
    const page = await importPage("alice");
    closeIam();
    await start(page);
    await page.getByRole("heading", { name: "Importing from IAM …" }).waitFor();
    await context.clearCookies();
    await page.getByRole("heading", { name: "Sign in to go on" }).waitFor();
    open();
  });

  test("that cannot be is refused beside the field, with what was filled in", async () => {
    const page = await importPage("alice");
    await page.getByText("Imported from IAM.").waitFor();
    await page.getByLabel("These").check();
    await page.getByLabel("ARNs of users and roles").fill("bob <script>");
    await start(page);
    await page.getByRole("alert").filter({ hasText: "IamUserArns.0 must be the ARN" }).waitFor();
    expect(await page.getByLabel("ARNs of users and roles").inputValue()).toBe("bob <script>");
    await expectAccessible(page);
    await page.getByLabel("Everybody there").check();
    await page.getByLabel("Another region of this account").check();
    for (const [region, why] of [
      ["the moon", "SourceRegion must be an AWS region"],
      ["ap-south-1", "SourceRegion ap-south-1 has no table in the deployment's parameter SourceTables"],
      [REGION, "SourceRegion must be another region than this deployment's"],
    ] as const) {
      await page.getByLabel("Region", { exact: true }).fill(region);
      await start(page);
      await page.getByRole("alert").filter({ hasText: why }).waitFor();
      expect(await page.getByLabel("Region", { exact: true }).inputValue()).toBe(region);
    }
  });

  test("that fails says why, and that another one may be started", async () => {
    iam.account = {};
    const page = await importPage("alice");
    await start(page);
    await page.getByText("The import from IAM failed.").waitFor();
    await page.getByText("IAM lists nobody, not even the role that asks").waitFor();
    expect(stack.faults.splice(0)).toEqual([expect.objectContaining({ name: "ValidationException" })]);
    await page.getByRole("button", { name: "Import" }).waitFor();
    await expectAccessible(page);
    iam.account = { UserDetailList: PEOPLE, RoleDetailList: stackRoles() };
    await start(page);
    await page.getByText("Imported from IAM.").waitFor();
  });
});

describe("an import from another region", () => {
  test("adds who has a profile there, with no access to stacks here", async () => {
    iam.account = { UserDetailList: [...PEOPLE, iamUser("ann")], RoleDetailList: stackRoles() };
    const page = await importPage("alice");
    await page.getByLabel("Another region of this account").check();
    await page.getByLabel("Region", { exact: true }).fill(ELSEWHERE);
    await start(page);
    await page.getByText(`Imported from ${ELSEWHERE}.`).waitFor();
    expect(await said(page, "Added")).toBe("1");
    await page.getByText(`Who came from ${ELSEWHERE} for the first time has IAM Policies Only`).waitFor();
    expect(await said(page, "Not understood")).toMatch(/^1/);
    await page.getByText("Show them").first().click();
    await page.getByText(`${userArn("left")} has a profile in ${ELSEWHERE}, but is not in IAM`).waitFor();
    expect(await levelOf(page, webshop, "ann")).toBe("IAM Policies Only");

    const ann = await signIn(await browser.newContext(), stack, stack.asUser("ann"));
    await ann.goto(`${stack.url}/console/stacks/${webshop}`);
    await ann.getByRole("heading", { name: "You may not do this" }).waitFor();
    await ann.context().close();
  });
});

describe("who may", () => {
  test("look and not start one reads the report alone, and what starting one takes", async () => {
    const page = await importPage("watcher");
    await page.getByText(/^Imported from/).waitFor();
    await page.getByText("Starting one takes a policy that allows stackwarden:ImportUsers.").waitFor();
    expect(await page.getByRole("button", { name: "Import" }).count()).toBe(0);
    await expectAccessible(page);
  });

  test("start one and not look starts it, and reads why nothing more is shown", async () => {
    const page = await importPage("starter");
    await page.getByText("is not authorized to perform: stackwarden:DescribeImport").waitFor();
    await start(page);
    await page.getByText("is not authorized to perform: stackwarden:DescribeImport").waitFor();
    await expect
      .poll(async () => (await stack.post(stack.asUser("alice"), "/DescribeImport", {})).body, PATIENTLY)
      .toMatchObject({ Caller: userArn("starter"), Status: "succeeded" });
  });

  test("do neither reads why, and a form of theirs starts nothing", async () => {
    const page = await importPage("bob");
    await page.getByText("is not authorized to perform: stackwarden:DescribeImport").waitFor();
    const token = await page.locator('input[name="form-token"]').first().inputValue();
    const answer = await page.request.post(`${stack.url}/console/users/import`, {
      form: { "form-token": token },
      headers: { origin: stack.url },
    });
    expect(answer.status()).toBe(403);
    expect(await answer.text()).toContain("is not authorized to perform: stackwarden:ImportUsers");
  });
});
