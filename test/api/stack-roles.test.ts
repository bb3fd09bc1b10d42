import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type IamEndpoint, startIamEndpoint } from "../../infra/local/iam-endpoint.ts";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import { importWith, seamOf } from "../setup/import-job.ts";
import {
  ACCOUNT,
  iamRole,
  iamUser,
  INSTANCE_PROFILE,
  openTestStack,
  policy,
  REGION,
  roleArn,
  type Sent,
  SERVICE_ROLE,
  sessionArn,
  stackRoles,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const profileArn = (name: string) => `arn:aws:iam::${ACCOUNT}:instance-profile/${name}`;
const pass = (Resource: string | string[], service: string) =>
  policy("Allow", "iam:PassRole", "*", {
    Resource,
    Condition: { StringEquals: { "iam:PassedToService": service } },
  });
const EC2_ROLE = roleArn("aws-opsworks-ec2-role");

const ROLES = [
  ...stackRoles(),
  iamRole("bare", { trusts: "ec2.amazonaws.com", InstanceProfileList: [{ Arn: profileArn("bare") }] }),
  iamRole("untrusted", {
    trusts: "lambda.amazonaws.com",
    InstanceProfileList: [{ Arn: profileArn("untrusted") }],
  }),
  iamRole("app", {
    trusts: "ec2.amazonaws.com",
    policies: {
      create: policy("Allow", "opsworks:*"),
      pass: pass(SERVICE_ROLE, "opsworks.amazonaws.com"),
    },
  }),
];

let stack: TestStack;
let iam: IamEndpoint;
let creator: Identity;

beforeAll(async () => {
  iam = await startIamEndpoint({});
  process.env.AWS_ENDPOINT_URL_IAM = iam.url;
  stack = await openTestStack();
  const create = policy("Allow", [
    "opsworks:CreateStack",
    "stackwarden:CheckStackRoles",
    "opsworks:UpdateStack",
  ]);
  await stack.importAccount({
    UserDetailList: [
      iamUser("creator", { policies: { create, pass: policy("Allow", "iam:PassRole") } }),
      iamUser("powerless", { policies: { create } }),
      iamUser("for-opsworks", { policies: { create, pass: pass("*", "opsworks.amazonaws.com") } }),
      iamUser("crossed", {
        policies: {
          create,
          service: pass(SERVICE_ROLE, "ec2.amazonaws.com"),
          instance: pass(EC2_ROLE, "opsworks.amazonaws.com"),
        },
      }),
      iamUser("exact", {
        policies: {
          create,
          service: pass(SERVICE_ROLE, "opsworks.amazonaws.com"),
          instance: pass(EC2_ROLE, "ec2.amazonaws.com"),
        },
      }),
      iamUser("manager"),
      iamUser("updater", { policies: { own: policy("Allow", "opsworks:UpdateStack") } }),
    ],
    RoleDetailList: ROLES,
  });
  creator = stack.asUser("creator");
});
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL_IAM;
  await stack.close();
  await iam.close();
});
beforeEach(() => {
  stack.sent.length = 0;
  iam.calls.length = 0;
});
beforeEach(() => {
  iam.account = { RoleDetailList: ROLES };
  iam.before = () => undefined;
});

const create = (as: Identity, roles: { service?: string; profile?: string } = {}) =>
  stack.post(as, "/CreateStack", {
    Name: "webshop",
    Region: REGION,
    ServiceRoleArn: roles.service ?? SERVICE_ROLE,
    DefaultInstanceProfileArn: roles.profile ?? INSTANCE_PROFILE,
  });

describe("a stack is made", () => {
  test("with roles that can do, as IAM has them or, when it does not answer, as an import saw them", async () => {
    iam.account = { RoleDetailList: stackRoles() };
    expect(await create(creator)).toMatchObject({ status: 200, body: { StackId: expect.any(String) } });
    expect(iam.calls.length).toBeGreaterThan(0);
    iam.calls.length = 0;
    iam.before = () => "cut";
    expect(await create(creator)).toMatchObject({ status: 200, body: { StackId: expect.any(String) } });
    // Tried twice, and not again for the other role.
    expect(new Set(iam.calls.map(({ action }) => action))).toEqual(new Set(["GetRole"]));
  });

  test("with an instance profile that grants nothing yet, which is said", async () => {
    const { status, body } = await create(creator, { profile: profileArn("bare") });
    expect(status).toBe(200);
    expect(body.RoleGaps).toMatchObject([{ severity: "warning", code: "no-policy", Arn: roleArn("bare") }]);
  });

  test("with roles that IAM has and no import saw", async () => {
    iam.account = {
      RoleDetailList: [
        iamRole("fresh", { trusts: "opsworks.amazonaws.com", policies: { "a+b": policy("Allow", "ec2:*") } }),
        iamRole("fresh-ec2", {
          trusts: "ec2.amazonaws.com",
          AttachedManagedPolicies: [{ PolicyName: "S3", PolicyArn: "arn:aws:iam::aws:policy/S3" }],
          InstanceProfileList: [{ Arn: profileArn("fresh-ec2") }],
        }),
      ],
      Policies: [
        {
          Arn: "arn:aws:iam::aws:policy/S3",
          DefaultVersionId: "v3",
          PolicyVersionList: [{ VersionId: "v3", Document: policy("Allow", "s3:*") }],
        },
      ],
    };
    const reply = await create(creator, { service: roleArn("fresh"), profile: profileArn("fresh-ec2") });
    expect(reply).toMatchObject({ status: 200, body: { StackId: expect.any(String) } });
    expect(reply.body).not.toHaveProperty("RoleGaps");
  });

  test("with a role that was mended since the import", async () => {
    const mended = iamRole("untrusted", {
      trusts: "ec2.amazonaws.com",
      policies: { own: policy("Allow", "s3:*") },
      InstanceProfileList: [{ Arn: profileArn("untrusted") }],
    });
    iam.account = { RoleDetailList: [...stackRoles(), mended] };
    expect((await create(creator, { profile: profileArn("untrusted") })).status).toBe(200);
  });
});

describe("no stack is made", () => {
  const nothingWritten = () => expect(stack.writes()).toEqual([]);

  test("with roles that nobody has or that trust somebody else, all of it said at once", async () => {
    iam.account = {};
    const { status, body } = await create(creator, {
      service: roleArn("nobody"),
      profile: profileArn("untrusted"),
    });
    expect(status).toBe(400);
    expect(body.message).toBe(
      `${roleArn("nobody")}: IAM has no such role: make it, as infra/roles.yml does; ` +
        `${profileArn("untrusted")}: IAM has no such instance profile: make it, as infra/roles.yml does`,
    );
    nothingWritten();
  });

  test("with a role that does not trust the service, by what was imported when IAM does not answer", async () => {
    iam.before = () => "cut";
    const { status, body } = await create(creator, { service: EC2_ROLE, profile: profileArn("untrusted") });
    expect(status).toBe(400);
    expect(body.message).toContain(
      `${EC2_ROLE}: its trust policy does not let opsworks.amazonaws.com assume the role`,
    );
    expect(body.message).toContain(
      `${roleArn("untrusted")}: its trust policy does not let ec2.amazonaws.com assume the role`,
    );
    nothingWritten();
  });

  test.for(["cut", { status: 403, code: "AccessDenied", message: "no" }] as const)(
    "when neither IAM nor an import can be asked: %o",
    async (answer) => {
      iam.before = () => answer;
      const { status, body } = await create(creator, { service: roleArn("unknown") });
      expect([status, body.message]).toEqual([
        503,
        `neither IAM nor an import can be asked about ${roleArn("unknown")}, so nothing was done: try again, or import users first`,
      ]);
      nothingWritten();
    },
  );

  test.for([() => undefined, () => "cut" as const])(
    "with a role of the right name in another path, as IAM or an import has it: %#",
    async (before) => {
      iam.account = { RoleDetailList: stackRoles() };
      iam.before = before;
      const service = roleArn("other/aws-opsworks-service-role");
      expect((await create(creator, { service })).body.message).toContain(
        `${service}: IAM has no such role, but ${SERVICE_ROLE}: name that one`,
      );
      nothingWritten();
    },
  );

  test("with the path of another instance profile", async () => {
    const profile = profileArn("other/aws-opsworks-ec2-role");
    expect((await create(creator, { profile })).body.message).toContain(
      `${profile}: IAM has no such instance profile, but ${INSTANCE_PROFILE}: name that one`,
    );
    nothingWritten();
  });

  test("by who may not pass its roles, each of which is named", async () => {
    const refused = (role: string, who: string) =>
      `User: ${userArn(who)} is not authorized to perform: iam:PassRole on resource: ${role} (passed to ${role === SERVICE_ROLE ? "opsworks" : "ec2"}.amazonaws.com; default-deny: nothing allows it: only a policy can)`;
    for (const [who, roles] of [
      ["powerless", [SERVICE_ROLE, EC2_ROLE]],
      ["for-opsworks", [EC2_ROLE]],
      ["crossed", [SERVICE_ROLE, EC2_ROLE]],
    ] as const) {
      expect(await create(stack.asUser(who))).toMatchObject({
        status: 403,
        body: {
          __type: "AccessDeniedException",
          message: roles.map((role) => refused(role, who)).join("; "),
        },
      });
    }
    nothingWritten();
    expect((await create(stack.asUser("exact"))).status).toBe(200);
    expect((await create(stack.asRoot())).status).toBe(200);
  });
});

describe("whoever loses PassRole", () => {
  const all = policy("Allow", "opsworks:*");
  const importWith = (policies: Record<string, unknown>) =>
    stack.importAccount({ UserDetailList: [iamUser("loser", { policies })] });
  const isLast = ({ command, input }: Sent) =>
    command === "TransactWriteItems" &&
    input.TransactItems.some(
      ({ Put, Delete }: Wire) => Delete?.Key.sk === "CLONE" || Put?.Item.Shortname === "web",
    );
  afterEach(() => stack.obstruct());

  test.for(["/CreateLayer", "/CloneStack"])("before %s is tried again is asked again", async (path) => {
    const { body } = await create(creator);
    const inputs: Record<string, object> = {
      "/CreateLayer": {
        StackId: body.StackId,
        Type: "custom",
        Name: "web",
        Shortname: "web",
        CustomInstanceProfileArn: INSTANCE_PROFILE,
      },
      "/CloneStack": { SourceStackId: body.StackId, ServiceRoleArn: SERVICE_ROLE },
    };
    await importWith({ all, pass: policy("Allow", "iam:PassRole") });
    let tries = 0;
    stack.obstruct(async (request, pass) => {
      if (!isLast(request)) return pass();
      tries += 1;
      if (tries > 1) return pass();
      await importWith({ all });
      const CancellationReasons = [{ Code: "TransactionConflict" }];
      throw new TransactionCanceledException({ message: "conflict", $metadata: {}, CancellationReasons });
    });
    const refused = await stack.post(stack.asUser("loser"), path, inputs[path]);
    expect([refused.status, tries]).toEqual([403, 1]);
    expect(refused.body.message).toContain("is not authorized to perform: iam:PassRole on resource");
  });
});

describe("an application on an instance", () => {
  test("may create stacks with what its role may pass", async () => {
    const app = stack.asRole("app", "i-0123456789abcdef0");
    const { status, body } = await create(app);
    expect([status, body.message.split(" (")[0]]).toEqual([
      403,
      `User: ${sessionArn("app", "i-0123456789abcdef0")} is not authorized to perform: iam:PassRole on resource: ${EC2_ROLE}`,
    ]);
  });
});

describe("an instance profile is changed", () => {
  test("only to one that can do, by who may pass its role", async () => {
    const { body } = await create(creator);
    const StackId: string = body.StackId;
    const update = (as: Identity, DefaultInstanceProfileArn: string) =>
      stack.post(as, "/UpdateStack", { StackId, DefaultInstanceProfileArn });
    await stack.grant(StackId, userArn("manager"), { Level: "manage" });
    const manager = stack.asUser("manager");
    expect((await update(manager, profileArn("bare"))).status).toBe(403);
    expect((await update(manager, INSTANCE_PROFILE)).status).toBe(200);
    expect((await update(creator, profileArn("untrusted"))).status).toBe(400);
    expect((await stack.read(keys.stack(StackId))).DefaultInstanceProfileArn).toBe(INSTANCE_PROFILE);
    expect((await update(creator, profileArn("bare"))).body.RoleGaps).toHaveLength(1);
    expect((await stack.read(keys.stack(StackId))).DefaultInstanceProfileArn).toBe(profileArn("bare"));
  });
});

describe("what changes nothing about its roles is done, and says what they lack", () => {
  const UNTRUSTED = [
    { severity: "error", code: "not-trusted", Arn: SERVICE_ROLE },
    { severity: "warning", code: "no-policy", Arn: SERVICE_ROLE },
    { severity: "warning", code: "no-policy", Arn: roleArn("bare") },
  ];
  const drifted = iamRole("aws-opsworks-service-role", { trusts: "cloudformation.amazonaws.com" });
  let StackId: string;
  let LayerId: string;

  beforeAll(async () => {
    iam.account = { RoleDetailList: ROLES };
    StackId = (await create(creator, { profile: profileArn("bare") })).body.StackId;
    await stack.grant(StackId, userArn("manager"), { Level: "manage" });
    LayerId = (await addLayer("first")).body.LayerId;
  });
  const addLayer = (Shortname: string, rest: object = {}) =>
    stack.post(stack.asUser("manager"), "/CreateLayer", {
      StackId,
      Type: "custom",
      Name: "web",
      Shortname,
      ...rest,
    });
  const updateStack = (as = stack.asUser("manager")) =>
    stack.post(as, "/UpdateStack", { StackId, Name: "other" });
  const updateLayer = () => stack.post(stack.asUser("manager"), "/UpdateLayer", { LayerId, Name: "other" });

  test("UpdateStack, of its service role and its instance profile", async () => {
    iam.account = { RoleDetailList: [...ROLES.slice(1), drifted] };
    expect(await updateStack()).toMatchObject({ status: 200, body: { RoleGaps: UNTRUSTED } });
    iam.account = { RoleDetailList: ROLES };
    expect((await updateStack()).body.RoleGaps).toMatchObject(UNTRUSTED.slice(2));
  });

  test("CreateLayer and UpdateLayer, of the instance profile that applies", async () => {
    expect((await addLayer("second")).body.RoleGaps).toMatchObject(UNTRUSTED.slice(2));
    expect((await updateLayer()).body.RoleGaps).toMatchObject(UNTRUSTED.slice(2));
    iam.account = { RoleDetailList: stackRoles() };
    expect((await updateLayer()).body.RoleGaps).toMatchObject([
      { severity: "error", code: "no-such-instance-profile", Arn: profileArn("bare") },
    ]);
  });

  test("and what nobody can be asked about", async () => {
    const unknown = profileArn("unknown");
    await stack.put({ ...(await stack.read(keys.stack(StackId))), DefaultInstanceProfileArn: unknown });
    iam.before = () => "cut";
    const [ofStack, ofLayer] = [await updateStack(), await updateLayer()];
    expect([ofStack.status, ofLayer.status]).toEqual([200, 200]);
    expect([ofStack.body, ofLayer.body]).toEqual([{ NotKnown: [unknown] }, { NotKnown: [unknown] }]);
    expect((await stack.read(keys.stack(StackId))).Name).toBe("other");
    iam.before = () => undefined;
    await stack.put({
      ...(await stack.read(keys.stack(StackId))),
      DefaultInstanceProfileArn: profileArn("bare"),
    });
  });

  test("but to nobody who may not check them", async () => {
    const { body, status } = await updateStack(stack.asUser("updater"));
    expect([status, body]).toEqual([200, {}]);
  });
});

describe("CheckStackRoles", () => {
  test("says every gap, with what would mend it", async () => {
    const { body } = await create(creator, { profile: profileArn("bare") });
    const { StackId } = body;
    const check = (as: Identity) => stack.post(as, "/CheckStackRoles", { StackId });
    expect((await check(creator)).body).toEqual({
      StackId,
      RoleGaps: [expect.objectContaining({ code: "no-policy" })],
    });

    // The trust relationship of the service role was changed, and an import saw it.
    const drifted = iamRole("aws-opsworks-service-role", { trusts: "cloudformation.amazonaws.com" });
    await stack.importAccount({ RoleDetailList: [drifted] });
    iam.account = { RoleDetailList: [...ROLES.slice(1), drifted] };
    expect((await check(creator)).body.RoleGaps).toMatchObject([
      {
        severity: "error",
        code: "not-trusted",
        Arn: SERVICE_ROLE,
        policy: "trust policy",
        mend: { Statement: [{ Principal: { Service: "opsworks.amazonaws.com" } }] },
      },
      { severity: "warning", code: "no-policy", Arn: SERVICE_ROLE },
      { severity: "warning", code: "no-policy", Arn: roleArn("bare") },
    ]);
    await stack.importAccount({ RoleDetailList: stackRoles() });
  });

  test("takes Manage or a policy", async () => {
    const { body } = await create(creator);
    const check = () => stack.post(stack.asUser("manager"), "/CheckStackRoles", { StackId: body.StackId });
    await stack.grant(body.StackId, userArn("manager"), { Level: "deploy" });
    expect((await check()).status).toBe(403);
    await stack.grant(body.StackId, userArn("manager"), { Level: "manage" });
    expect((await check()).status).toBe(200);
  });
});

describe("an import", () => {
  const importNow = async (request: { OnlyKnown?: boolean } = {}) => {
    await importWith(seamOf(stack.ownTable, iam.url), request);
    return (await stack.post(stack.asRoot(), "/DescribeImport", {})).body;
  };
  const gapsOf = async (StackId: string) => {
    const { RoleGaps = [] } = await importNow();
    return RoleGaps.filter((gap: Wire) => gap.StackId === StackId);
  };
  const UserDetailList = [iamUser("manager")];

  test("reports every stack whose roles have drifted, until they are mended", async () => {
    iam.account = { UserDetailList, RoleDetailList: ROLES };
    const { StackId } = (await create(stack.asRoot())).body;
    expect(await gapsOf(StackId)).toEqual([]);
    const drifted = iamRole("aws-opsworks-service-role", { trusts: "cloudformation.amazonaws.com" });
    iam.account = { UserDetailList, RoleDetailList: [...ROLES.slice(1), drifted] };
    expect(await gapsOf(StackId)).toEqual([
      {
        StackId,
        code: "not-trusted",
        Arn: SERVICE_ROLE,
        message: "does not let opsworks.amazonaws.com assume the role, so it is no service role",
      },
    ]);
    iam.account = {
      UserDetailList,
      RoleDetailList: ROLES.filter(({ RoleName }) => !RoleName.startsWith("aws-opsworks")),
    };
    expect(await gapsOf(StackId)).toMatchObject([
      { code: "no-such-role", Arn: SERVICE_ROLE },
      { code: "profile-without-role", Arn: INSTANCE_PROFILE },
    ]);
    iam.account = { UserDetailList, RoleDetailList: ROLES };
    expect(await gapsOf(StackId)).toEqual([]);
  });

  test("of who is known makes no new role known, and says which were not looked into", async () => {
    const fresh = iamRole("fresh-service", {
      trusts: "opsworks.amazonaws.com",
      policies: { own: policy("Allow", "ec2:*") },
    });
    iam.account = { UserDetailList, RoleDetailList: [...ROLES, fresh] };
    const { StackId } = (await create(stack.asRoot(), { service: roleArn("fresh-service") })).body;
    const { NotUnderstood } = await importNow({ OnlyKnown: true });
    expect(NotUnderstood).toContain(
      `stack ${StackId}: ${roleArn("fresh-service")} is not imported, so import all users, or ask CheckStackRoles`,
    );
    expect(await stack.read(keys.user(roleArn("fresh-service")))).toBeUndefined();
    expect((await importNow()).NotUnderstood.join()).not.toContain("fresh-service");
  });
});
