import { runUnsafeSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import type { Engine } from "../engine.ts";
import { actionsOf, type Document, type Level, type Question, type Workload } from "../workload.ts";

/** It does some ten thousand a second, so a pass takes a part of the questions, and a share of them is compared. */
const PER_PASS = 2000;
const COMPARED = 5000;

/** It knows no levels: a user's level on the stack in question is one more policy. */
export function engines({ questions }: Workload): Engine[] {
  const simulations = questions.slice(0, COMPARED).map(simulationOf);
  return [
    {
      name: "iam-simulate",
      note: "`runUnsafeSimulation`, which leaves validation out; it takes documents, not prepared ones, and the level is one more of them",
      kind: "peer",
      perPass: Math.min(PER_PASS, simulations.length),
      compared: simulations.length,
      isAllowed: (index) => isAllowed(simulations[index] as Simulation),
      pass: () => {
        let allowed = 0;
        for (let index = 0; index < PER_PASS && index < simulations.length; index += 1) {
          if (isAllowed(simulations[index] as Simulation)) allowed += 1;
        }
        return allowed;
      },
    },
  ];
}

function isAllowed(simulation: Simulation): boolean {
  return runUnsafeSimulation(simulation, {}) === "Allowed";
}

function simulationOf({ user, action, resource, level, context }: Question): Simulation {
  const own = user.policies.map(({ name, document }) => ({ name, policy: document }));
  const ofLevel = LEVELS[level];
  return {
    request: {
      principal: user.arn,
      action,
      resource: { resource, accountId: "123456789012" },
      contextVariables: { ...context },
    },
    identityPolicies: ofLevel ? [...own, { name: level, policy: ofLevel }] : own,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
}

const LEVELS: { readonly [level in Level]?: Document } = {
  deny: policy("Deny", ["opsworks:*"]),
  show: policy("Allow", actionsOf("show")),
  deploy: policy("Allow", actionsOf("deploy")),
  manage: policy("Allow", actionsOf("manage")),
};

function policy(Effect: "Allow" | "Deny", Action: readonly string[]): Document {
  return { Version: "2012-10-17", Statement: [{ Sid: "Level", Effect, Action, Resource: ["*"] }] };
}
