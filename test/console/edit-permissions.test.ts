import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  cellsOf,
  expectAccessible,
  type Heard,
  listen,
  NOTHING_HEARD,
  openBrowser,
  signIn,
} from "../setup/browser.ts";
import { Visitor } from "../setup/console-visitor.ts";
import { iamUser, openTestStack, policy, type TestStack, userArn, type Wire } from "../setup/test-stack.ts";

const HOSTILE = `"><script>alert(1)</script><img/src=x/onerror=alert(2)>'&amp;`;
const MANY = Array.from({ length: 32 }, (_, index) => `many-${String(index).padStart(2, "0")}`);
const DENIED = ["opsworks:CreateLayer", "opsworks:DeleteLayer"];

let stack: TestStack;
let browser: Browser;
let context: BrowserContext;
let webshop: string;
/** What scripts of strangers would have shown, and what the browser complained of. */
let heard: Heard;

beforeAll(async () => {
  [stack, browser] = await Promise.all([
    openTestStack({ administrators: [userArn("alice")] }),
    openBrowser(),
  ]);
  const full = policy("Allow", ["opsworks:*", "stackwarden:*"]);
  await stack.importAccount({
    UserDetailList: [
      ...["alice", "carol", "dora", "bob", "eve", "sam", ...MANY].map((name) => iamUser(name)),
      iamUser("watcher", { policies: { look: policy("Allow", "opsworks:DescribePermissions") } }),
      iamUser("full", { policies: { full } }),
      iamUser("denied", { policies: { no: policy("Deny", DENIED) } }),
      iamUser("bounded", { PermissionsBoundary: { PermissionsBoundaryArn: "arn:aws:iam::aws:policy/look" } }),
      iamUser("member", { GroupList: ["ops"] }),
      { ...iamUser("hostile"), Arn: userArn(`${HOSTILE}/hostile`) },
    ],
    GroupDetailList: [{ GroupName: "ops" }],
    Policies: [
      {
        PolicyName: "look",
        Arn: "arn:aws:iam::aws:policy/look",
        DefaultVersionId: "v1",
        PolicyVersionList: [
          { VersionId: "v1", IsDefaultVersion: true, Document: policy("Allow", "opsworks:DescribeStacks") },
        ],
      },
    ],
  });
  await stack.addGroups("ops");
});
afterAll(async () => {
  await browser.close();
  await stack.close();
});
beforeEach(async () => {
  webshop = await stack.addStack("webshop");
  await stack.grant(webshop, userArn("carol"), { Level: "manage" });
  await stack.grant(webshop, userArn("dora"), { Level: "manage" });
  await stack.grant(webshop, userArn("sam"), { Level: "show" });
  heard = { dialogs: [], complaints: [] };
  context = await newContext();
});
afterEach(async () => {
  await context.close();
  stack.obstruct();
  expect(heard).toEqual(NOTHING_HEARD);
  expect(stack.faults).toEqual([]);
});

async function newContext(options: Parameters<Browser["newContext"]>[0] = {}): Promise<BrowserContext> {
  const made = await browser.newContext(options);
  listen(made, heard);
  return made;
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const permissionsPath = () => `/console/stacks/${webshop}/permissions`;
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name, exact: true });
const levelOf = (page: Page, name: string) => page.getByLabel(`Level of ${name}`, { exact: true });
const ssh = (page: Page, name: string) => page.getByLabel(`SSH/RDP of ${name}`, { exact: true });
const sudo = (page: Page, name: string) => page.getByLabel(`sudo/admin of ${name}`, { exact: true });
const cells = (page: Page, name: string) =>
  cellsOf(page.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) }));

/** The form, opened by hand. */
async function edit(as: string, search = "", where = context): Promise<Page> {
  const page = await signIn(where, stack, stack.asUser(as));
  await page.goto(`${stack.url}${permissionsPath()}?search=${search}`);
  await page.getByRole("link", { name: "Edit", exact: true }).click();
  await button(page, "Preview the changes").waitFor();
  return page;
}
async function preview(page: Page): Promise<void> {
  await button(page, "Preview the changes").click();
  await heading(page, "Preview: Permissions of webshop").waitFor();
}
async function save(page: Page): Promise<void> {
  await button(page, "Save").click();
  await page.getByText("The changes were saved, all of them.").waitFor();
}

/** What the table has, past every page. */
async function stored(name: string): Promise<Wire> {
  const input = { StackId: webshop, IamUserArn: userArn(name) };
  return (await stack.post(stack.asUser("alice"), "/DescribePermissions", input)).body.Permissions[0];
}
const NOTHING = { Level: "iam_only", AllowSsh: false, AllowSudo: false };

// OpsWorks User Guide, "Setting a User's Permissions".
describe("to set a user's permissions", () => {
  test("choose Permissions, choose Edit, change the level and the instance access, and save", async () => {
    const page = await signIn(context, stack, stack.asUser("carol"));
    await page.goto(`${stack.url}${permissionsPath()}`);
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    expect(await levelOf(page, "bob").locator("option").allInnerTexts()).toEqual([
      "Deny",
      "IAM Policies Only",
      "Show",
      "Deploy",
      "Manage",
    ]);
    await expectAccessible(page);
    await levelOf(page, "bob").selectOption({ label: "Deploy" });
    await ssh(page, "bob").check();
    await sudo(page, "bob").check();
    await levelOf(page, "eve").selectOption({ label: "Deny" });
    await page.getByLabel("Reason (optional)").fill("the new team");
    await page.getByText("2 changed", { exact: true }).waitFor();
    await preview(page);
    await expectAccessible(page);
    expect(await stored("bob")).toMatchObject(NOTHING);
    expect(await cells(page, "bob")).toEqual([
      "IAM Policies Only → becomes Deploy",
      "gains SSH/RDP gains sudo/admin",
      expect.stringMatching(/^\d+ actions$/),
      "nothing",
    ]);
    await save(page);
    await expectAccessible(page);
    expect(page.url()).not.toContain("edit");
    expect(await cells(page, "bob")).toEqual(["Deploy", "their own", "✓ SSH/RDP", "✓ sudo/admin"]);
    expect(await stored("bob")).toMatchObject({ Level: "deploy", AllowSsh: true, AllowSudo: true });
    expect(await stored("eve")).toMatchObject({ ...NOTHING, Level: "deny" });
    const events = await stack.eventsOfStack(webshop);
    expect(events).toHaveLength(2);
    for (const event of events)
      expect(event).toMatchObject({
        Operation: "SetPermissions",
        Caller: userArn("carol"),
        Reason: "the new team",
      });
  });

  test("it works without script, too, and there sudo/admin without SSH/RDP is refused and kept to be mended", async () => {
    const plain = await newContext({ javaScriptEnabled: false });
    const visitor = new Visitor(stack);
    await visitor.signIn(stack.asUser("carol"));
    const [name = "", value = ""] = visitor.cookie.split("=");
    await plain.addCookies([{ name, value, url: stack.url.replace("http:", "https:"), secure: true }]);
    const page = await plain.newPage();
    await page.goto(`${stack.url}${permissionsPath()}`);
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await levelOf(page, "eve").selectOption("show");
    await sudo(page, "bob").check();
    await button(page, "Preview the changes").click();
    await page.getByText("Nothing was saved yet").waitFor();
    expect(await page.getByRole("alert").innerText()).toContain("sudo/admin comes with SSH/RDP only");
    expect(await sudo(page, "bob").isChecked()).toBe(true);
    expect(await levelOf(page, "eve").inputValue()).toBe("show");
    await ssh(page, "bob").check();
    await preview(page);
    await save(page);
    expect(await stored("bob")).toMatchObject({ Level: "iam_only", AllowSsh: true, AllowSudo: true });
    expect(await stored("eve")).toMatchObject({ Level: "show" });
    await plain.close();
  });

  test("sudo/admin is selectable only with SSH/RDP, and goes with it", async () => {
    const page = await edit("carol", "bob");
    expect(await sudo(page, "bob").isDisabled()).toBe(true);
    await ssh(page, "bob").check();
    await sudo(page, "bob").check();
    await ssh(page, "bob").uncheck();
    expect(await sudo(page, "bob").isChecked()).toBe(false);
    expect(await sudo(page, "bob").isDisabled()).toBe(true);
  });

  test("it takes the keyboard alone", async () => {
    const page = await edit("carol", "bob");
    await levelOf(page, "bob").focus();
    for (const level of ["show", "deploy", "manage"]) {
      await page.keyboard.press("ArrowDown");
      expect(await levelOf(page, "bob").inputValue()).toBe(level);
    }
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.getByLabel("Reason (optional)").press("Enter");
    await heading(page, "Preview: Permissions of webshop").waitFor();
    await button(page, "Save").press("Enter");
    await page.getByText("The changes were saved").waitFor();
    expect(await stored("bob")).toMatchObject({ Level: "manage", AllowSsh: true, AllowSudo: true });
  });

  test("a group gets a level, too, and what is wrong about it is said beside it", async () => {
    const page = await edit("carol", "bob");
    await page.getByLabel("Name of another group").fill("nobody-knows");
    await page.getByLabel("Level of the other group").selectOption("deploy");
    await button(page, "Preview the changes").click();
    await page.getByRole("alert").getByText("Unable to find group").waitFor();
    expect(await page.locator(":focus").getAttribute("role")).toBe("alert");
    await expectAccessible(page);
    await page.getByRole("link", { name: "group nobody-knows" }).click();
    expect(await page.locator(":focus").getAttribute("id")).toBe("group.new");
    await page.getByLabel("Name of another group").fill("ops");
    await preview(page);
    expect((await cells(page, "member"))[0]).toBe("IAM Policies Only → becomes Deploy from group ops");
    await save(page);
    await page.getByRole("link", { name: "Edit", exact: true }).click();
    await page.getByLabel("Level of the group ops").selectOption("iam_only");
    await preview(page);
    expect((await cells(page, "member"))[3]).toMatch(/^\d+ actions$/);
    await save(page);
    expect(await stored("member")).not.toHaveProperty("LevelFrom");
  });
});

describe("a preview", () => {
  test("shows what everybody gains and loses, by level and policies together", async () => {
    await stack.grant(webshop, userArn("eve"), { Level: "manage" });
    const page = await edit("carol");
    for (const name of ["bob", "full", "denied", "bounded", "member"])
      await levelOf(page, name).selectOption("manage");
    await levelOf(page, "eve").selectOption("deploy");
    await preview(page);
    const [gains, loses] = [2, 3];
    const count = async (name: string, cell: number) =>
      Number(/^(\d+) actions$/.exec((await cells(page, name))[cell] ?? "")?.[1]);
    const all = await count("bob", gains);
    expect(all).toBeGreaterThan(50);
    expect((await cells(page, "full"))[gains]).toBe("nothing");
    expect(await count("denied", gains)).toBe(all - DENIED.length);
    expect((await cells(page, "bounded"))[gains]).toBe("DescribeStacks");
    expect(await count("member", gains)).toBe(all);
    expect((await cells(page, "eve"))[gains]).toBe("nothing");
    expect(await count("eve", loses)).toBeGreaterThan(20);
    const denied = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "denied" }) });
    await denied.locator("summary").click();
    const actions = await denied.getByRole("listitem").allInnerTexts();
    expect(actions).toContain("CreateInstance");
    expect(actions).not.toContain("CreateLayer");
    await expectAccessible(page);
  });

  test("leads back to the edits as they were, or to nothing changed", async () => {
    const page = await edit("carol", "bob");
    await levelOf(page, "bob").selectOption("deploy");
    await ssh(page, "bob").check();
    await page.getByLabel("Reason (optional)").fill("why not");
    await preview(page);
    await button(page, "Back to editing").click();
    expect(await levelOf(page, "bob").inputValue()).toBe("deploy");
    expect(await ssh(page, "bob").isChecked()).toBe(true);
    expect(await page.getByLabel("Reason (optional)").inputValue()).toBe("why not");
    await page.getByText("1 changed", { exact: true }).waitFor();
    await levelOf(page, "bob").selectOption("iam_only");
    await ssh(page, "bob").uncheck();
    await button(page, "Preview the changes").click();
    await page.getByText("Nothing is changed yet.").waitFor();
    await page.getByRole("link", { name: "Cancel" }).click();
    await heading(page, "Permissions of webshop").waitFor();
    expect(new URL(page.url()).search).toBe("?search=bob");
    expect(await stack.eventsOfStack(webshop)).toEqual([]);
  });

  test("tells no actions to who may not ask what others may do, and they may save all the same", async () => {
    await stack.importAccount({
      UserDetailList: [iamUser("opsworks-admin", { policies: { all: policy("Allow", "opsworks:*") } })],
    });
    const page = await edit("opsworks-admin", "bob");
    await levelOf(page, "bob").selectOption("show");
    await preview(page);
    expect((await cells(page, "bob")).slice(2)).toEqual(["not told", "not told"]);
    await save(page);
    expect(await stored("bob")).toMatchObject({ Level: "show" });
  });
});

describe("who may change what", () => {
  test("nobody changes their own level, which the page says and a request made by hand cannot do either", async () => {
    const page = await edit("carol", "carol");
    expect(await levelOf(page, "carol").count()).toBe(0);
    await page.getByText("Nobody changes their own level.").waitFor();
    await page.evaluate(`
      const level = document.createElement("input");
      [level.name, level.value] = ["user.0.level", "deploy"];
      document.querySelector("form[data-edit]").append(level);
    `);
    await button(page, "Preview the changes").click();
    await page.getByRole("alert").getByText("Unable to change own permission level").waitFor();
    await page.goto(`${stack.url}${permissionsPath()}?search=carol&edit=yes`);
    await ssh(page, "carol").check();
    await preview(page);
    await save(page);
    expect(await stored("carol")).toMatchObject({ Level: "manage", AllowSsh: true });
  });

  test("whoever may only look has no Edit, and is told why its address is none for them", async () => {
    const page = await signIn(context, stack, stack.asUser("watcher"));
    await page.goto(`${stack.url}${permissionsPath()}`);
    await heading(page, "Permissions of webshop")
      .or(heading(page, `Permissions of ${webshop}`))
      .waitFor();
    expect(await page.getByRole("link", { name: "Edit", exact: true }).count()).toBe(0);
    const answer = await page.goto(`${stack.url}${permissionsPath()}?edit=yes`);
    expect(answer?.status()).toBe(403);
    await page.getByText("You may look at these permissions and not change them").waitFor();
    await expectAccessible(page);
  });

  test("a Show user changes nothing: by page, by a replayed form, by another's token, by editing the request", async () => {
    const page = await signIn(context, stack, stack.asUser("sam"));
    for (const address of [permissionsPath(), `${permissionsPath()}?edit=yes`])
      expect((await page.goto(`${stack.url}${address}`))?.status()).toBe(403);

    const form = {
      "user.0": userArn("sam"),
      "user.0.version": (await stored("sam")).Version,
      "user.0.was": "show",
      "user.0.level": "manage",
      "user.1": userArn("bob"),
      "user.1.version": "none",
      "user.1.was": "iam_only",
      "user.1.level": "manage",
      "user.1.ssh": "yes",
    };
    const [sam, carol] = [new Visitor(stack), new Visitor(stack)];
    await sam.signIn(stack.asUser("sam"));
    await carol.signIn(stack.asUser("carol"));
    const attempts = [
      { token: await sam.formToken(), form },
      { token: await sam.formToken(), form: { ...form, "user.0.was": "manage" } },
      { token: await carol.formToken(), form },
      { token: "", form },
    ];
    for (const { token, form: sent } of attempts) {
      for (const step of ["preview", "save"]) {
        const { status, body } = await sam.send(permissionsPath(), { "form-token": token, ...sent, step });
        expect(status).toBe(403);
        expect(body).not.toContain("actions</summary>");
      }
    }
    expect(await stored("sam")).toMatchObject({ Level: "show" });
    expect(await stored("bob")).toMatchObject(NOTHING);
    expect(await stack.eventsOfStack(webshop)).toEqual([]);
  });

  test("a manager of one stack changes nothing on another by editing the address", async () => {
    const other = await stack.addStack("other");
    const carol = new Visitor(stack);
    await carol.signIn(stack.asUser("carol"));
    const form = {
      "form-token": await carol.formToken(),
      "user.0": userArn("bob"),
      "user.0.version": "none",
    };
    const set = { ...form, "user.0.was": "iam_only", "user.0.level": "manage", step: "save" };
    expect((await carol.send(`/console/stacks/${other}/permissions`, set)).status).toBe(403);
    expect((await carol.send(permissionsPath(), set)).status).toBe(303);
    expect(await stack.eventsOfStack(other)).toEqual([]);
  });

  test("what no page of ours would send is refused", async () => {
    const carol = new Visitor(stack);
    await carol.signIn(stack.asUser("carol"));
    const form = { "form-token": await carol.formToken(), "user.0": userArn("bob"), step: "save" };
    for (const [was, level] of [
      ["", "show"],
      ["iam_only", "boss"],
    ] as const) {
      const sent = { ...form, "user.0.version": "none", "user.0.was": was, "user.0.level": level };
      expect((await carol.send(permissionsPath(), sent)).status).toBe(400);
    }
    const sent = { ...form, "user.0.was": "iam_only", "user.0.level": "show" };
    expect((await carol.send(permissionsPath(), sent)).status).toBe(400);
    expect(await stored("bob")).toMatchObject(NOTHING);
  });
});

describe("somebody else's edit in between", () => {
  test("is shown beside one's own, which stays, and nothing is written over", async () => {
    const second = await newContext();
    const [mine, theirs] = [await edit("carol"), await edit("dora", "", second)];
    await levelOf(mine, "bob").selectOption("deploy");
    await levelOf(mine, "eve").selectOption("show");
    await preview(mine);
    await levelOf(theirs, "bob").selectOption("deny");
    await ssh(theirs, "bob").check();
    await preview(theirs);
    await save(theirs);

    await button(mine, "Save").click();
    await mine.getByText("Somebody else has changed this meanwhile").waitFor();
    await expectAccessible(mine);
    expect(await stored("eve")).toMatchObject(NOTHING);
    expect(await stored("bob")).toMatchObject({ Level: "deny", AllowSsh: true });
    await mine.getByText(/^dora \(.+\) set meanwhile: Deny with SSH\/RDP$/).waitFor();
    expect(await levelOf(mine, "bob").inputValue()).toBe("deploy");
    expect(await levelOf(mine, "eve").inputValue()).toBe("show");
    expect(await ssh(mine, "bob").isChecked()).toBe(true);

    await preview(mine);
    expect((await cells(mine, "bob"))[0]).toBe("Deny → becomes Deploy");
    await save(mine);
    expect(await stored("bob")).toMatchObject({ Level: "deploy", AllowSsh: true });
    expect(await stored("eve")).toMatchObject({ Level: "show" });
    await second.close();
  });

  test("of a group is shown, too", async () => {
    const page = await edit("carol", "bob");
    await page.getByLabel("Name of another group").fill("ops");
    await page.getByLabel("Level of the other group").selectOption("show");
    const other = { StackId: webshop, GroupName: "ops", Level: "deploy" };
    await stack.post(stack.asUser("alice"), "/SetPermission", other);
    await button(page, "Preview the changes").click();
    await page.getByText(/^alice \(.+\) set meanwhile: Deploy$/).waitFor();
    await preview(page);
    await save(page);
    await page.getByRole("row", { name: /^ops/ }).getByText("Show").waitFor();
  });

  test("and a group that is in the list already is changed in its own row", async () => {
    const ops = { StackId: webshop, GroupName: "ops", Level: "deploy" };
    await stack.post(stack.asUser("alice"), "/SetPermission", ops);
    const page = await edit("carol", "bob");
    await page.getByLabel("Name of another group").fill("OPS");
    await page.getByLabel("Level of the other group").selectOption("manage");
    await button(page, "Preview the changes").click();
    await page.getByText("Nothing was saved yet").waitFor();
    expect(await page.getByLabel("Level of the group ops").inputValue()).toBe("manage");
    expect(await page.getByLabel("Name of another group").inputValue()).toBe("");
    await preview(page);
    await save(page);
    await page.getByRole("row", { name: /^ops/ }).getByText("Manage").waitFor();
  });

  test("that deletes a user is said of that user", async () => {
    await stack.importAccount({ UserDetailList: [iamUser("short-lived")] });
    const page = await edit("carol", "short-lived");
    await levelOf(page, "short-lived").selectOption("show");
    const gone = { IamUserArn: userArn("short-lived") };
    await stack.post(stack.asUser("alice"), "/DeleteUserProfile", gone);
    await button(page, "Preview the changes").click();
    await page.getByRole("alert").getByText("Unable to find user").waitFor();
  });
});

describe("nothing that was filled in is lost", () => {
  test("when 31 users are changed, of which 30 fit", async () => {
    const page = await edit("carol", "many-");
    for (const name of MANY.slice(0, 31)) await levelOf(page, name).selectOption("show");
    await page.getByText("31 changed, of which at most 30 users fit in one save").waitFor();
    await button(page, "Preview the changes").click();
    await page.getByRole("alert").getByText("must name at most 30 users").waitFor();
    await page.getByRole("alert").getByText("changed here are 31 users and 0 groups").waitFor();
    for (const name of MANY.slice(0, 31)) expect(await levelOf(page, name).inputValue()).toBe("show");
    await levelOf(page, MANY[30] ?? "").selectOption("iam_only");
    await preview(page);
    await save(page);
    expect(await stack.eventsOfStack(webshop)).toHaveLength(30);
    expect(await stored("many-30")).toMatchObject(NOTHING);
  });

  test("when the session is over in the middle: after signing in again it is sent, when they say so", async () => {
    const page = await edit("carol", "bob");
    await levelOf(page, "bob").selectOption("deploy");
    await context.clearCookies();
    await button(page, "Preview the changes").click();
    await heading(page, "Sign in to go on").waitFor();
    await expectAccessible(page);
    await page.getByText("Nothing was changed yet.").waitFor();
    await signIn(context, stack, stack.asUser("carol"));
    await button(page, "I have signed in, send it").click();
    await heading(page, "Send it again?").waitFor();
    await button(page, "Send it as that user").click();
    await heading(page, "Preview: Permissions of webshop").waitFor();
    await save(page);
    expect(await stored("bob")).toMatchObject({ Level: "deploy" });
  });

  test("when the answer got lost: the same form, sent again, is done once and answered the same", async () => {
    const page = await edit("carol", "bob");
    await levelOf(page, "bob").selectOption("deploy");
    await preview(page);
    const form = await page
      .locator("form:has(button[value=save]) input")
      .evaluateAll((inputs) =>
        inputs.map((input) => [input.getAttribute("name") ?? "", input.getAttribute("value") ?? ""] as const),
      );
    const carol = new Visitor(stack);
    carol.cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    for (const _ of [1, 2])
      expect(
        (await carol.send(permissionsPath(), { ...Object.fromEntries(form), step: "save" })).status,
      ).toBe(303);
    expect(await stack.eventsOfStack(webshop)).toHaveLength(1);
  });

  test("when the table fails", async () => {
    const page = await edit("carol", "bob");
    await levelOf(page, "bob").selectOption("deploy");
    await preview(page);
    stack.obstruct(async (request, pass) => {
      if (request.command === "TransactWriteItems") throw new Error("no table today");
      return pass();
    });
    await button(page, "Save").click();
    await page.getByRole("alert").getByText("try again in a moment").waitFor();
    expect(await levelOf(page, "bob").inputValue()).toBe("deploy");
    stack.obstruct();
    await preview(page);
    await save(page);
    expect(await stored("bob")).toMatchObject({ Level: "deploy" });
  });
});

test("names that are markup stay names, in the form, the preview and what is wrong", async () => {
  const id = await stack.addStack(HOSTILE);
  await stack.grant(id, userArn("carol"), { Level: "manage" });
  webshop = id;
  const page = await edit("carol", "hostile");
  await heading(page, `Permissions of ${HOSTILE}`).waitFor();
  await levelOf(page, "hostile").selectOption("show");
  await page.getByLabel("Reason (optional)").fill(HOSTILE);
  await page.getByLabel("Name of another group").fill(HOSTILE);
  await button(page, "Preview the changes").click();
  await page.getByText("Nothing was saved yet").waitFor();
  await page.getByLabel("Name of another group").fill("");
  await button(page, "Preview the changes").click();
  await heading(page, `Preview: Permissions of ${HOSTILE}`).waitFor();
  await save(page);
  expect(await page.locator("main script, main img").count()).toBe(0);
});

test("only who is searched for is in the form, and the search stays", async () => {
  const page = await edit("carol", "many-1");
  expect(await page.getByRole("combobox", { name: /^Level of many-/ }).count()).toBe(10);
  expect(await levelOf(page, "bob").count()).toBe(0);
  await levelOf(page, "many-10").selectOption("show");
  await preview(page);
  await save(page);
  expect(await page.getByLabel("Search by name or ARN").inputValue()).toBe("many-1");
  await expectAccessible(page);
});
