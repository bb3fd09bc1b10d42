import { isOpsWorksAction } from "../decision/levels.ts";
import type { Answer } from "./answer.ts";

/** One sentence, without its stop, that says why. */
export function explain(answer: Answer): string {
  return REASONS[answer.rule](answer);
}

const REASONS: Readonly<Record<Answer["rule"], (answer: Answer) => string>> = {
  "account-owner": () => "the account root is beyond levels and policies",
  "level-deny": (answer) => `the level${whose(answer)} on this stack is \`deny\`, which no policy overrides`,
  "policy-deny": (answer) => `${statementOf(answer)} denies it`,
  "policy-unreadable": ({ unreadable }) =>
    `it might be denied by what could not be read: ${list(unreadable)}`,
  boundary: () => "the permissions boundary does not allow it",
  "session-policy": () => "the session policy does not allow it",
  "policy-allow": (answer) => `${statementOf(answer)} allows it`,
  "pass-role": ({ mustPassRole }) =>
    `an application on an instance must be allowed \`iam:PassRole\` on ${mustPassRole}`,
  "level-allow": (answer) => `the level \`${answer.level}\`${whose(answer)} includes it`,
  "self-management": () => "self-management is on for this user",
  "default-deny": (answer) => `nothing allows it: ${remedyOf(answer)}`,
};

function statementOf({ statement }: Answer): string {
  return `policy \`${statement?.policy}\`, statement ${statement?.sid ?? `number ${(statement?.index ?? 0) + 1}`},`;
}

/** Whose level it is, unless their own. */
function whose({ levelFrom }: Answer): string {
  const [kind, name] = levelFrom.split("/");
  return name === undefined ? "" : ` of the ${kind} \`${name}\``;
}

function remedyOf({ known, subject, goneSince, action, wouldGrant }: Answer): string {
  if (!known)
    return subject.kind === "federated"
      ? "there is no such user here, whose first DescribeMyUserProfile makes one"
      : "there is no such user here, an administrator can import it";
  if (goneSince !== undefined)
    return `IAM has no such user or role since ${goneSince}, so policies give nothing any more`;
  const [service, name = ""] = action.split(":");
  if (service === "opsworks" && !isOpsWorksAction(name)) return "OpsWorks has no such action";
  if (wouldGrant === "AllowSsh") return "it takes SSH/RDP access to the stack";
  return wouldGrant === "policy" ? "only a policy can" : `the level \`${wouldGrant}\` or a policy would`;
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}
