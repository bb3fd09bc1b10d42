/** The primary key of an item. */
export type Key = { readonly pk: string; readonly sk: string };

/** The index that finds candidates; decisions read the table itself. */
export const INDEX = "gsi1";

/** The index that finds the events of a day, all of the account's. */
export const DAY_INDEX = "gsi2";

/** Every key of the table is spelled here and nowhere else. */
export const keys = {
  stack: (stackId: string): Key => ({ pk: `STACK#${stackId}`, sk: "STACK" }),
  /** Apart from the stack, since they hold secrets and a function's role is given whole partitions. */
  stackSettings: (stackId: string): Key => ({ pk: `SETTINGS#${stackId}`, sk: "SETTINGS" }),
  /** Of a stack, in a partition of their own for the same reason. */
  layer: (stackId: string, layerId: string): Key => ({ pk: `LAYERS#${stackId}`, sk: layerId }),
  /** Which stack a layer is of; never changed. */
  layerPlace: (layerId: string): Key => ({ pk: `LAYER#${layerId}`, sk: "LAYER" }),
  /** Of a stack, in a partition of their own as layers are. */
  instance: (stackId: string, instanceId: string): Key => ({ pk: `INSTANCES#${stackId}`, sk: instanceId }),
  /** Which stack an instance is of; never changed. */
  instancePlace: (instanceId: string): Key => ({ pk: `INSTANCE#${instanceId}`, sk: "INSTANCE" }),
  /** Which instance an EC2 instance is registered as. */
  ec2Instance: (ec2InstanceId: string): Key => ({ pk: `EC2#${ec2InstanceId}`, sk: "EC2" }),
  /** What an instance's passwords are encrypted for. */
  instanceKey: (instanceId: string): Key => ({ pk: `LOGINS#${instanceId}`, sk: "KEY" }),
  instanceLogin: (instanceId: string, loginId: string): Key => ({
    pk: `LOGINS#${instanceId}`,
    sk: `LOGIN#${loginId}`,
  }),
  /** That somebody was given a login to the instance a moment ago. */
  latestLogin: (instanceId: string, userArn: string): Key => ({
    pk: `LOGINS#${instanceId}`,
    sk: `LATEST#${userArn}`,
  }),
  /** A request of an instance that was answered. */
  nonce: (instanceId: string, nonce: string): Key => ({ pk: `NONCE#${instanceId}#${nonce}`, sk: "NONCE" }),
  /** A stack that is being copied and is not there yet. */
  unfinishedClone: (stackId: string): Key => ({ pk: `STACK#${stackId}`, sk: "CLONE" }),
  /** Renewed with every change of a user's grant on the stack. */
  grants: (stackId: string): Key => ({ pk: `STACK#${stackId}`, sk: "GRANTS" }),
  grant: (stackId: string, userArn: string): Key => ({ pk: `STACK#${stackId}`, sk: `GRANT#${userArn}` }),
  user: (userArn: string): Key => ({ pk: `USER#${userArn}`, sk: "USER" }),
  /** Who has a login name; names that differ only in case are one. */
  sshUsername: (name: string): Key => ({ pk: `SSHNAME#${name.toLowerCase()}`, sk: "SSHNAME" }),
  unixIds: (): Key => ({ pk: "UNIXIDS", sk: "UNIXIDS" }),
  /** What IAM said of a user whose profile was deleted. */
  iamFacts: (userArn: string): Key => ({ pk: `USER#${userArn}`, sk: "IAM" }),
  /** The last import, and how old what it read is. */
  sync: (): Key => ({ pk: "SYNC", sk: "SYNC" }),
  /** The names of the account's groups. */
  groups: (): Key => ({ pk: "GROUPS", sk: "GROUPS" }),
  /** Which role an instance profile holds. */
  instanceProfile: (arn: string): Key => ({ pk: `PROFILE#${arn}`, sk: "PROFILE" }),
  /** What became of a request that its caller gave a token. */
  clientToken: (caller: string, token: string): Key => ({ pk: `TOKEN#${caller}#${token}`, sk: "TOKEN" }),
  policy: (hash: string): Key => ({ pk: `POLICY#${hash}`, sk: "POLICY" }),
  /** By the hash of a token, which is nowhere kept itself. */
  signInToken: (hash: string): Key => ({ pk: `SIGNIN#${hash}`, sk: "SIGNIN" }),
  consoleSession: (hash: string): Key => ({ pk: `SESSION#${hash}`, sk: "SESSION" }),
  stackEvent: (stackId: string, at: string): Key => ({ pk: `EVENTS#STACK#${stackId}`, sk: at }),
  userEvent: (userArn: string, at: string): Key => ({ pk: `EVENTS#USER#${userArn}`, sk: at }),
};

/** Whether an item with that partition key is an event. */
export function isOfEvent(pk: string): boolean {
  return pk.startsWith("EVENTS#");
}

/** The index keys: what lists of stacks, of users, of a user's grants and of a user's events are found by. */
export const indexKeys = {
  stacks: (name: string, stackId: string) => ({ gsi1pk: "STACKS", gsi1sk: `${name}#${stackId}` }),
  users: (userArn: string) => ({ gsi1pk: "USERS", gsi1sk: userArn }),
  userGrants: (userArn: string, stackId: string) => ({
    gsi1pk: `USER#${userArn}`,
    gsi1sk: `GRANT#${stackId}`,
  }),
  userEvents: (userArn: string, at: string) => ({ gsi1pk: `EVENTS#USER#${userArn}`, gsi1sk: at }),
  dayEvents: (day: string, at: string) => ({ gsi2pk: `EVENTS#DAY#${day}`, gsi2sk: at }),
};

/** A key as one text, to find an item by. */
export function keyText({ pk, sk }: Key): string {
  return `${pk}\n${sk}`;
}
