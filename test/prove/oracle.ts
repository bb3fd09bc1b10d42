/** `@cloud-copilot/iam-simulate`, an independent evaluator, as an oracle. AGPL: never a part of what ships. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { isObject, type Json } from "./plain-door.ts";
import type { Case } from "./plain-evaluator.ts";
import { isMultivalued } from "./plain-text.ts";

type Named = { name: string; policy: unknown };

/** As much of its API as is used here. */
type IamSimulate = {
  runUnsafeSimulation: (simulation: {
    request: {
      principal: string;
      action: string;
      resource: { resource: string; accountId: string };
      contextVariables: { [key: string]: string | string[] };
    };
    identityPolicies: Named[];
    permissionBoundaryPolicies?: Named[];
    serviceControlPolicies: { orgIdentifier: string; policies: Named[] }[];
    resourceControlPolicies: never[];
  }) => string;
};

export type Oracle = (asked: Case) => string;

const PEERS = new URL("../bench/package.json", import.meta.url);
const NAME = "@cloud-copilot/iam-simulate";
const ACCOUNT = "111122223333";
const DECISIONS: { [result: string]: string } = {
  Allowed: "allowed",
  ExplicitlyDenied: "explicitDeny",
  ImplicitlyDenied: "implicitDeny",
};

/** Undefined when the peers are not installed. */
export async function loadOracle(): Promise<Oracle | undefined> {
  // It reads a date without a zone in the zone of the machine.
  process.env["TZ"] = "UTC";
  let path: string;
  try {
    path = createRequire(PEERS).resolve(NAME);
  } catch {
    return undefined;
  }
  const { runUnsafeSimulation } = (await import(pathToFileURL(path).href)) as IamSimulate;
  return (asked) => {
    const result = runUnsafeSimulation(simulationOf(asked));
    return DECISIONS[result] ?? result;
  };
}

/**
 * The identity and the resource are in one account, so that no resource policy is needed. Without validation it drops the
 * session policy, which therefore stands as a control policy: that caps as a session policy does.
 */
function simulationOf(asked: Case): Parameters<IamSimulate["runUnsafeSimulation"]>[0] {
  const { policies, boundary, sessionPolicy, request } = asked;
  const named = (policy: unknown): Named => ({ name: "policy", policy: withTexts(policy) });
  return {
    request: {
      principal: `arn:aws:iam::${ACCOUNT}:user/bob`,
      action: request.action,
      resource: { resource: request.resource, accountId: ACCOUNT },
      contextVariables: Object.fromEntries(
        Object.entries(request.context ?? {}).map(([key, value]) => [
          key,
          typeof value === "string" && isMultivalued(key) ? [value] : value,
        ]),
      ),
    },
    identityPolicies: policies.map(named),
    ...(boundary === undefined ? {} : { permissionBoundaryPolicies: [named(boundary)] }),
    serviceControlPolicies:
      sessionPolicy === undefined ? [] : [{ orgIdentifier: "ou-session", policies: [named(sessionPolicy)] }],
    resourceControlPolicies: [],
  };
}

/** It does not know numbers that keep their digits. */
function withTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withTexts);
  if (isRaw(value)) return value["rawJSON"];
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withTexts(member)]));
}

function isRaw(value: unknown): value is Json {
  return typeof value === "object" && value !== null && "rawJSON" in value;
}
