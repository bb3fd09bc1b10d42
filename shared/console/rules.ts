/** A rule of the decision, as the README has it. */
type Rule = { readonly rule: string; readonly when: string; readonly outcome: string };

/** In the order in which they apply: the first that does, decides. */
export const RULES: readonly Rule[] = [
  { rule: "account-owner", when: "the caller is the account root", outcome: "allowed" },
  {
    rule: "level-deny",
    when: "the level is Deny and the action is on that stack",
    outcome: "explicitly denied, whatever any policy says",
  },
  {
    rule: "policy-deny",
    when: "a Deny statement of a policy, the permissions boundary or the session policy matches",
    outcome: "explicitly denied",
  },
  {
    rule: "policy-unreadable",
    when: "one of the policies could not be read: it might hold a Deny",
    outcome: "explicitly denied",
  },
  { rule: "boundary", when: "there is a permissions boundary, and it does not allow", outcome: "denied" },
  { rule: "session-policy", when: "there is a session policy, and it does not allow", outcome: "denied" },
  { rule: "policy-allow", when: "an Allow statement matches", outcome: "allowed" },
  { rule: "level-allow", when: "the level includes the action, on that stack", outcome: "allowed" },
  {
    rule: "self-management",
    when: "it is the own profile, and self-management is on",
    outcome: "allowed",
  },
  {
    rule: "pass-role",
    when: "one of the last three would allow, but an application on an instance may not pass the stack’s service role",
    outcome: "denied",
  },
  { rule: "default-deny", when: "nothing of the above", outcome: "denied" },
];

const ALLOW = new Set(["policy-allow", "level-allow", "self-management"]);

/** Whether each rule applied, as the one tells that decided. @param takesSsh nothing allows it without SSH/RDP */
export function applied(decisive: string, takesSsh: boolean): readonly string[] {
  const at = RULES.findIndex(({ rule }) => rule === decisive);
  return RULES.map(({ rule }, index) => {
    if (index === at) return "decides";
    if (ALLOW.has(rule) && decisive === "pass-role") return "one of these three would allow";
    if (ALLOW.has(rule) && takesSsh) return "does not suffice without SSH/RDP";
    if (rule === "pass-role" && ALLOW.has(decisive)) return "does not apply";
    return index < at ? "does not apply" : "not reached";
  });
}
