import { setTimeout as sleep } from "node:timers/promises";
import { Chance } from "../prove/random-cases.ts";
import type { Fault } from "./proxy.ts";
import {
  ADMINISTRATOR,
  INSTANCE_KEY,
  instanceArn,
  layerArn,
  LOOKER,
  MANAGERS,
  ROLES,
  SSH_KEYS,
  stackArn,
  TEAM,
  USERS,
  type Wire,
  type World,
} from "./world.ts";

/** One request, from before it was sent until it was answered for the last time, in milliseconds since 1970. */
export type Entry = {
  readonly id: string;
  readonly operation: string;
  readonly caller: string;
  readonly input: Wire;
  readonly intent: Intent;
  readonly start: number;
  readonly end: number;
  /** `unknown`: the answer says that it may have been done. */
  readonly outcome: Outcome;
  /** One, or two when it was asked again with the same token. */
  readonly replies: readonly Reply[];
  /** Of the reply that says most. */
  readonly body: Wire;
};

/** What a writing request has beside what it is about. */
type Intent = { readonly ClientToken?: string; readonly IfVersion?: string };
type Outcome = "done" | "refused" | "unknown";
type Reply = { readonly status: number; readonly body: Wire };

/** What a run was, and what it left. */
export type Run = {
  readonly tag: string;
  readonly before: readonly Wire[];
  readonly after: readonly Wire[];
  readonly history: readonly Entry[];
  /** How many imports were done to their end while it went on. */
  readonly imported: number;
  /** Which import came last. */
  readonly lastImport: number;
};

export type Load = {
  readonly operations: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Of the requests to the table. */
  readonly share: number;
  readonly callers: number;
  /** Changes and checks of one user and one stack, so that everybody is in everybody's way. */
  readonly isCrowded?: boolean;
  /** Only these operations. */
  readonly only?: ReadonlySet<string>;
  /** The share of the writing requests that have a token, and of those, that are asked again. */
  readonly tokens?: number;
  readonly progress?: (done: number) => void;
};

const STACKS_AT_ONCE = 5;
const TOKENS = 0.3;
/** The share of the changes that name a version, if one was seen. */
const WITH_VERSION = 0.3;
const BETWEEN_IMPORTS_MS = 50;
const CROWDED = new Set([
  "SetPermission",
  "SetPermissions",
  "DescribePermissions",
  "CreateUserProfile",
  "DeleteUserProfile",
  "CheckAuthorization",
  "DescribeStacks",
  "UpdateStack",
]);
let runs = 0;

/** Random operations of all kinds by many callers at once, while the way to the table is bad. */
export async function runLoad(world: World, load: Load): Promise<Run> {
  const tag = `run-${(runs += 1)}-`;
  await world.clear();
  const only = load.only ?? (load.isCrowded ? CROWDED : undefined);
  const known = await setUp(world, tag, load.isCrowded ?? false, only);
  const before = await world.items();
  const history: Entry[] = [];
  world.proxy.plan = {
    faults: load.faults,
    share: load.faults.length === 0 ? 0 : load.share,
    random: new Chance(load.seed + 1),
    timeoutMs: world.timeoutMs,
  };
  let begun = 0;
  const callOn = async () => {
    while (begun < load.operations) {
      begun += 1;
      const id = `${tag}${begun}`;
      // Each its own, so that which it is does not depend on how fast the others were answered.
      const random = new Chance(load.seed * 1_000_003 + begun);
      const { operation, caller, input } = draw(random, known);
      const { isAskedAgain, ...intent } = intentOf(random, known, {
        operation,
        input,
        id,
        tokens: load.tokens ?? TOKENS,
      });
      const ask = () => world.call(caller, operation, { ...input, ...intent }, id);
      const start = Date.now();
      const first = await ask();
      const isToldAgain =
        isAskedAgain || (intent.ClientToken !== undefined && outcomeOf(first) === "unknown");
      const replies: Reply[] = isToldAgain ? [first, await ask()] : [first];
      const [told = first] = replies.toSorted(
        (one, other) => RANKS[outcomeOf(one)] - RANKS[outcomeOf(other)],
      );
      const [outcome, { body }] = [outcomeOf(told), told];
      history.push({
        id,
        operation,
        caller,
        input,
        intent,
        start,
        end: Date.now() + 1,
        outcome,
        replies,
        body,
      });
      if (outcome === "done") known.learn(operation, input, body);
      if (history.length % 100 === 0) load.progress?.(history.length);
    }
  };
  let imports = 0;
  let imported = 0;
  const importOn = async () => {
    while (begun < load.operations) {
      imports += 1;
      if (await world.importUsers(imports)) imported += 1;
      await sleep(BETWEEN_IMPORTS_MS);
    }
  };
  await Promise.all([importOn(), ...Array.from({ length: load.callers }, callOn)]);
  await world.proxy.calm();
  await world.importUsers(imports);
  return { tag, before, after: await world.items(), history, imported, lastImport: imports };
}

/** What was done at any time is done; else what may have been done may have been. */
const RANKS: Readonly<Record<Outcome, number>> = { done: 0, unknown: 1, refused: 2 };

export function outcomeOf({ status, body }: Reply): Outcome {
  if (status === 200) return "done";
  return String(body.message).includes("may have been done") ? "unknown" : "refused";
}

/** What the callers know of, from what they were answered. */
class Known {
  readonly users: readonly string[];
  readonly only: ReadonlySet<string> | undefined;
  readonly isCrowded: boolean;
  readonly stacks: string[] = [];
  readonly layers: string[] = [];
  readonly instances: string[] = [];
  readonly places = new Map<string, { readonly StackId: string; readonly Ec2InstanceId: string }>();
  /** The versions that somebody has seen, of a stack and of permissions on it. */
  readonly versions = new Map<string, string>();

  constructor(isCrowded: boolean, only: ReadonlySet<string> | undefined) {
    this.isCrowded = isCrowded;
    this.only = only;
    this.users = isCrowded ? USERS.slice(-1) : USERS;
  }

  learn(operation: string, input: Wire, body: Wire): void {
    if (operation === "CreateStack" || operation === "CloneStack") this.stacks.push(body.StackId);
    if (operation === "CreateLayer") this.layers.push(body.LayerId);
    if (operation === "RegisterInstance") {
      this.instances.push(body.InstanceId);
      this.places.set(body.InstanceId, input);
    }
    if (operation === "DeleteStack") forget(this.stacks, input.StackId);
    if (operation === "DeleteLayer") forget(this.layers, input.LayerId);
    if (operation === "DeregisterInstance") forget(this.instances, input.InstanceId);
    for (const { StackId, IamUserArn, Version } of body.Permissions ?? []) {
      if (IamUserArn !== undefined) this.versions.set(`${StackId} ${IamUserArn}`, Version);
    }
    for (const { StackId, Version } of body.Stacks ?? []) this.versions.set(StackId, Version);
  }
}

/** A token now and then, and the version of what somebody has seen, who may have been late. */
function intentOf(
  random: Chance,
  known: Known,
  { operation, input, id, tokens }: { operation: string; input: Wire; id: string; tokens: number },
): Intent & { readonly isAskedAgain: boolean } {
  const [hasToken, isAskedAgain] = [random.is(tokens), random.is(tokens)];
  if (WITHOUT_TOKEN.has(operation)) return { isAskedAgain: false };
  const seen = {
    SetPermission: `${input.StackId} ${input.IamUserArn}`,
    UpdateStack: input.StackId,
  }[operation];
  return {
    isAskedAgain: hasToken && isAskedAgain,
    ...(hasToken ? { ClientToken: id } : {}),
    ...versionSeen(random, known, seen ?? ""),
  };
}

function forget(list: string[], id: string): void {
  const at = list.indexOf(id);
  if (at >= 0) list.splice(at, 1);
}

async function setUp(
  world: World,
  tag: string,
  isCrowded: boolean,
  only: ReadonlySet<string> | undefined,
): Promise<Known> {
  const known = new Known(isCrowded, only);
  const call = async (operation: string, input: object, isNeeded = true) => {
    const ask = () => world.call(ADMINISTRATOR, operation, input, `${tag}before`);
    let reply = await ask();
    // On a machine that is busy.
    for (let tries = 1; tries < 5 && outcomeOf(reply) === "refused" && reply.status === 503; tries += 1) {
      reply = await ask();
    }
    if (isNeeded && reply.status !== 200) throw new Error(`${operation}: ${JSON.stringify(reply.body)}`);
    known.learn(operation, input, reply.body);
  };
  for (const name of isCrowded ? ["one"] : ["one", "two", "three"]) {
    await call("CreateStack", { Name: `${tag}${name}`, Region: "us-east-1", ...ROLES });
  }
  // Of an earlier run, some may be gone.
  for (const IamUserArn of USERS) await call("CreateUserProfile", { IamUserArn }, false);
  for (const IamUserArn of USERS) await call("UpdateUserProfile", { IamUserArn, AllowSelfManagement: true });
  for (const StackId of known.stacks) {
    for (const IamUserArn of MANAGERS) await call("SetPermission", { StackId, IamUserArn, Level: "manage" });
  }
  return known;
}

export const READS: ReadonlySet<string> = new Set([
  "CheckAuthorization",
  "BatchCheckAuthorization",
  "DescribePermissions",
  "DescribeMyUserProfile",
  "DescribeStacks",
]);
/** What an instance asks. */
export const FEED = "DescribeInstanceAccess";
const WITHOUT_TOKEN = new Set([...READS, FEED]);
const LEVELS = ["deny", "iam_only", "show", "deploy", "manage"] as const;
const NOWHERE = "6f0b2c1e-3a54-4a8e-9a3c-00000000dead";
const ASKED = ["opsworks:DescribeStacks", "opsworks:CreateDeployment", "opsworks:CreateLayer"] as const;

type Drawn = { readonly operation: string; readonly caller: string; readonly input: object };

function draw(random: Chance, known: Known): Drawn {
  let at = random.next() * TOTAL;
  for (const [weight, drawn] of DRAWS) {
    at -= weight;
    if (at >= 0) continue;
    const call = drawn(random, known);
    return known.only?.has(call.operation) === false ? draw(random, known) : call;
  }
  throw new RangeError("the weights do not add up");
}

const anyStack = (random: Chance, { stacks }: Known) => (stacks.length === 0 ? NOWHERE : random.of(stacks));
const anyLayer = (random: Chance, { layers }: Known) => (layers.length === 0 ? NOWHERE : random.of(layers));
const manager = (random: Chance) => (random.is(0.25) ? ADMINISTRATOR : random.of(MANAGERS));
const flags = (random: Chance) => ({
  ...(random.is(0.4) ? { AllowSsh: random.is(0.7) } : {}),
  ...(random.is(0.15) ? { AllowSudo: random.is(0.5) } : {}),
});
const versionSeen = (random: Chance, { versions }: Known, of: string) => {
  const IfVersion = versions.get(of);
  return random.is(WITH_VERSION) && IfVersion !== undefined ? { IfVersion } : {};
};
const TAGGED = ["stack", "layer"] as const;
const tagged = (random: Chance, known: Known) =>
  random.of(TAGGED) === "stack" ? stackArn(anyStack(random, known)) : layerArn(anyLayer(random, known));

/** How often each kind of operation is drawn. */
const DRAWS: readonly (readonly [number, (random: Chance, known: Known) => Drawn])[] = [
  [
    22,
    (random, known) => ({
      operation: "SetPermission",
      caller: manager(random),
      input: {
        StackId: anyStack(random, known),
        IamUserArn: random.is(0.1) ? random.of(MANAGERS) : random.of([...known.users, LOOKER]),
        Level: random.of(LEVELS),
        ...flags(random),
      },
    }),
  ],
  [
    5,
    (random, known) => ({
      operation: "SetPermission",
      caller: ADMINISTRATOR,
      input: { StackId: anyStack(random, known), IamUserArn: random.of(MANAGERS), Level: "manage" },
    }),
  ],
  [
    4,
    (random, known) => ({
      operation: "SetPermission",
      caller: manager(random),
      input: { StackId: anyStack(random, known), GroupName: TEAM, Level: random.of(LEVELS) },
    }),
  ],
  [
    5,
    (random, known) => {
      const StackId = anyStack(random, known);
      const people = known.isCrowded ? known.users : [random.of(known.users), random.of(MANAGERS), LOOKER];
      return {
        operation: "SetPermissions",
        caller: manager(random),
        input: {
          StackId,
          Permissions: people.map((IamUserArn) => ({
            IamUserArn,
            Level: random.of(LEVELS),
            ...flags(random),
            ...versionSeen(random, known, `${StackId} ${IamUserArn}`),
          })),
          ...(random.is(0.3) ? { GroupPermissions: [{ GroupName: TEAM, Level: random.of(LEVELS) }] } : {}),
        },
      };
    },
  ],
  [
    2,
    (random, known) => {
      const caller = random.of([...known.users, ...MANAGERS]);
      return {
        operation: "SetPermission",
        caller,
        input: { StackId: anyStack(random, known), IamUserArn: caller, Level: "manage" },
      };
    },
  ],
  [
    5,
    (random, { users }) => ({
      operation: "UpdateMyUserProfile",
      caller: random.of(users),
      input: { SshPublicKey: random.of(["", ...SSH_KEYS]) },
    }),
  ],
  [
    4,
    (random, { users }) => ({
      operation: "UpdateUserProfile",
      caller: ADMINISTRATOR,
      input: {
        IamUserArn: random.of(users),
        ...(random.is(0.5) ? { SshUsername: `login${random.below(6)}` } : {}),
        ...(random.is(0.5) ? { AllowSelfManagement: random.is(0.8) } : {}),
      },
    }),
  ],
  [
    4,
    (random, { users }) => ({
      operation: "CreateUserProfile",
      caller: ADMINISTRATOR,
      input: {
        IamUserArn: random.of(users),
        AllowSelfManagement: true,
        ...(random.is(0.3) ? { SshUsername: `login${random.below(6)}` } : {}),
      },
    }),
  ],
  [
    3,
    (random, { users }) => ({
      operation: "DeleteUserProfile",
      caller: ADMINISTRATOR,
      input: { IamUserArn: random.of(users) },
    }),
  ],
  [
    3,
    (random, known) => {
      const isFull = known.stacks.length >= STACKS_AT_ONCE;
      if (isFull) return { operation: "DescribeStacks", caller: ADMINISTRATOR, input: {} };
      const Name = `stack ${random.below(100)}`;
      const input = { Name, Region: "us-east-1", ...ROLES, HostnameTheme: random.of(["a", "b"]) };
      return { operation: "CreateStack", caller: ADMINISTRATOR, input };
    },
  ],
  [
    2,
    (random, known) => {
      const isFull = known.stacks.length >= STACKS_AT_ONCE;
      if (isFull)
        return {
          operation: "DeleteStack",
          caller: ADMINISTRATOR,
          input: { StackId: anyStack(random, known) },
        };
      const { ServiceRoleArn } = ROLES;
      const SourceStackId = anyStack(random, known);
      const input = {
        SourceStackId,
        ServiceRoleArn,
        ClonePermissions: random.is(0.7),
        Name: `clone ${random.below(100)}`,
      };
      return { operation: "CloneStack", caller: ADMINISTRATOR, input };
    },
  ],
  [
    1.5,
    (random, known) => ({
      operation: "DeleteStack",
      caller: manager(random),
      input: { StackId: anyStack(random, known) },
    }),
  ],
  [
    4,
    (random, known) => ({
      operation: "UpdateStack",
      caller: manager(random),
      input: {
        StackId: anyStack(random, known),
        ...(random.is(0.5) ? { Name: `stack ${random.below(100)}` } : {}),
        ...(random.is(0.5) ? { HostnameTheme: random.of(["a", "b", "c"]) } : {}),
      },
    }),
  ],
  [
    3,
    (random, known) => ({
      operation: "CreateLayer",
      caller: manager(random),
      input: {
        StackId: anyStack(random, known),
        Type: "custom",
        Name: "layer",
        Shortname: `layer${random.below(5)}`,
      },
    }),
  ],
  [
    2,
    (random, known) => ({
      operation: "UpdateLayer",
      caller: manager(random),
      input: { LayerId: anyLayer(random, known), Name: `layer ${random.below(100)}` },
    }),
  ],
  [
    3,
    (random, known) => ({
      operation: "DeleteLayer",
      caller: manager(random),
      input: { LayerId: anyLayer(random, known) },
    }),
  ],
  [
    2,
    (random, known) => ({
      operation: "TagResource",
      caller: ADMINISTRATOR,
      input: {
        ResourceArn: tagged(random, known),
        Tags: { [`tag${random.below(3)}`]: String(random.below(3)) },
      },
    }),
  ],
  [
    2,
    (random, known) => ({
      operation: "UntagResource",
      caller: ADMINISTRATOR,
      input: { ResourceArn: tagged(random, known), TagKeys: [`tag${random.below(3)}`] },
    }),
  ],
  [
    3,
    (random, known) => ({
      operation: "RegisterInstance",
      caller: manager(random),
      input: {
        StackId: anyStack(random, known),
        Ec2InstanceId: `i-${random.below(8).toString(16).padStart(8, "0")}`,
        ...(random.is(0.7) ? { Platform: "Windows" } : {}),
      },
    }),
  ],
  [
    4,
    (random, known) => ({
      operation: "SetPermission",
      caller: ADMINISTRATOR,
      input: {
        StackId: anyStack(random, known),
        IamUserArn: random.of([...known.users, ...MANAGERS]),
        Level: random.of(["deploy", "manage"] as const),
        AllowSsh: true,
      },
    }),
  ],
  [
    7,
    (random, { instances, places }) => {
      const place = instances.length === 0 ? undefined : places.get(random.of(instances));
      const { StackId = NOWHERE, Ec2InstanceId = "i-00000000" } = place ?? {};
      const Nonce = `${random.below(1_000_000_000)}`.padEnd(22, "-");
      const input = { StackId, Nonce, ...(random.is(0.9) ? { PublicKey: INSTANCE_KEY } : {}) };
      return { operation: "DescribeInstanceAccess", caller: instanceArn(Ec2InstanceId), input };
    },
  ],
  [
    7,
    (random, { instances, users }) => ({
      operation: "GrantAccess",
      caller: random.of([...users, ...MANAGERS]),
      input: { InstanceId: instances.length === 0 ? NOWHERE : random.of(instances) },
    }),
  ],
  [
    1.5,
    (random, { instances }) => ({
      operation: "DeregisterInstance",
      caller: manager(random),
      input: { InstanceId: instances.length === 0 ? NOWHERE : random.of(instances) },
    }),
  ],
  [
    22,
    (random, known) => {
      const id = random.of([...known.users, ...known.users, LOOKER, ...MANAGERS]);
      return {
        operation: "CheckAuthorization",
        caller: random.is(0.7) ? id : manager(random),
        input: {
          subject: { type: "user", id },
          action: { name: random.of(ASKED) },
          resource: { type: "stack", id: anyStack(random, known) },
        },
      };
    },
  ],
  [
    3,
    (random, known) => {
      const id = random.of(known.users);
      return {
        operation: "BatchCheckAuthorization",
        caller: id,
        input: {
          subject: { type: "user", id },
          action: { name: random.of(ASKED) },
          evaluations: [0, 1, 2].map(() => ({ resource: { type: "stack", id: anyStack(random, known) } })),
        },
      };
    },
  ],
  [
    4,
    (random, known) => ({
      operation: "DescribePermissions",
      caller: manager(random),
      input: {
        StackId: anyStack(random, known),
        ...(random.is(0.7) ? { IamUserArn: random.of([...known.users, ...MANAGERS]) } : {}),
      },
    }),
  ],
  [2, () => ({ operation: "DescribeStacks", caller: ADMINISTRATOR, input: {} })],
  [3, (random, { users }) => ({ operation: "DescribeMyUserProfile", caller: random.of(users), input: {} })],
];

const TOTAL = DRAWS.reduce((sum, [weight]) => sum + weight, 0);
