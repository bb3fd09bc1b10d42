import { Context, isMultivalued } from "../iam/context.ts";
import { findOperator } from "../iam/operators.ts";
import { rememberLast } from "../iam/remember.ts";
import { Fault } from "../model/fault.ts";
import type { Principal } from "../model/principal.ts";
import type { Place } from "../model/stack-arn.ts";
import type { User } from "../model/user.ts";

/** What the way of a request tells of it. */
export type Origin = {
  readonly sourceIp?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly secureTransport?: boolean | undefined;
};

/** Context that an enforcement point supplies for somebody else's request. */
export type Supplied = Readonly<Record<string, string | readonly string[]>>;

/** Who is asked about, when and where. */
export type Setting = {
  readonly principal: Principal;
  readonly userId?: string | undefined;
  readonly user: User | undefined;
  readonly stackTags: Readonly<Record<string, string>>;
  readonly place: Place;
  readonly now: Date;
};

/** Nobody is asked about as a `person`, but by their session. */
const PRINCIPAL_TYPE = {
  person: "AssumedRole",
  root: "Account",
  user: "User",
  federated: "FederatedUser",
  role: "AssumedRole",
  session: "AssumedRole",
} as const;

/**
 * The condition keys that the service fills itself, whoever asks.
 * `aws:TokenIssueTime` is always there, as the time of the check: levels rely on temporary credentials, so it cannot tell
 * them from long-term ones (OpsWorks User Guide, "Using IAM Condition Keys to Verify Temporary Credentials").
 *
 * Source of the others: IAM User Guide, "AWS global condition context keys".
 */
const FILLERS: readonly (readonly [string, (setting: Setting) => string | undefined])[] = [
  ["aws:CurrentTime", ({ now }) => isoSeconds(now)],
  ["aws:EpochTime", ({ now }) => String(epochSeconds(now))],
  ["aws:TokenIssueTime", ({ now }) => isoSeconds(now)],
  ["aws:RequestedRegion", ({ place }) => place.region],
  ["aws:PrincipalArn", ({ principal, user }) => user?.RoleArn ?? principal.userArn],
  ["aws:PrincipalAccount", ({ principal }) => principal.accountId],
  ["aws:PrincipalType", ({ principal }) => PRINCIPAL_TYPE[principal.kind]],
  ["aws:userid", ({ principal, userId, user }) => userId ?? uniqueIdOf(principal, user)],
  ["aws:username", ({ principal }) => (principal.kind === "user" ? principal.name : undefined)],
  /** Of passing a role, which only the decision itself asks about. */
  ["iam:PassedToService", () => undefined],
];
const FILLED = new Set(FILLERS.map(([key]) => key.toLowerCase()));

/** The tags: a key for each, of what the user and the stack have. */
const TAG_FILLERS: readonly (readonly [string, (setting: Setting) => Readonly<Record<string, string>>])[] = [
  ["aws:PrincipalTag/", ({ user }) => user?.Tags ?? {}],
  ["aws:ResourceTag/", ({ stackTags }) => stackTags],
];
const FILLED_PREFIXES = TAG_FILLERS.map(([prefix]) => prefix.toLowerCase());

function filled(setting: Setting): [string, string][] {
  const entries: [string, string][] = [];
  for (const [key, fill] of FILLERS) {
    const value = fill(setting);
    if (value !== undefined) entries.push([key, value]);
  }
  for (const [prefix, fill] of TAG_FILLERS) {
    for (const [name, value] of Object.entries(fill(setting))) entries.push([prefix + name, value]);
  }
  return entries;
}

function epochSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}

/** In ISO 8601, without a fraction. */
function isoSeconds(time: Date): string {
  return isoOfSecond(String(epochSeconds(time)));
}

/** A second has many requests. */
const isoOfSecond = rememberLast((seconds) =>
  new Date(Number(seconds) * 1000).toISOString().replace(".000Z", "Z"),
);

/** What a request that comes straight from a principal has; a service in between makes it another. */
const DIRECT: readonly (readonly [string, string])[] = [
  ["aws:ViaAWSService", "false"],
  ["aws:PrincipalIsAWSService", "false"],
];

/** What the values of well-known keys must be, since a Deny that cannot read one would be lost. */
const KINDS: ReadonlyMap<string, { readonly operator: string; readonly kind: string }> = new Map([
  ["aws:sourceip", { operator: "IpAddress", kind: "an IP address" }],
  ["aws:vpcsourceip", { operator: "IpAddress", kind: "an IP address" }],
  ["aws:multifactorauthage", { operator: "NumericEquals", kind: "a number" }],
  ["aws:multifactorauthpresent", { operator: "Bool", kind: "`true` or `false`" }],
  ["aws:securetransport", { operator: "Bool", kind: "`true` or `false`" }],
  ["aws:viaawsservice", { operator: "Bool", kind: "`true` or `false`" }],
  ["aws:principalisawsservice", { operator: "Bool", kind: "`true` or `false`" }],
  ["aws:sourcearn", { operator: "ArnEquals", kind: "an ARN" }],
]);

/** The context of a request that its sender asks about. @param own keys that only this kind of request has */
export function ownContext(
  setting: Setting,
  origin: Origin,
  own: readonly (readonly [string, string | readonly string[]])[] = [],
): Context {
  const { sourceIp, userAgent, secureTransport } = origin;
  return new Context([
    ...filled(setting),
    ...DIRECT,
    ...(sourceIp === undefined ? [] : [["aws:SourceIp", sourceIp] as const]),
    ...(userAgent === undefined ? [] : [["aws:UserAgent", userAgent] as const]),
    ...(secureTransport === undefined ? [] : [["aws:SecureTransport", String(secureTransport)] as const]),
    ...own,
  ]);
}

/**
 * The context of somebody else's request: what the service fills, and what only an enforcement point can know. What it
 * leaves out is absent, not false.
 * @throws Fault ValidationException for a key that is not the enforcement point's to supply, a list for a key that has one value, or
 * a value that a well-known key cannot have
 */
export function suppliedContext(setting: Setting, supplied: Supplied): Context {
  for (const [key, value] of Object.entries(supplied)) {
    const name = key.toLowerCase();
    if (FILLED.has(name) || FILLED_PREFIXES.some((prefix) => name.startsWith(prefix))) {
      throw new Fault(
        "ValidationException",
        `\`context["${key}"]\` is filled by the service and cannot be supplied`,
      );
    }
    if (typeof value !== "string" && name.startsWith("aws:") && !isMultivalued(name)) {
      throw new Fault("ValidationException", `\`context["${key}"]\` has one value, so it cannot be a list`);
    }
    const known = KINDS.get(name);
    if (known && typeof value === "string" && !findOperator(known.operator)?.reads?.(value)) {
      throw new Fault("ValidationException", `\`context["${key}"]\` must be ${known.kind}`);
    }
  }
  const given = new Set(Object.keys(supplied).map((key) => key.toLowerCase()));
  const direct = DIRECT.filter(([key]) => !given.has(key.toLowerCase()));
  return new Context([...filled(setting), ...direct, ...Object.entries(supplied)]);
}

function uniqueIdOf(principal: Principal, user: User | undefined): string | undefined {
  if (principal.kind === "root") return principal.accountId;
  if (principal.kind === "federated") return `${principal.accountId}:${principal.name}`;
  if (user?.UserId === undefined) return undefined;
  return principal.sessionName === undefined ? user.UserId : `${user.UserId}:${principal.sessionName}`;
}
