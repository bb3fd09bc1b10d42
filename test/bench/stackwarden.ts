import { explain } from "../../shared/access/explain.ts";
import { type Decision, decide, type Facts } from "../../shared/decision/decide.ts";
import { Context } from "../../shared/iam/context.ts";
import type { NamedPolicy } from "../../shared/iam/evaluate.ts";
import { parsePolicy } from "../../shared/iam/policy.ts";
import { readRequest, type Request } from "../../shared/iam/request.ts";
import { type Principal, readPrincipal } from "../../shared/model/principal.ts";
import type { Engine } from "./engine.ts";
import type { Policy, Question, Workload } from "./workload.ts";

type Prepared = {
  readonly question: Question;
  readonly level: Question["level"];
  readonly policies: readonly NamedPolicy[];
  readonly request: Request;
  readonly subject: Principal;
};

/** This engine, as its service uses it: policies are compiled once, and a context is read from texts. */
export function stackwarden(workload: Workload): Engine[] {
  const { questions } = workload;
  const prepared = prepare(workload);
  const decideOne = (one: Prepared): boolean => decide(factsOf(one), one.request).decision === "allowed";
  const decideAfresh = (one: Prepared): boolean => {
    const { action, resource, context } = one.question;
    return (
      decide(factsOf(one), readRequest(action, resource, new Context(Object.entries(context)))).decision ===
      "allowed"
    );
  };
  const row = (
    name: string,
    note: string,
    pass: () => number,
    allows: (one: Prepared) => boolean,
  ): Engine => ({
    name,
    note,
    kind: "own",
    perPass: questions.length,
    compared: questions.length,
    isAllowed: (index) => allows(prepared[index] as Prepared),
    pass,
  });
  return [
    row(
      "stackwarden",
      "`decide`, which names the rule, the statement and what would grant it; request and policies are read before",
      () => {
        let allowed = 0;
        for (const one of prepared) if (decideOne(one)) allowed += 1;
        return allowed;
      },
      decideOne,
    ),
    row(
      "stackwarden, explained",
      "with the sentence that says why, too",
      () => {
        let allowed = 0;
        let length = 0;
        for (const one of prepared) {
          const { allows, reason } = decideAndExplain(one);
          if (allows) allowed += 1;
          length += reason.length;
        }
        return length > 0 ? allowed : -1;
      },
      (one) => decideAndExplain(one).allows,
    ),
    row(
      "stackwarden, from texts",
      "with the request and its context read from their texts every time",
      () => {
        let allowed = 0;
        for (const one of prepared) if (decideAfresh(one)) allowed += 1;
        return allowed;
      },
      decideAfresh,
    ),
  ];
}

function decideAndExplain(one: Prepared): { allows: boolean; reason: string } {
  const { question, request, subject } = one;
  const decision = decide(factsOf(one), request);
  const { action, resource } = question;
  const reason = explain({
    ...decision,
    action,
    resource,
    subject,
    known: true,
    administrator: false,
    levelFrom: "user",
    unreadable: NONE,
    absentKeys: [],
  });
  return { allows: decision.decision === "allowed", reason };
}

/** A user's policies are compiled once, and once for all users who share them. */
function prepare({ users, questions }: Workload): Prepared[] {
  const compiled = new Map<Policy, NamedPolicy>();
  const compile = (policy: Policy): NamedPolicy => {
    const { name, document } = policy;
    const named = compiled.get(policy) ?? { name, policy: parsePolicy(JSON.stringify(document)) };
    compiled.set(policy, named);
    return named;
  };
  const known = new Map(
    users.map((user) => [user, { policies: user.policies.map(compile), subject: readPrincipal(user.arn) }]),
  );
  return questions.map((question) => {
    const { user, action, resource, level, context } = question;
    const { policies, subject } = known.get(user) ?? {};
    if (!policies || !subject) throw new Error(`${user.arn} is no user of the workload`);
    const request = readRequest(action, resource, new Context(Object.entries(context)));
    return { question, level, policies, request, subject };
  });
}

const NONE: readonly string[] = [];

/** What is known of the user on that stack, put together for each decision. */
function factsOf({ level, policies, request }: Prepared): Facts {
  return {
    accountOwner: false,
    grant: { stackArn: request.resource.text, level },
    allowSsh: true,
    policies,
    unreadable: NONE,
    selfManagement: false,
  };
}

/** How many questions come out how. */
export function outcomesOf(workload: Workload): Record<Decision["decision"], number> {
  const outcomes = { allowed: 0, implicitDeny: 0, explicitDeny: 0 };
  for (const one of prepare(workload)) outcomes[decide(factsOf(one), one.request).decision] += 1;
  return outcomes;
}
