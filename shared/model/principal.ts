import * as z from "zod";

/**
 * Who a request comes from or is about, as its ARN says.
 * `userArn` is the name under which levels and policies are kept: a role's sessions share the role's, and a role is known
 * by account and name, since the ARN of a session lacks the role's path.
 *
 * Source: IAM User Guide, "IAM identifiers" and "AWS JSON policy elements: Principal".
 */
export type Principal = {
  readonly kind: "root" | "user" | "federated" | "role" | "session";
  readonly arn: string;
  readonly accountId: string;
  readonly userArn: string;
  /** The name of the user or role, without its path. */
  readonly name: string;
  /** Of a role session alone. */
  readonly sessionName?: string;
};

const NAME = "[\\w+=,.@-]{1,64}";
const PATH = "(?:[\\x21-\\x7e]+/)?";
const USER = new RegExp(`^(arn:aws[a-z-]*):iam::(\\d{12}):(user|role)/${PATH}(${NAME})$`);
const STS = new RegExp(
  `^(arn:aws[a-z-]*):sts::(\\d{12}):(?:(federated-user)/(${NAME})|assumed-role/(${NAME})/(${NAME}))$`,
);
const ROOT = /^arn:aws[a-z-]*:iam::(\d{12}):root$/;

/** The longest ARN of a user: a path of 512 characters and a name of 64. */
const MAX_ARN = 640;

/** @returns `undefined` for what is no principal */
export function readPrincipal(arn: string): Principal | undefined {
  if (arn.length > MAX_ARN) return undefined;
  const [, rootAccount] = ROOT.exec(arn) ?? [];
  if (rootAccount) return { kind: "root", arn, accountId: rootAccount, userArn: arn, name: "root" };
  const [, partition, accountId, type, name] = USER.exec(arn) ?? [];
  if (accountId && name) {
    return type === "user"
      ? { kind: "user", arn, accountId, userArn: arn, name }
      : { kind: "role", arn, accountId, userArn: `${partition}:iam::${accountId}:role/${name}`, name };
  }
  const [, stsPartition, stsAccount, federated, person, role, sessionName] = STS.exec(arn) ?? [];
  if (!stsAccount) return undefined;
  if (federated && person)
    return { kind: "federated", arn, accountId: stsAccount, userArn: arn, name: person };
  if (!role || !sessionName) return undefined;
  const userArn = `${stsPartition}:iam::${stsAccount}:role/${role}`;
  return { kind: "session", arn, accountId: stsAccount, userArn, name: role, sessionName };
}

function principalOf(kinds: readonly Principal["kind"][], message: string) {
  return z.string({ error: message }).transform((arn, context): Principal => {
    const principal = readPrincipal(arn);
    if (principal && kinds.includes(principal.kind)) return principal;
    context.issues.push({ code: "custom", message, input: arn });
    return z.NEVER;
  });
}

/** Anybody who may be asked about. */
export const AnyPrincipal = principalOf(
  ["root", "user", "federated", "role", "session"],
  "must be the ARN of an IAM user, a role, a role session, a federated user or the account root",
);

/** Somebody who can hold a level: answers the ARN it is kept under. */
export const IamUserArn = principalOf(
  ["user", "federated", "role"],
  "must be the ARN of an IAM user, a role or a federated user",
).transform((principal) => principal.userArn);
