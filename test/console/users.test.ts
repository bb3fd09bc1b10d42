import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
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
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";
import sshKeys from "../unit/data/ssh-public-keys.json" with { type: "json" };

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>'&amp;\u202e`;
const [KEY_TYPE, KEY_TEXT] = sshKeys.ed25519.split(" ");
const HOSTILE_KEY = `${KEY_TYPE} ${KEY_TEXT} ${HOSTILE}`;
const LONG = "x".repeat(64);
/** A machine may be busy. */
const PATIENTLY = { timeout: 20_000 };

let stack: TestStack;
let browser: Browser;
let context: BrowserContext;
let webshop: string;
/** What scripts of strangers would have shown, and what the browser kept them from. */
let heard: Heard;

beforeAll(async () => {
  [stack, browser] = await Promise.all([
    openTestStack({ administrators: [userArn("alice")] }),
    openBrowser(),
  ]);
  const may = (...actions: string[]) => ({ policies: { own: policy("Allow", actions) } });
  await stack.importAccount({
    UserDetailList: [
      iamUser("alice"),
      iamUser("bob"),
      iamUser("carol"),
      iamUser("reader", may("opsworks:DescribeUserProfiles")),
      iamUser("editor", may("opsworks:DescribeUserProfiles", "opsworks:UpdateUserProfile")),
      iamUser("cleaner", may("opsworks:*UserProfile*", "stackwarden:DescribeOrphans")),
      iamUser(LONG),
      ...Array.from({ length: 150 }, (_, index) => iamUser(`user-${String(index).padStart(3, "0")}`)),
    ],
    RoleDetailList: [iamRole("pipeline")],
  });
  webshop = await stack.addStack("webshop");
  await stack.addStack(HOSTILE);
  await stack.grant(webshop, userArn("bob"), { Level: "show" });
  await stack.grant(webshop, userArn("carol"), { Level: "manage" });
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
const names = async (page: Page) =>
  (await page.getByRole("rowheader").allInnerTexts()).map((text) => text.split("\n")[0]);
const profileOf = (arn: string) => `${stack.url}/console/users/profile?user=${encodeURIComponent(arn)}`;
/** The cells of the row that begins like this, as they read. */
const cells = async (page: Page, name: string) => {
  const row = page.getByRole("row", { name: new RegExp(`^${name}\\b`) }).first();
  return cellsOf(row);
};
const addUser = async (name: string, more: object = {}) => {
  const IamUserArn = name.startsWith("arn:") ? name : userArn(name);
  const { status } = await stack.post(stack.asUser("alice"), "/CreateUserProfile", { IamUserArn, ...more });
  expect(status).toBe(200);
  return IamUserArn;
};
const readProfile = async (IamUserArn: string) => {
  const asked = await stack.post(stack.asUser("alice"), "/DescribeUserProfiles", {
    IamUserArns: [IamUserArn],
  });
  return asked.body.UserProfiles?.[0];
};

describe("Users", () => {
  test("shows only those users that have been imported or created, of every kind", async () => {
    const gustav = await addUser(`arn:aws:sts::${ACCOUNT}:federated-user/gustav`);
    const jane = await addUser(
      `arn:aws:sts::${ACCOUNT}:assumed-role/aws-reserved/sso.amazonaws.com/jane@example.com`,
      { SshPublicKey: sshKeys.ed25519, AllowSelfManagement: true },
    );
    const page = await as("alice");
    await page.getByRole("link", { name: "Users" }).click();
    await heading(page, "Users").waitFor();
    expect((await cells(page, "pipeline"))[0]).toBe("Role");
    expect((await cells(page, "bob"))[0]).toBe("IAM user");
    const search = page.getByLabel("Search by name, ARN or SSH user name");
    await search.fill("arn:aws:sts");
    await page.keyboard.press("Enter");
    await page.getByText("Users who match").first().waitFor();
    expect(await names(page)).toEqual(["jane@example.com", "gustav"]);
    expect(await cells(page, "gustav")).toEqual([
      "Federated user",
      "gustav",
      "– no SSH key",
      "– no self-management",
    ]);
    expect(await cells(page, "jane@example.com")).toEqual([
      "Person of Identity Center",
      "janeexamplecom",
      "✓ SSH key",
      "✓ self-management",
    ]);
    await search.fill("zoe");
    await page.keyboard.press("Enter");
    await page.getByText("Nobody matches").waitFor();
    await addUser("zoe");
    await page.reload();
    await page.getByRole("row", { name: /^zoe/ }).waitFor();
    for (const arn of [gustav, jane, userArn("zoe")])
      await stack.post(stack.asUser("alice"), "/DeleteUserProfile", { IamUserArn: arn });
  });

  test("comes in pages, and is searched and narrowed over all of them", async () => {
    await stack.loseFromIam(userArn("user-140"), "2026-01-02T03:04:05.000Z");
    const page = await as("alice");
    await page.goto(`${stack.url}/console/users`);
    expect((await names(page)).length).toBe(100);
    await page.getByRole("link", { name: "Next page" }).click();
    await page.getByText("user-149").first().waitFor();
    await page.getByRole("link", { name: "First page" }).click();
    await page.getByLabel("Search by name, ARN or SSH user name").fill("USER-14");
    await page.keyboard.press("Enter");
    await page.getByText("Users who match").first().waitFor();
    expect(await names(page)).toHaveLength(10);
    const found14 = Array.from({ length: 10 }, (_, index) => `user-14${index}`);
    for (const [show, value, found] of [
      ["Roles", "role", []],
      ["Federated users", "federated", []],
      ["Who has no SSH key", "no-key", found14],
      ["Who is gone from IAM", "gone", ["user-140"]],
    ] as const) {
      await page.getByLabel("Show").selectOption(show);
      await page.getByRole("button", { name: "Search" }).click();
      await page.waitForURL(`**show=${value}`);
      expect(await names(page)).toEqual(found);
    }
    await page
      .getByRole("row", { name: /user-140/ })
      .getByText("gone from IAM since 2 Jan 2026, 12:04")
      .waitFor();
  });

  test("tells a Show user and a manager of a stack, in the operation's words, that they may not list users", async () => {
    for (const name of ["bob", "carol"]) {
      const page = await as(name);
      await page.goto(`${stack.url}/console/users`);
      await page
        .getByText(
          `User: ${userArn(name)} is not authorized to perform: opsworks:DescribeUserProfiles on resource: *`,
        )
        .waitFor();
      expect(await page.getByRole("table").count()).toBe(0);
      await expectAccessible(page);
      await page.close();
    }
  });

  test("offers nobody what they may not do, and refuses it when it is sent all the same", async () => {
    const page = await as("reader");
    await page.goto(`${stack.url}/console/users`);
    await page.getByRole("row", { name: /^bob/ }).waitFor();
    expect(await page.getByRole("link", { name: /New user|Import users/ }).count()).toBe(0);
    await page.getByRole("link", { name: "bob" }).click();
    await heading(page, "bob").waitFor();
    expect(await page.getByRole("button", { name: "Save" }).count()).toBe(0);
    expect(await page.getByRole("link", { name: /Delete/ }).count()).toBe(0);
    await page.getByText("SSH user name").waitFor();
    await expectAccessible(page);

    const { Version } = await readProfile(userArn("bob"));
    const sent = { "form-token": await formToken(page), Version };
    const forms = [
      ["profile?user=", { ...sent, SshUsername: "mine", "read-SshUsername": "bob" }, "UpdateUserProfile"],
      ["delete?user=", sent, "DeleteUserProfile"],
      ["new?user=", { ...sent, IamUserArn: userArn("other") }, "CreateUserProfile"],
    ] as const;
    for (const [path, form, operation] of forms) {
      const url = `${stack.url}/console/users/${path}${encodeURIComponent(userArn("bob"))}`;
      const answer = await page.request.post(url, { form, headers: { origin: stack.url } });
      expect([operation, answer.status()]).toEqual([operation, 403]);
      expect(await answer.text()).toContain(`is not authorized to perform: opsworks:${operation}`);
    }
    expect(await readProfile(userArn("bob"))).toMatchObject({ SshUsername: "bob", Version });
    expect(await readProfile(userArn("other"))).toBeUndefined();
  });

  test("says of a user who is not there, or of no ARN, what is wrong", async () => {
    const page = await as("alice");
    await page.goto(profileOf(userArn("nobody")));
    await page.getByText(`Unable to find user with ARN ${userArn("nobody")}`).waitFor();
    await page.goto(profileOf(HOSTILE));
    await page.getByText("must be the ARN of an IAM user").waitFor();
    await expectAccessible(page);
  });
});

describe("a user's profile", () => {
  test("is edited: SSH user name, key and self-management, with a reason that the event keeps", async () => {
    const arn = await addUser("ed.1");
    const page = await as("alice");
    await page.goto(`${stack.url}/console/users?search=ed.1`);
    await page.getByRole("link", { name: "ed.1" }).click();
    await heading(page, "ed.1").waitFor();
    expect(await page.getByLabel("SSH user name").inputValue()).toBe("ed1");
    await page.getByLabel("SSH user name").fill("edward");
    await page.getByLabel("SSH public key").fill(HOSTILE_KEY);
    await page.getByLabel("Self-management").check();
    await page.getByLabel("Reason (optional)").fill(HOSTILE);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The profile was saved.").waitFor();
    expect(await page.getByLabel("SSH public key").inputValue()).toBe(HOSTILE_KEY);
    expect(await page.getByLabel("Self-management").isChecked()).toBe(true);
    await expectAccessible(page);
    expect(await readProfile(arn)).toMatchObject({
      SshUsername: "edward",
      SshPublicKey: HOSTILE_KEY,
      AllowSelfManagement: true,
    });
    expect((await stack.eventsAboutUser(arn)).at(-1)).toMatchObject({
      Operation: "UpdateUserProfile",
      Caller: userArn("alice"),
      Reason: HOSTILE,
    });

    await page.getByLabel("SSH public key").fill("");
    await page.getByLabel("Self-management").uncheck();
    await Promise.all([
      page.waitForEvent("framenavigated"),
      page.getByRole("button", { name: "Save" }).click(),
    ]);
    expect(await page.getByLabel("Self-management").isChecked()).toBe(false);
    expect(await readProfile(arn)).not.toHaveProperty("SshPublicKey");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Nothing was changed").waitFor();
  });

  test("says beside the field what is wrong, and keeps what was filled in", async () => {
    await addUser("ed.2");
    const page = await as("editor");
    await page.goto(profileOf(userArn("ed.2")));
    await page.getByLabel("SSH user name").fill("root");
    await page.getByLabel("SSH public key").fill(`${HOSTILE}\n`);
    await page.getByRole("button", { name: "Save" }).click();
    const key = page.getByLabel("SSH public key");
    await expect.poll(() => key.getAttribute("aria-invalid"), PATIENTLY).toBe("true");
    expect(await page.getByRole("alert").allInnerTexts()).toEqual([
      expect.stringMatching(/^SshUsername must have letters or digits.*no system account$/),
      expect.stringMatching(/^SshPublicKey must be an ed25519/),
    ]);
    expect(await page.getByLabel("SSH user name").inputValue()).toBe("root");
    expect(await key.inputValue()).toBe(HOSTILE);
    await expectAccessible(page);

    await key.fill("");
    await page.getByLabel("SSH user name").fill("bob");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("SshUsername bob is taken").waitFor();
    expect((await readProfile(userArn("ed.2"))).SshUsername).toBe("ed2");
  });

  test("shows what somebody else changed meanwhile, writes nothing over it, and keeps what was filled in", async () => {
    const arn = await addUser("ed.3", { SshUsername: "ed_three" });
    const page = await as("alice");
    await page.goto(profileOf(arn));
    const other = await signIn(await browser.newContext(), stack, stack.asUser("editor"));
    await other.goto(profileOf(arn));
    await other.getByLabel("Self-management").check();
    await other.getByRole("button", { name: "Save" }).click();
    await other.getByText("The profile was saved.").waitFor();
    await other.context().close();

    await page.getByLabel("SSH user name").fill("third");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Somebody else changed this profile while you did.").waitFor();
    await page.getByText("Somebody else made it on").waitFor();
    await expectAccessible(page);
    expect(await page.getByLabel("SSH user name").inputValue()).toBe("third");
    expect(await page.getByLabel("Self-management").isChecked()).toBe(true);
    expect(await readProfile(arn)).toMatchObject({ SshUsername: "ed_three", AllowSelfManagement: true });
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The profile was saved.").waitFor();
    expect(await readProfile(arn)).toMatchObject({ SshUsername: "third", AllowSelfManagement: true });
  });
});

describe("deleting a user", () => {
  test("says what it does before it is done, and then what they were given counts no more", async () => {
    const arn = await addUser("old");
    await stack.grant(webshop, arn, { Level: "deploy", AllowSsh: true, AllowSudo: true });
    const page = await as("alice");
    await page.goto(profileOf(arn));
    await page.getByRole("link", { name: "Delete old" }).click();
    await heading(page, "Delete old?").waitFor();
    await page.getByText("Everything they were given here ends at once").waitFor();
    await page.getByText("Nothing changes in IAM.").waitFor();
    const held = page.getByRole("listitem").filter({ has: page.getByRole("link", { name: "webshop" }) });
    expect(await held.innerText()).toBe("webshop: Deploy, SSH/RDP, sudo/admin");
    await expectAccessible(page);
    expect(await readProfile(arn)).toBeDefined();

    await page.getByLabel("Reason (optional)").fill("left the company");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("The user was deleted.").waitFor();
    await expectAccessible(page);
    expect(await readProfile(arn)).toBeUndefined();
    expect((await stack.eventsAboutUser(arn)).at(-1)).toMatchObject({ Reason: "left the company" });
    await addUser("old");
    await page.goto(`${stack.url}/console/stacks/${webshop}/permissions?search=user%2Fold`);
    expect((await cells(page, "old"))[0]).toBe("IAM Policies Only");
  });

  test("stops when somebody else changed them meanwhile, and shows how they are now", async () => {
    const arn = await addUser("wanted");
    const page = await as("cleaner");
    await page.goto(profileOf(arn));
    await page.getByRole("link", { name: "Delete wanted" }).click();
    await heading(page, "Delete wanted?").waitFor();
    await page.getByText("is not authorized to perform: opsworks:DescribePermissions").waitFor();
    await stack.post(stack.asUser("alice"), "/UpdateUserProfile", { IamUserArn: arn, SshUsername: "kept" });
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("Nothing was deleted").waitFor();
    await page.getByText("The SSH user name kept is free").waitFor();
    await expectAccessible(page);
    expect(await readProfile(arn)).toBeDefined();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("The user was deleted.").waitFor();
  });

  test("is offered to nobody of themselves, and refused", async () => {
    const page = await as("cleaner");
    await page.goto(profileOf(userArn("cleaner")));
    expect(await page.getByRole("link", { name: /Delete/ }).count()).toBe(0);
    await page.goto(`${stack.url}/console/users/delete?user=${encodeURIComponent(userArn("cleaner"))}`);
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("nobody deletes their own profile").waitFor();
  });
});

describe("a new user", () => {
  test("is a person of Identity Center or a federated user, by name, with IAM Policies Only everywhere", async () => {
    const page = await as("alice");
    await page.goto(`${stack.url}/console/users`);
    await page.getByRole("link", { name: "New user" }).click();
    await heading(page, "New user").waitFor();
    await expectAccessible(page);
    await page.getByLabel("Name or ARN").fill("june@example.com");
    await page.getByLabel("SSH public key (optional)").fill(sshKeys.ed25519);
    await page.getByLabel("Self-management").check();
    await page.getByRole("button", { name: "Add user" }).click();
    await page.getByText("was added, with IAM Policies Only on every stack").waitFor();
    const june = `arn:aws:sts::${ACCOUNT}:assumed-role/aws-reserved/sso.amazonaws.com/june@example.com`;
    expect(await readProfile(june)).toMatchObject({
      SshUsername: "juneexamplecom",
      SshPublicKey: sshKeys.ed25519,
      AllowSelfManagement: true,
    });
    await page.getByLabel("A federated user").check();
    await page.getByLabel("Name or ARN").fill("frida");
    await page.getByRole("button", { name: "Add user" }).click();
    await page.getByRole("link", { name: "frida" }).click();
    await page.getByText(`arn:aws:sts::${ACCOUNT}:federated-user/frida`).first().waitFor();
    await page.goto(`${stack.url}/console/stacks/${webshop}/permissions?search=frida`);
    expect((await cells(page, "frida"))[0]).toBe("IAM Policies Only");
  });

  test("that is there already, or cannot be, is refused beside the field, with what was filled in", async () => {
    const page = await as("alice");
    await page.goto(`${stack.url}/console/users/new`);
    for (const [who, said] of [
      [userArn("bob"), `User with ARN ${userArn("bob")} already exists`],
      [HOSTILE, "IamUserArn must be the ARN of an IAM user"],
    ] as const) {
      await page.getByLabel("Name or ARN").fill(who);
      await page.getByLabel("SSH user name (optional)").fill("somebody");
      await page.getByRole("button", { name: "Add user" }).click();
      await page.getByRole("alert").filter({ hasText: said }).waitFor();
      expect(await page.getByLabel("Name or ARN").inputValue()).toBe(who);
      expect(await page.getByLabel("SSH user name (optional)").inputValue()).toBe("somebody");
      await expectAccessible(page);
    }
  });
});

describe("who is gone from IAM", () => {
  test("and still holds something, is shown with what it is, and deleted from there", async () => {
    const page = await as("alice");
    await page.goto(`${stack.url}/console/users/orphans`);
    await page.getByText("Nobody who is gone from IAM holds anything here.").waitFor();
    await expectAccessible(page);
    await stack.grant(webshop, userArn(LONG), { Level: "show", AllowSsh: true });
    await stack.loseFromIam(userArn(LONG));
    await page.getByRole("link", { name: "Users", exact: true }).first().click();
    await page.getByRole("link", { name: "Gone from IAM" }).click();
    await page.getByRole("row", { name: new RegExp(`^${LONG}`) }).waitFor();
    expect(await names(page)).toEqual([LONG]);
    expect((await cells(page, LONG))[2]).toBe("webshop: Show, SSH/RDP");
    await expectAccessible(page);
    await page.getByRole("link", { name: `Delete ${LONG}` }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("The user was deleted.").waitFor();
    await page.goto(`${stack.url}/console/users/orphans`);
    await page.getByText("Nobody who is gone from IAM holds anything here.").waitFor();
  });

  test("is shown to whoever may ask, and no other", async () => {
    const page = await as("reader");
    await page.goto(`${stack.url}/console/users/orphans`);
    await page.getByText("is not authorized to perform: stackwarden:DescribeOrphans").waitFor();
  });
});

test("no page of these is wider than a phone", async () => {
  context = await browser.newContext({ viewport: { width: 360, height: 700 } });
  const page = await as("alice");
  const bob = `user=${encodeURIComponent(userArn(LONG))}`;
  await addUser(LONG).catch(() => undefined);
  for (const path of ["", "/new", "/import", "/orphans", `/profile?${bob}`, `/delete?${bob}`]) {
    await page.goto(`${stack.url}/console/users${path}`);
    expect([path, await page.evaluate("document.documentElement.scrollWidth")]).toEqual([path, 360]);
  }
});

async function formToken(page: Page): Promise<string> {
  return page.locator('input[name="form-token"]').first().inputValue();
}
