import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { keys } from "../../shared/table/keys.ts";
import { consoleToken, type Seen, Visitor } from "../setup/console-visitor.ts";
import {
  ACCOUNT,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const OWN = policy("Allow", ["opsworks:DescribeMyUserProfile", "opsworks:UpdateMyUserProfile"]);
const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

let stack: TestStack;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("alice")], directWrites: true });
  await importPeople();
  await stack.addStack("webshop");
});
afterAll(() => stack.close());
afterEach(() => {
  expect(stack.faults).toEqual([]);
  stack.obstruct();
});

const importPeople = () =>
  stack.importAccount({
    UserDetailList: ["bob", "mallory"].map((name) => iamUser(name, { policies: { own: OWN } })),
    RoleDetailList: [iamRole("pipeline", { policies: { own: OWN } })],
  });

const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");
const titleOf = ({ body }: Seen) => /<title>(.*) · Stackwarden<\/title>/.exec(body)?.[1];
const signedIn = async (as = stack.asUser("bob")) => {
  const visitor = new Visitor(stack);
  expect(await visitor.signIn(as)).toMatchObject({ status: 303 });
  return visitor;
};
const idOf = ({ cookie }: Visitor) => cookie.slice(cookie.indexOf("=") + 1);
const expectOver = async (visitor: Visitor) => {
  const seen = await visitor.get("/console");
  expect([seen.status, titleOf(seen)]).toEqual([401, "Sign in to go on"]);
};

describe("a token", () => {
  test("is kept as its hash alone, for a minute", async () => {
    const before = Math.floor(Date.now() / 1000);
    const token = await consoleToken(stack, stack.asUser("bob"));
    const item = await stack.read(keys.signInToken(hashOf(token)));
    expect(item).toMatchObject({ CallerArn: userArn("bob"), UserId: "AIDABOB" });
    expect(item.ExpiresAt - before - 60).toBeLessThan(30);
    expect(JSON.stringify(item)).not.toContain(token);
  });

  test("signs nobody in when its minute is over, though the table has it still", async () => {
    const token = await consoleToken(stack, stack.asUser("bob"));
    const item = await stack.read(keys.signInToken(hashOf(token)));
    await stack.put({ ...item, ExpiresAt: Math.floor(Date.now() / 1000) - 1 });
    const visitor = new Visitor(stack);
    expect((await visitor.send("/console/sign-in", { token })).status).toBe(403);
    expect((await visitor.signInBy(token)).status).toBe(403);
    expect(visitor.cookie).toBe("");
  });

  test("makes one session, however many ask at once", async () => {
    const token = await consoleToken(stack, stack.asUser("bob"));
    const answers = await Promise.all(Array.from({ length: 5 }, () => new Visitor(stack).signInBy(token)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 403, 403, 403, 403]);
  });

  test("is looked at without being used", async () => {
    const token = await consoleToken(stack, stack.asUser("bob"));
    const visitor = new Visitor(stack);
    for (const _ of [1, 2]) {
      const { status, body } = await visitor.send("/console/sign-in", { token });
      expect([status, body.includes(userArn("bob"))]).toEqual([200, true]);
    }
    expect((await visitor.signInBy(token)).status).toBe(303);
  });

  test("is made for nobody whom another Lambda names, even where these may write", async () => {
    const event = { caller: userArn("bob"), userId: "AIDABOB", input: {} };
    await expect(stack.invoke("CreateConsoleToken", event)).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
  });

  test("is made for nobody who signs nothing", async () => {
    const response = await fetch(`${stack.url}/CreateConsoleToken`, { method: "POST", body: "{}" });
    expect(response.status).toBe(403);
  });
});

describe("a session", () => {
  test("is kept as the hash of its id alone, for an hour", async () => {
    const visitor = await signedIn();
    const item = await stack.read(keys.consoleSession(hashOf(idOf(visitor))));
    expect(item).toMatchObject({ CallerArn: userArn("bob"), UserId: "AIDABOB" });
    expect(Math.abs(item.ExpiresAt - Date.now() / 1000 - 3600)).toBeLessThan(30);
    expect(JSON.stringify(item)).not.toContain(idOf(visitor));
  });

  test("is over after its hour, however much it was used, though the table has it still", async () => {
    const visitor = await signedIn();
    const item = await stack.read(keys.consoleSession(hashOf(idOf(visitor))));
    expect((await visitor.get("/console")).status).toBe(200);
    expect(await stack.read(keys.consoleSession(hashOf(idOf(visitor))))).toEqual(item);
    await stack.put({ ...item, ExpiresAt: Math.floor(Date.now() / 1000) - 1 });
    await expectOver(visitor);
  });

  test("is over when its user is deleted, also for whoever is made again under the name", async () => {
    const visitor = await signedIn();
    await stack.post(stack.asUser("alice"), "/DeleteUserProfile", { IamUserArn: userArn("bob") });
    await expectOver(visitor);
    await stack.post(stack.asUser("alice"), "/CreateUserProfile", { IamUserArn: userArn("bob") });
    await expectOver(visitor);
    expect((await (await signedIn()).get("/console")).status).toBe(200);
  });

  test("is over when IAM has another user under the name", async () => {
    const visitor = await signedIn(stack.asUser("mallory"));
    await stack.importAccount({ UserDetailList: [iamUser("mallory", { id: "AIDAANOTHER" })] });
    await expectOver(visitor);
    await importPeople();
  });

  test("is over when an import finds that IAM no longer has the user", async () => {
    const visitor = await signedIn(stack.asUser("mallory"));
    await stack.loseFromIam(userArn("mallory"), new Date(Date.now() + 1).toISOString());
    await expectOver(visitor);
    await importPeople();
  });

  test("of somebody without a profile, an administrator say, is theirs until they get one", async () => {
    const visitor = await signedIn(stack.asUser("alice"));
    expect(await visitor.get("/console")).toMatchObject({ status: 200, body: /webshop/ });
    await stack.post(stack.asRoot(), "/CreateUserProfile", { IamUserArn: userArn("alice") });
    await expectOver(visitor);
    expect((await (await signedIn(stack.asUser("alice"))).get("/console")).status).toBe(200);
    await stack.post(stack.asRoot(), "/DeleteUserProfile", { IamUserArn: userArn("alice") });
  });

  test("is for everybody who can sign a request: roles, federated users, the account root", async () => {
    for (const as of [stack.asRole("pipeline", "run-7"), stack.asFederated("fay"), stack.asRoot()]) {
      const visitor = await signedIn(as);
      expect(await visitor.get("/console")).toMatchObject({ status: 200, body: /webshop/ });
      expect(await visitor.get("/console")).toMatchObject({ status: 200 });
    }
  });

  test("is left from a page of an earlier one, too, and when it is over already", async () => {
    const visitor = await signedIn();
    const earlier = { "form-token": await visitor.formToken() };
    await visitor.signIn(stack.asUser("bob"));
    expect(titleOf(await visitor.send("/console/sign-out", earlier))).toBe("You are signed out");
    await expectOver(visitor);
    expect(titleOf(await visitor.send("/console/sign-out", earlier))).toBe("You are signed out");
  });

  test("answers for its own user, whatever a request claims", async () => {
    const visitor = await signedIn();
    const root = `arn:aws:iam::${ACCOUNT}:root`;
    const forged = JSON.stringify({ authorizer: { iam: { userArn: root, userId: ACCOUNT } } });
    const { body } = await visitor.get(`/console/my-settings?CallerArn=${root}&caller=${root}`, {
      authorization: "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/execute-api/aws4_request",
      requestcontext: forged,
      "x-amzn-request-context": forged,
    });
    expect(body).toContain(userArn("bob"));
    expect(body).not.toContain(`Signed in as ${root}`);
    await visitor.send("/console/my-settings", {
      "form-token": await visitor.formToken(),
      SshPublicKey: KEY,
      IamUserArn: userArn("mallory"),
      CallerArn: root,
    });
    expect((await stack.read(keys.user(userArn("mallory")))).SshPublicKey).toBeUndefined();
    expect((await stack.read(keys.user(userArn("bob")))).SshPublicKey).toBe(KEY);
  });

  test("is none that a Lambda makes up: pages are served to the gateway alone", async () => {
    const visitor = await signedIn();
    const event = {
      rawPath: "/console",
      rawQueryString: "",
      headers: {},
      cookies: [visitor.cookie],
      isBase64Encoded: false,
      requestContext: { requestId: "1", http: { method: "GET", sourceIp: "10.0.0.1" } },
    };
    await expect(stack.invoke("Console", event)).rejects.toThrow("over API Gateway alone");
  });

  test("leaves the same event as the signed request, with the browser's address decided upon", async () => {
    const visitor = await signedIn();
    await visitor.send("/console/my-settings", { "form-token": await visitor.formToken(), SshPublicKey: "" });
    const event = (await stack.eventsAboutUser(userArn("bob"))).at(-1);
    expect(event).toMatchObject({ Operation: "UpdateMyUserProfile", Caller: userArn("bob") });
    await stack.importAccount({
      UserDetailList: [
        iamUser("bob", {
          policies: {
            own: OWN,
            office: policy("Deny", "*", "*", {
              Condition: { NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
            }),
          },
        }),
      ],
    });
    const { status, body } = await visitor.get("/console/my-settings");
    expect([status, body.includes("office")]).toEqual([403, true]);
    await importPeople();
  });
});

describe("a form changes nothing when", () => {
  const SAVE = "/console/my-settings";
  let tokenOfAnother: string;
  beforeAll(async () => {
    tokenOfAnother = await (await signedIn()).formToken();
  });

  const refusedBy: [string, (form: Record<string, string>, visitor: Visitor) => Promise<Seen>][] = [
    ["the browser says no origin", (form, visitor) => visitor.send(SAVE, form, { origin: undefined })],
    ["its origin is opaque", (form, visitor) => visitor.send(SAVE, form, { origin: "null" })],
    [
      "its origin is another",
      (form, visitor) => visitor.send(SAVE, form, { origin: "https://evil.example" }),
    ],
    [
      "its origin begins as ours",
      (form, visitor) => visitor.send(SAVE, form, { origin: `${stack.url}.evil.example` }),
    ],
    [
      "its origin is ours on another port",
      (form, visitor) => visitor.send(SAVE, form, { origin: "http://127.0.0.1:1" }),
    ],
    [
      "the browser says it comes from elsewhere",
      (form, visitor) => visitor.send(SAVE, form, { "sec-fetch-site": "cross-site" }),
    ],
    [
      "the browser says it comes from a neighbour",
      (form, visitor) => visitor.send(SAVE, form, { "sec-fetch-site": "same-site" }),
    ],
    ["it has no token", ({ SshPublicKey = "" }, visitor) => visitor.send(SAVE, { SshPublicKey })],
    ["its token is wrong", (form, visitor) => visitor.send(SAVE, { ...form, "form-token": "A".repeat(43) })],
    [
      "its token is of another session",
      (form, visitor) => visitor.send(SAVE, { ...form, "form-token": tokenOfAnother }),
    ],
    ["it is no form", (form, visitor) => visitor.send(SAVE, form, { "content-type": "text/plain" })],
  ];
  test.for(refusedBy)("%s", async ([, send]) => {
    const visitor = await signedIn();
    const form = { "form-token": await visitor.formToken(), SshPublicKey: KEY };
    const before = await stack.read(keys.user(userArn("bob")));
    stack.sent.length = 0;
    expect((await send(form, visitor)).status).toBe(403);
    expect(stack.writes()).toEqual([]);
    expect(await stack.read(keys.user(userArn("bob")))).toEqual(before);
  });

  test("there is no session, and it can be sent after signing in again", async () => {
    const lost = new Visitor(stack);
    const form = { "form-token": "of an earlier session", SshPublicKey: KEY };
    const { status, body } = await lost.send(SAVE, form);
    expect(status).toBe(401);
    expect(body).toContain(`name="SshPublicKey" value="${KEY}"`);
    expect(body).not.toContain("of an earlier session");

    const visitor = await signedIn();
    const again = await visitor.send(SAVE, { SshPublicKey: KEY });
    expect([again.status, titleOf(again)]).toEqual([403, "Send it again?"]);
    expect((await stack.read(keys.user(userArn("bob")))).SshPublicKey).toBeUndefined();
    const token = /name="form-token" value="([^"]+)"/.exec(again.body)?.[1] ?? "";
    expect((await visitor.send(SAVE, { "form-token": token, SshPublicKey: KEY })).status).toBe(303);
    expect((await stack.read(keys.user(userArn("bob")))).SshPublicKey).toBe(KEY);
  });

  test("it signs somebody in, from elsewhere", async () => {
    const token = await consoleToken(stack, stack.asUser("mallory"));
    for (const path of ["/console/sign-in", "/console/sign-in/confirm"]) {
      const seen = await new Visitor(stack).send(path, { token }, { origin: "https://evil.example" });
      expect([seen.status, seen.cookies]).toEqual([403, []]);
    }
  });
});

describe("what a browser is told", () => {
  test("about every page: nothing from elsewhere, in nobody's frame, kept nowhere", async () => {
    const visitor = await signedIn();
    const form = { "form-token": await visitor.formToken(), SshPublicKey: "" };
    const answers = [
      await new Visitor(stack).get("/console"),
      await new Visitor(stack).get("/console", { "sec-fetch-site": "cross-site" }),
      await visitor.get("/console"),
      await visitor.get("/console/sign-in"),
      await visitor.get("/console/nowhere"),
      await visitor.get("/console/assets/0-style.css"),
      await visitor.get("/console/stacks/none/permissions"),
      await visitor.send("/console/my-settings", form),
      await visitor.send("/console/my-settings", form, { origin: undefined }),
      await visitor.send("/console/users", form),
      await visitor.send("/console/sign-in", { token: "x" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([
      401, 200, 200, 200, 404, 404, 400, 303, 403, 405, 403,
    ]);
    for (const { headers } of answers) {
      expect(Object.fromEntries(headers)).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": expect.stringContaining("camera=()"),
        "referrer-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      });
    }
  });

  test("about what every page shares: kept for ever under a name of its own", async () => {
    const { body } = await new Visitor(stack).get("/console");
    const paths = [...body.matchAll(/(?:href|src)="(\/console\/assets\/[^"]+)"/g)].map(
      ([, path = ""]) => path,
    );
    expect(new Set(paths).size).toBe(3);
    for (const path of paths) {
      const asset = await new Visitor(stack).get(path);
      expect(asset.status).toBe(200);
      expect(asset.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
      expect(asset.headers.get("x-content-type-options")).toBe("nosniff");
      expect(asset.cookies).toEqual([]);
      if (path.endsWith(".js")) expect(asset.body.length).toBeLessThan(30_000);
    }
  });

  test("about its session: a cookie of this host alone, for pages of this site alone", async () => {
    const { cookies } = await new Visitor(stack).signIn(stack.asUser("bob"));
    expect(cookies).toEqual([
      expect.stringMatching(
        /^__Host-stackwarden=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=3(?:600|59\d)$/,
      ),
      expect.stringMatching(/^__Host-stackwarden-return=; .*Max-Age=0$/),
    ]);
  });

  test("of where to go on: a page of the console, whatever a cookie says", async () => {
    for (const place of [
      "//evil.example",
      "/console//evil.example",
      "/console/../CreateStack",
      "/consolex",
      "/console/sign-out",
      "/console\r\nx: y",
      "%",
    ]) {
      const visitor = new Visitor(stack);
      visitor.cookie = `__Host-stackwarden-return=${encodeURIComponent(place)}`;
      expect((await visitor.signIn(stack.asUser("bob"))).headers.get("location")).toBe("/console");
    }
  });

  test("of methods that there are none of", async () => {
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const { status } = await fetch(`${stack.url}/console/my-settings`, { method });
      expect(status).toBe(405);
    }
  });
});

test("a table that fails is no session and no page, and the visitor gets an id to ask about", async () => {
  const visitor = await signedIn();
  stack.obstruct(() => Promise.reject(new Error("secret detail")));
  const { status, body } = await visitor.get("/console");
  expect(status).toBe(500);
  expect(body).toMatch(/<code>[0-9a-f-]{36}<\/code>/);
  expect(body).not.toContain("secret detail");
});

test("the log has a line for every page, with who asked and no secret", async () => {
  const token = await consoleToken(stack, stack.asUser("bob"));
  const lines: string[] = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  process.env.LOG_LEVEL = "info";
  const visitor = new Visitor(stack);
  try {
    await visitor.send("/console/sign-in", { token });
    await visitor.signInBy(token);
    await visitor.get("/console/my-settings");
    await visitor.send("/console/my-settings", { SshPublicKey: KEY }, { origin: "https://evil.example" });
  } finally {
    process.env.LOG_LEVEL = "silent";
    write.mockRestore();
  }
  const logged = lines.map((line) => JSON.parse(line));
  expect(
    logged.filter(({ operation }) => operation === "Console").map(({ caller, status }) => [caller, status]),
  ).toEqual([
    [undefined, 200],
    [userArn("bob"), 303],
    [userArn("bob"), 200],
    [undefined, 403],
  ]);
  expect(logged.map(({ operation }) => operation)).toContain("DescribeMyUserProfile");
  for (const secret of [token, idOf(visitor), KEY]) expect(lines.join("")).not.toContain(secret);
});
