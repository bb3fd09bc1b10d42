import actions from "../../shared/decision/actions.json" with { type: "json" };

/** What every engine is given: who may do what, and what is asked. No engine's own words. */
export type Workload = {
  readonly users: readonly User[];
  readonly questions: readonly Question[];
};

type Stack = { readonly arn: string; readonly tags: Readonly<Record<string, string>> };

export type Level = "deny" | "iam_only" | "show" | "deploy" | "manage";

export type User = {
  readonly arn: string;
  readonly levels: ReadonlyMap<string, Level>;
  readonly policies: readonly Policy[];
};

/** An IAM policy. Many users share one, by reference. */
export type Policy = { readonly name: string; readonly document: Document };

export type Document = { readonly Version: "2012-10-17"; readonly Statement: readonly Statement[] };

type Statement = {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Conditions;
};

type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export type Question = {
  readonly user: User;
  readonly action: string;
  readonly resource: string;
  /** The user's level on that stack, `iam_only` where there is none. */
  readonly level: Level;
  readonly context: Readonly<Record<string, string>>;
};

export type Size = {
  readonly users: number;
  readonly stacks: number;
  readonly questions: number;
  readonly seed: number;
};

const SHARED_POLICIES = 80;
const ACCOUNT = "arn:aws:opsworks:us-east-1:123456789012";
const ANY_STACK = "arn:aws:opsworks:*:*:stack/*/";

/** Actions on a stack, by the least level that includes them. */
const BY_REQUIREMENT = Map.groupBy(
  Object.entries(actions).filter(([action]) => isAboutStack(action)),
  ([, requirement]) => requirement,
);

/** Every action that is asked about, for engines that want a list instead of a wildcard. */
export const ACTIONS: readonly string[] = [...BY_REQUIREMENT.values()].flat().map(([action]) => action);

/** Those that a level includes. */
export function actionsOf(level: Level): readonly string[] {
  const levels = ["show", "deploy", "manage"];
  return levels.slice(0, levels.indexOf(level) + 1).flatMap(namesOf);
}

/** The same users, stacks, policies and questions for the same size and seed, on every machine. */
export function createWorkload({ users, stacks, questions, seed }: Size): Workload {
  const draw = new Draw(seed);
  const allStacks = Array.from({ length: stacks }, () => randomStack(draw));
  const shared = Array.from({ length: SHARED_POLICIES }, (_, index) =>
    randomPolicy(draw, `team-policy-${index}`, allStacks),
  );
  const allUsers = Array.from({ length: users }, (_, index) =>
    randomUser(draw, `user-${index}`, allStacks, shared),
  );
  const stackOf = new Map(allStacks.map((stack) => [stack.arn, stack]));
  const all = Array.from({ length: questions }, () => randomQuestion(draw, allUsers, stackOf));
  return { users: allUsers, questions: all };
}

function randomStack(draw: Draw): Stack {
  const id = [8, 4, 4, 4, 12].map((length) => draw.hex(length)).join("-");
  const env = draw.oneOf([
    [35, "production"],
    [25, "staging"],
    [30, "dev"],
    [10, undefined],
  ]);
  const team = draw.pick(["web", "data", "mobile", "platform"]);
  return { arn: `${ACCOUNT}:stack/${id}/`, tags: env === undefined ? { team } : { env, team } };
}

/** Half of all users see up to 4 stacks, few see 20. */
function randomUser(draw: Draw, name: string, stacks: readonly Stack[], shared: readonly Policy[]): User {
  const levels = new Map<string, Level>();
  const count = 1 + Math.floor(20 * draw.fraction() ** 2);
  while (levels.size < Math.min(count, stacks.length)) {
    levels.set(
      draw.pick(stacks).arn,
      draw.oneOf([
        [5, "deny"],
        [10, "iam_only"],
        [45, "show"],
        [25, "deploy"],
        [15, "manage"],
      ]),
    );
  }
  const own = [...levels.keys()].map((arn) => ({ arn, tags: {} }));
  const policies = Array.from(
    {
      length: draw.oneOf([
        [25, 0],
        [35, 1],
        [25, 2],
        [15, 3],
      ]),
    },
    (_, index) =>
      draw.chance(0.15)
        ? randomPolicy(draw, `${name}-inline-${index}`, own)
        : (shared[Math.floor(shared.length * draw.fraction() ** 2)] ?? randomPolicy(draw, name, own)),
  );
  return { arn: `arn:aws:iam::123456789012:user/${name}`, levels, policies: [...new Set(policies)] };
}

function randomPolicy(draw: Draw, name: string, stacks: readonly Stack[]): Policy {
  const count = draw.oneOf([
    [30, 1],
    [40, 2],
    [20, 3],
    [10, 4],
  ]);
  const statements = Array.from({ length: count }, () => draw.oneOf(STATEMENTS)(draw, stacks));
  return {
    name,
    document: {
      Version: "2012-10-17",
      Statement: statements.map((statement, index) => ({ Sid: `Statement${index}`, ...statement })),
    },
  };
}

type Make = (draw: Draw, stacks: readonly Stack[]) => Omit<Statement, "Sid">;

const OFFICES = ["203.0.113.0/24", "198.51.100.0/25", "192.0.2.64/26", "10.20.0.0/16"];

/** The kinds of statements that teams write, and how often. */
const STATEMENTS: readonly (readonly [number, Make])[] = [
  // Whoever is in the team may look.
  [16, () => ({ Effect: "Allow", Action: ["opsworks:Describe*"], Resource: ["*"] })],
  [
    8,
    (draw) => ({
      Effect: "Allow",
      Action: ["opsworks:Describe*", "opsworks:ListTags", "opsworks:GetHostnameSuggestion"],
      Resource: [ANY_STACK],
      Condition: { IpAddress: { "aws:SourceIp": draw.some(OFFICES, 2) } },
    }),
  ],
  // Administrators, with a second factor.
  [
    6,
    () => ({
      Effect: "Allow",
      Action: ["opsworks:*"],
      Resource: ["*"],
      Condition: { Bool: { "aws:MultiFactorAuthPresent": ["true"] } },
    }),
  ],
  [
    5,
    (draw) => ({
      Effect: "Allow",
      Action: ["opsworks:*"],
      Resource: [draw.pick(["*", ANY_STACK])],
      Condition: {
        Bool: { "aws:MultiFactorAuthPresent": ["true"] },
        NumericLessThan: { "aws:MultiFactorAuthAge": [draw.pick(["900", "3600", "43200"])] },
      },
    }),
  ],
  // Deployers of named stacks.
  [
    14,
    (draw, stacks) => ({
      Effect: "Allow",
      Action: ["opsworks:CreateDeployment", "opsworks:UpdateApp", "opsworks:Describe*"],
      Resource: draw.some(stacks, 4).map(({ arn }) => arn),
    }),
  ],
  [
    8,
    (draw, stacks) => ({
      Effect: "Allow",
      Action: ["opsworks:*"],
      Resource: [draw.pick(stacks).arn],
      Condition: { IpAddress: { "aws:SourceIp": draw.some(OFFICES, 3) } },
    }),
  ],
  // Whatever a tag says.
  [
    10,
    (draw) => ({
      Effect: "Allow",
      Action: [draw.pick(["opsworks:*Instance", "opsworks:Create*", "opsworks:Update*"]), "opsworks:*App"],
      Resource: ["*"],
      Condition: {
        StringEquals: { "aws:ResourceTag/env": draw.pick([["dev"], ["dev", "staging"], ["staging"]]) },
      },
    }),
  ],
  // For a while.
  [
    6,
    (draw) => ({
      Effect: "Allow",
      Action: ["opsworks:*Instance", "opsworks:*Stack"],
      Resource: [ANY_STACK],
      Condition: {
        DateGreaterThan: { "aws:CurrentTime": [day(draw.integer(0, 20))] },
        DateLessThan: { "aws:CurrentTime": [day(draw.integer(20, 40))] },
      },
    }),
  ],
  // By the tool in use.
  [
    5,
    (draw) => ({
      Effect: "Allow",
      Action: ["opsworks:CreateDeployment", "opsworks:StartInstance", "opsworks:StopInstance"],
      Resource: [ANY_STACK],
      Condition: { StringLike: { "aws:UserAgent": [draw.pick(["aws-cli/*", "*terraform*", "Boto3/1.*"])] } },
    }),
  ],
  // Guards.
  [
    7,
    (draw) => ({
      Effect: "Deny",
      Action: ["opsworks:Delete*", "opsworks:Deregister*", "opsworks:StopStack"],
      Resource: ["*"],
      Condition: { [draw.pick(["Bool", "BoolIfExists"])]: { "aws:MultiFactorAuthPresent": ["false"] } },
    }),
  ],
  [
    4,
    (draw) => ({
      Effect: "Deny",
      Action: ["opsworks:Update*", "opsworks:Create*", "opsworks:Delete*"],
      Resource: [ANY_STACK],
      Condition: { NotIpAddress: { "aws:SourceIp": [...OFFICES.slice(0, 2), draw.pick(OFFICES)] } },
    }),
  ],
  [
    4,
    (draw) => ({
      Effect: "Deny",
      Action: [draw.pick(["opsworks:*", "opsworks:Set*", "opsworks:Create*"])],
      Resource: ["*"],
      Condition: { StringEquals: { "aws:ResourceTag/env": ["production"] } },
    }),
  ],
  [
    4,
    (draw, stacks) => ({
      Effect: "Deny",
      Action: ["opsworks:GrantAccess", "opsworks:SetPermission", "opsworks:DeleteStack"],
      Resource: draw.some(stacks, 3).map(({ arn }) => arn),
    }),
  ],
  [
    3,
    (draw) => ({
      Effect: "Deny",
      Action: ["opsworks:*Instance"],
      Resource: ["*"],
      Condition: { NumericGreaterThan: { "aws:MultiFactorAuthAge": [draw.pick(["7200", "43200"])] } },
    }),
  ],
];

/** Mostly about stacks the user has a level on, mostly to look. */
function randomQuestion(draw: Draw, users: readonly User[], stacks: ReadonlyMap<string, Stack>): Question {
  const user = draw.pick(users);
  const arn = draw.pick([...(draw.chance(0.8) ? user.levels : stacks).keys()]);
  const tags = stacks.get(arn)?.tags ?? {};
  const action = draw.pick(
    namesOf(
      draw.oneOf([
        [60, "show"],
        [14, "deploy"],
        [22, "manage"],
        [4, "policy"],
      ]),
    ),
  );
  return {
    user,
    action,
    resource: arn,
    level: user.levels.get(arn) ?? "iam_only",
    context: randomContext(draw, user, tags),
  };
}

function randomContext(draw: Draw, user: User, tags: Stack["tags"]): Record<string, string> {
  const factor = draw.oneOf([
    [55, "true"],
    [30, "false"],
    [15, undefined],
  ]);
  return {
    "aws:CurrentTime": day(draw.integer(0, 40), draw.integer(0, 86_399)),
    "aws:PrincipalArn": user.arn,
    "aws:PrincipalAccount": "123456789012",
    "aws:PrincipalType": "User",
    "aws:RequestedRegion": "us-east-1",
    "aws:SecureTransport": "true",
    "aws:SourceIp": draw.oneOf([
      [30, `203.0.113.${draw.integer(1, 254)}`],
      [20, `198.51.100.${draw.integer(1, 254)}`],
      [10, `192.0.2.${draw.integer(1, 254)}`],
      [20, `10.20.${draw.integer(0, 255)}.${draw.integer(1, 254)}`],
      [20, `${draw.integer(11, 99)}.${draw.integer(0, 255)}.${draw.integer(0, 255)}.${draw.integer(1, 254)}`],
    ]),
    "aws:UserAgent": draw.oneOf([
      [40, "aws-cli/2.17.9 Python/3.12"],
      [20, "APN/1.0 HashiCorp/1.0 terraform/1.9.2"],
      [20, "Boto3/1.34.11"],
      [20, "console.amazonaws.com"],
    ]),
    ...(factor === undefined ? {} : { "aws:MultiFactorAuthPresent": factor }),
    ...(factor === "true" ? { "aws:MultiFactorAuthAge": String(draw.integer(1, 50_000)) } : {}),
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value])),
  };
}

function day(count: number, seconds = 0): string {
  return new Date(Date.UTC(2026, 0, 1 + count, 0, 0, seconds)).toISOString().replace(".000Z", "Z");
}

function isAboutStack(action: string): boolean {
  return action.startsWith("opsworks:") && !/^opsworks:(?:CreateStack$|.*UserProfiles?$)/.test(action);
}

function namesOf(requirement: string): readonly string[] {
  return (BY_REQUIREMENT.get(requirement) ?? []).map(([action]) => action);
}

/** Pseudo-random draws from a seed. Source of the generator: Tommy Ettinger, `mulberry32`. */
class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 up to 1, without. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Both ends included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  hex(length: number): string {
    return Array.from({ length }, () => this.integer(0, 15).toString(16)).join("");
  }

  chance(share: number): boolean {
    return this.fraction() < share;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)] as T;
  }

  /** From 1 up to `most` different ones. */
  some<T>(list: readonly T[], most: number): T[] {
    const count = this.integer(1, most);
    return [...new Set(Array.from({ length: count }, () => this.pick(list)))];
  }

  /** One of them, as often as its weight says. */
  oneOf<T>(weighted: readonly (readonly [number, T])[]): T {
    let left = this.fraction() * weighted.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of weighted) {
      left -= weight;
      if (left < 0) return value;
    }
    return weighted[0]?.[1] as T;
  }
}
