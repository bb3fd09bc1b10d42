import {
  preparsePolicySet,
  type StatefulAuthorizationCall,
  statefulIsAuthorized,
} from "@cedar-policy/cedar-wasm/nodejs";
import type { Engine } from "../engine.ts";
import type { Question, Workload } from "../workload.ts";
import { attributesOf, type Rule, rulesOf, secondsOf, type Test, unknownTest, writtenOut } from "./rules.ts";

/** It does some ten thousand a second, so a pass takes a part of the questions. */
const PER_PASS = 5000;

export function engines({ users, questions }: Workload): Engine[] {
  const rules = users.flatMap(rulesOf);
  const groups = new Groups(rules);
  const keys = new Set(rules.flatMap(({ tests }) => tests.map(({ key }) => key)));
  for (const user of users) {
    const policies = rulesOf(user).map((rule) => policyOf(rule, groups));
    const parsed = preparsePolicySet(user.arn, { staticPolicies: policies.join("\n") });
    if (parsed.type === "failure") throw new Error(parsed.errors.map(({ message }) => message).join());
  }
  const calls = questions.map((question) => callOf(question, groups, keys));
  return [
    {
      name: "cedar-wasm",
      note: "a policy set for each user by `preparsePolicySet`, then `statefulIsAuthorized`; lists and patterns of actions are action groups; a call carries the keys that some policy asks for",
      kind: "peer",
      perPass: Math.min(PER_PASS, calls.length),
      compared: calls.length,
      isAllowed: (index) => isAllowed(calls[index] as StatefulAuthorizationCall),
      pass: () => {
        let allowed = 0;
        for (let index = 0; index < PER_PASS && index < calls.length; index += 1) {
          if (isAllowed(calls[index] as StatefulAuthorizationCall)) allowed += 1;
        }
        return allowed;
      },
    },
  ];
}

function isAllowed(call: StatefulAuthorizationCall): boolean {
  const answer = statefulIsAuthorized(call);
  if (answer.type === "failure" || answer.response.diagnostics.errors.length > 0) {
    throw new Error(`Cedar cannot decide: ${JSON.stringify(answer)}`);
  }
  return answer.response.decision === "allow";
}

/** Each list of actions as an action group, since that is faster than the list in the policy. */
class Groups {
  readonly #members = new Map<string, { id: string; actions: ReadonlySet<string> }>();

  constructor(rules: readonly Rule[]) {
    for (const { actions } of rules) {
      if (!actions || this.#members.has(actions.join())) continue;
      const id = `group-${this.#members.size}`;
      this.#members.set(actions.join(), { id, actions: new Set(writtenOut(actions)) });
    }
  }

  of(actions: readonly string[]): string {
    return this.#members.get(actions.join())?.id ?? "";
  }

  /** Those an action is in. */
  around(action: string): string[] {
    return [...this.#members.values()].filter(({ actions }) => actions.has(action)).map(({ id }) => id);
  }
}

function callOf(question: Question, groups: Groups, keys: ReadonlySet<string>): StatefulAuthorizationCall {
  const { user, action, resource } = question;
  const uid = { type: "Action", id: action };
  const parents = groups.around(action).map((id) => ({ type: "Action", id }));
  const attributes = Object.entries(attributesOf(question, (address) => address));
  return {
    principal: { type: "User", id: user.arn },
    action: uid,
    resource: { type: "Stack", id: resource },
    context: Object.fromEntries(attributes.filter(([key]) => keys.has(key))),
    preparsedPolicySetId: user.arn,
    entities: [{ uid, attrs: {}, parents }],
  };
}

function policyOf({ effect, actions, stacks, tests }: Rule, groups: Groups): string {
  const action = actions ? `action in Action::${quote(groups.of(actions))}` : "action";
  const uids = stacks?.map((arn) => `Stack::${quote(arn)}`) ?? [];
  const resource = uids.length === 1 ? `resource == ${uids[0]}` : "resource";
  const clauses = [
    ...(uids.length > 1 ? [`[${uids.join()}].contains(resource)`] : []),
    ...tests.map(clauseOf),
  ];
  const when = clauses.length === 0 ? "" : ` when { ${clauses.map((clause) => `(${clause})`).join(" && ")} }`;
  return `${effect === "Allow" ? "permit" : "forbid"} (principal, ${action}, ${resource})${when};`;
}

function clauseOf(test: Test): string {
  const { operator, key, values } = test;
  const [value = ""] = values;
  const attribute = `context.${key}`;
  const present = (clause: string) => `context has ${key} && ${clause}`;
  switch (operator) {
    case "Bool":
      return present(`${attribute} == ${value}`);
    case "BoolIfExists":
      return `!(context has ${key}) || ${attribute} == ${value}`;
    case "StringEquals":
      return present(
        values.length === 1
          ? `${attribute} == ${quote(value)}`
          : `[${values.map(quote).join()}].contains(${attribute})`,
      );
    case "StringLike":
      return present(`${attribute} like ${quote(value)}`);
    case "NumericLessThan":
      return present(`${attribute} < ${value}`);
    case "NumericGreaterThan":
      return present(`${attribute} > ${value}`);
    case "DateLessThan":
      return present(`${attribute} < ${secondsOf(value)}`);
    case "DateGreaterThan":
      return present(`${attribute} > ${secondsOf(value)}`);
    case "IpAddress":
      return present(`(${inBlocks(attribute, values)})`);
    case "NotIpAddress":
      return `!(${present(`(${inBlocks(attribute, values)})`)})`;
    default:
      throw unknownTest(test);
  }
}

function inBlocks(attribute: string, cidrs: readonly string[]): string {
  return cidrs.map((cidr) => `ip(${attribute}).isInRange(ip(${quote(cidr)}))`).join(" || ");
}

/** Cedar writes the texts that occur here as JSON does. */
function quote(text: string): string {
  return JSON.stringify(text);
}
