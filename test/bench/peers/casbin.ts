import { type CachedEnforcer, newCachedEnforcer, newModel } from "casbin";
import type { Engine } from "../engine.ts";
import type { User, Workload } from "../workload.ts";
import { addressNumber, type Attributes, attributesOf, rulesOf, writtenOut } from "./rules.ts";
import { compileTests } from "./tests.ts";

/** The first rule that applies decides, and the denying ones come first, so that casbin need not look at all of them. */
const MODEL = `
[request_definition]
r = act, stack, ctx

[policy_definition]
p = act, stack, cond, eft

[policy_effect]
e = priority(p.eft) || deny

[matchers]
m = isAmong(r.act, p.act) && isAmong(r.stack, p.stack) && holds(r.ctx, p.cond)
`;

export async function engines({ users, questions }: Workload): Promise<Engine[]> {
  const enforcers = new Map<User, CachedEnforcer>();
  for (const user of users) enforcers.set(user, await enforcerOf(user));
  const asked = questions.map((question) => {
    const enforcer = enforcers.get(question.user);
    if (!enforcer) throw new Error(`${question.user.arn} is no user of the workload`);
    const { action, resource: stack } = question;
    const context = attributesOf(question, addressNumber);
    return { enforcer, action, stack, context, text: JSON.stringify(context) };
  });
  type Asked = (typeof asked)[number];
  const enforce = ({ enforcer, action, stack, context }: Asked) =>
    enforcer.enforceSync(action, stack, context);
  const enforceCached = ({ enforcer, action, stack, text }: Asked) => enforcer.enforce(action, stack, text);
  const counts = { kind: "peer", perPass: asked.length, compared: asked.length } as const;
  return [
    {
      ...counts,
      name: "casbin",
      note: "an enforcer for each user and `enforceSync`; conditions are functions that its matcher calls",
      isAllowed: (index) => enforce(asked[index] as Asked),
      pass: () => {
        let allowed = 0;
        for (const one of asked) if (enforce(one)) allowed += 1;
        return allowed;
      },
    },
    {
      ...counts,
      name: "casbin, cached",
      note: "its `CachedEnforcer` when every question was asked before, word for word: nothing is decided again",
      isAllowed: (index) => enforceCached(asked[index] as Asked),
      pass: async () => {
        let allowed = 0;
        for (const one of asked) if (await enforceCached(one)) allowed += 1;
        return allowed;
      },
    },
  ];
}

/** Its rules are rows of texts. What `enforceSync` answers is never cached. */
async function enforcerOf(user: User): Promise<CachedEnforcer> {
  const rank = { Deny: 0, Allow: 1 };
  const rows = rulesOf(user)
    .toSorted((left, right) => rank[left.effect] - rank[right.effect])
    .map(({ effect, actions, stacks, tests }) => [
      JSON.stringify(actions ? writtenOut(actions) : "*"),
      JSON.stringify(stacks ?? "*"),
      JSON.stringify(tests),
      effect === "Allow" ? "allow" : "deny",
    ]);
  const enforcer = await newCachedEnforcer(newModel(MODEL));
  await enforcer.addFunction("isAmong", isAmong);
  await enforcer.addFunction("holds", holds);
  await enforcer.addPolicies(rows);
  return enforcer;
}

const readNames = readOnce((text) => {
  const names: "*" | string[] = JSON.parse(text);
  return names === "*" ? undefined : new Set(names);
});
const readTests = readOnce((text) => compileTests(JSON.parse(text)));
const readContext = readOnce((text): Attributes => JSON.parse(text));

function isAmong(name: string, text: string): boolean {
  return readNames(text)?.has(name) ?? true;
}

/** The cached enforcer caches for texts alone. */
function holds(context: Attributes | string, text: string): boolean {
  return readTests(text)(typeof context === "string" ? readContext(context) : context);
}

/** Reads each text once. */
function readOnce<To>(read: (text: string) => To): (text: string) => To {
  const known = new Map<string, { value: To }>();
  return (text) => {
    const found = known.get(text) ?? { value: read(text) };
    known.set(text, found);
    return found.value;
  };
}
