import * as z from "zod";

/**
 * Who a request comes from or is about, as its ARN says.
 * `userArn` is the name under which levels and policies are kept: a role's sessions share the role's, and a role is known
 * by account and name, since the ARN of a session lacks the role's path.
 *
 * A session of a role that IAM Identity Center made is a person's, who is the session's name: `personArn` is the name under which
 * the person's levels are kept, whichever permission set they came by. It is worth nothing until the role is known to be one under the
 * reserved path, since the name of a role proves nothing.
 *
 * Source: IAM User Guide, "IAM identifiers" and "AWS JSON policy elements: Principal"; IAM Identity Center User Guide,
 * "Referencing permission sets in resource policies, Amazon EKS, and AWS KMS".
 */
export type Principal = {
  readonly kind: "root" | "user" | "federated" | "role" | "session" | "person";
  readonly arn: string;
  readonly accountId: string;
  readonly userArn: string;
  /** The name of the user or role, without its path. */
  readonly name: string;
  /** Of a role session alone. */
  readonly sessionName?: string;
  /** Of a session of what is called like a role of Identity Center. */
  readonly personArn?: string;
};

const NAME = "[\\w+=,.@-]{1,64}";
const PATH = "(?:[\\x21-\\x7e]+/)?";
const USER = new RegExp(`^(arn:aws[a-z-]*):iam::(\\d{12}):(user|role)/${PATH}(${NAME})$`);
const STS = new RegExp(
  `^(arn:aws[a-z-]*):sts::(\\d{12}):(?:(federated-user)/(${NAME})|assumed-role/(${NAME})/(${NAME}))$`,
);
/** What nobody but Identity Center can make a role under. */
const RESERVED = "aws-reserved/sso.amazonaws.com/";
const RESERVED_ROLE = new RegExp(`^arn:aws[a-z-]*:iam::\\d{12}:role/${RegExp.escape(RESERVED)}`);
const PERSON = new RegExp(`^arn:aws[a-z-]*:sts::(\\d{12}):assumed-role/${RegExp.escape(RESERVED)}(${NAME})$`);
const PERMISSION_SET = /^AWSReservedSSO_.+_[0-9a-f]{16}$/;
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
  const [, personAccount, personName] = PERSON.exec(arn) ?? [];
  if (personAccount && personName)
    return { kind: "person", arn, accountId: personAccount, userArn: arn, name: personName };
  const [, stsPartition, stsAccount, federated, person, role, sessionName] = STS.exec(arn) ?? [];
  if (!stsAccount) return undefined;
  if (federated && person)
    return { kind: "federated", arn, accountId: stsAccount, userArn: arn, name: person };
  if (!role || !sessionName) return undefined;
  const userArn = `${stsPartition}:iam::${stsAccount}:role/${role}`;
  const personArn = `${stsPartition}:sts::${stsAccount}:assumed-role/${RESERVED}${sessionName}`;
  const ofPerson = PERMISSION_SET.test(role) ? { personArn } : {};
  return { kind: "session", arn, accountId: stsAccount, userArn, name: role, sessionName, ...ofPerson };
}

/** Whether a role is one of IAM Identity Center's own, by its ARN with the path. */
export function isIdentityCenterRole(roleArn: string): boolean {
  return RESERVED_ROLE.test(roleArn);
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
  ["user", "federated", "role", "person"],
  "must be the ARN of an IAM user, a role, a federated user or a person of IAM Identity Center (`arn:aws:sts::<account>:assumed-role/aws-reserved/sso.amazonaws.com/<name>`)",
).transform((principal) => principal.userArn);
