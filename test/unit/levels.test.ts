import { describe, expect, test, vi } from "vitest";
import { actionOf } from "../../shared/iam/action.ts";
import actions from "../../shared/decision/actions.json" with { type: "json" };
import { decide } from "../../shared/decision/decide.ts";
import {
  actionNames,
  actionsOnStack,
  isOpsWorksAction,
  levelMeets,
  needsSsh,
  requirementOf,
} from "../../shared/decision/levels.ts";
import { OPERATIONS } from "../../shared/contract/index.ts";
import { Context } from "../../shared/iam/context.ts";
import { readRequest } from "../../shared/iam/request.ts";
import { Level } from "../../shared/model/level.ts";
import guide from "./data/user-guide-levels.json" with { type: "json" };

const STACK = "arn:aws:opsworks:us-east-1:123456789012:stack/2f18b4cb-4de5-4429-a149-ff7da9f0d8ee/";

const PLACE = { partition: "aws", region: "us-east-1", accountId: "123456789012" };
/** What an operation may be about. */
const ANYTHING = {
  StackId: "2f18b4cb-4de5-4429-a149-ff7da9f0d8ee",
  SourceStackId: "2f18b4cb-4de5-4429-a149-ff7da9f0d8ee",
  LayerId: "2f18b4cb-4de5-4429-a149-ff7da9f0d8ee",
  InstanceId: "2f18b4cb-4de5-4429-a149-ff7da9f0d8ee",
  Tags: {},
  TagKeys: [],
  ResourceArn: { ...PLACE, tagged: { stackId: "2f18b4cb-4de5-4429-a149-ff7da9f0d8ee" } },
};

/** Where the User Guide is silent, or is not followed. */
const DECIDED = {
  DeregisterEcsCluster: "manage",
  DescribeStackProvisioningParameters: "manage",
  GrantAccess: "show",
  ListTags: "policy",
  RegisterEcsCluster: "manage",
  TagResource: "policy",
  UnassignInstance: "manage",
  UntagResource: "policy",
} as const;

/** Of every action the requirement as the User Guide lists it, or as it was decided. */
const expected = new Map<string, string>([
  ...(["show", "deploy", "manage", "policy", "self"] as const).flatMap((requirement) =>
    guide[requirement].map((action) => [action, requirement] as const),
  ),
  ...Object.entries(DECIDED),
]);

/** The levels that allow what takes this. */
const ALLOWING: Readonly<Record<string, readonly Level[]>> = {
  show: ["show", "deploy", "manage"],
  deploy: ["deploy", "manage"],
  manage: ["manage"],
  policy: [],
  self: [],
};

function allowsOnStack(action: string, level: Level): boolean {
  const grant = { stackArn: STACK, level };
  const facts = {
    accountOwner: false,
    grant,
    allowSsh: true,
    policies: [],
    unreadable: [],
    selfManagement: false,
  };
  return decide(facts, readRequest(`opsworks:${action}`, STACK, new Context([]))).decision === "allowed";
}

describe("the level table", () => {
  test("has the 74 actions of OpsWorks and no other of that service", () => {
    const known = Object.keys(actions).filter((action) => action.startsWith("opsworks:"));
    expect(known.toSorted()).toEqual([...expected.keys()].map((action) => `opsworks:${action}`).toSorted());
    expect(known).toHaveLength(74);
  });

  test("decides by itself only what the User Guide leaves out, and who may be granted access", () => {
    expect(Object.keys(DECIDED).toSorted()).toEqual([...guide.unlisted, "GrantAccess"].toSorted());
  });

  describe.each([...expected])("%s takes %s", (action, requirement) => {
    test.each(Level.options)("at level %s", (level) => {
      const allowed = ALLOWING[requirement]?.includes(level);
      expect(levelMeets(level, requirementOf(actionOf(`opsworks:${action}`)))).toBe(allowed);
      expect(allowsOnStack(action, level)).toBe(allowed);
    });
  });

  test("a level allows nothing that the catalogue does not know", () => {
    for (const action of [
      "opsworks:launchrocket",
      "opsworks:",
      "s3:getobject",
      "",
      "constructor",
      "__proto__",
      `opsworks:${"x".repeat(200)}`,
    ]) {
      expect(requirementOf(actionOf(action))).toBe("policy");
      for (const level of Level.options)
        expect(levelMeets(level, requirementOf(actionOf(action)))).toBe(false);
    }
  });

  test.each([
    ["CreateLayer", true],
    ["createlayer", true],
    ["GrantAccess", true],
    ["CheckAuthorization", false],
    ["LaunchRocket", false],
    ["", false],
  ])("knows whether OpsWorks had an action: %s", (name, had) => {
    expect(isOpsWorksAction(name)).toBe(had);
  });

  test("knows which actions are asked of the account, and so of no stack", () => {
    const onStack = new Set(actionsOnStack());
    expect(
      actionNames()
        .filter((name) => !onStack.has(name))
        .toSorted(),
    ).toEqual([
      "opsworks:CreateStack",
      "opsworks:CreateUserProfile",
      "opsworks:DeleteUserProfile",
      "opsworks:DescribeMyUserProfile",
      "opsworks:DescribeUserProfiles",
      "opsworks:UpdateMyUserProfile",
      "opsworks:UpdateUserProfile",
      "stackwarden:DescribeImport",
      "stackwarden:DescribeOrphans",
      "stackwarden:ImportUsers",
    ]);
    for (const operation of OPERATIONS) {
      const { name } = operation;
      const need = operation.needs({ ...ANYTHING } as never, PLACE);
      if (!need) continue;
      const isOnStack = [need.stackId, need.layerId, need.instanceId].some((id) => id !== undefined);
      expect([name, onStack.has(need.action)]).toEqual([name, isOnStack]);
    }
  });

  test("is not loaded with a requirement that is none", async () => {
    vi.resetModules();
    vi.doMock("../../shared/decision/actions.json", () => ({ default: { "opsworks:CreateApp": "rule" } }));
    await expect(import("../../shared/decision/levels.ts")).rejects.toThrow(
      "actions.json: `rule` is no requirement",
    );
    vi.doUnmock("../../shared/decision/actions.json");
  });

  test("says nothing of an action that was asked about before it was loaded", async () => {
    vi.resetModules();
    const action = await import("../../shared/iam/action.ts");
    const asked = action.actionOf("s3:GetObject");
    const levels = await import("../../shared/decision/levels.ts");
    expect(levels.requirementOf(asked)).toBe("policy");
    expect(levels.requirementOf(action.actionOf("opsworks:CreateApp"))).toBe("manage");
  });

  test("only GrantAccess is instance access", () => {
    const known = Object.keys(actions).map((action) => action.toLowerCase());
    expect(known.filter(needsSsh)).toEqual(["opsworks:grantaccess"]);
  });
});
