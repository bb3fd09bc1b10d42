import { memberOf } from "./member-of.ts";

/** The part of `new Lambda({})` of `@aws-sdk/client-lambda` that is used; it is in every Node.js runtime of Lambda. */
export type LambdaInvoker = {
  invoke(
    input: { FunctionName: string; Payload: string },
    options: { abortSignal: AbortSignal },
  ): Promise<{ FunctionError?: string | undefined; Payload?: Uint8Array | undefined }>;
};

export type ClientOptions = {
  readonly lambda: LambdaInvoker;
  /** What stands before the operation in the names of the deployed functions: `stackwarden-prod-`. */
  readonly functionPrefix: string;
  /** Milliseconds for a call with all its retries; 3000 unless told. */
  readonly timeBudget?: number;
};

/**
 * Who asks: an ARN, or with what else is known of them. With `userId`, somebody made again under an old name is not taken for
 * whom they replaced; the rest is what policies' conditions on the request are decided by.
 */
export type Caller =
  | string
  | {
      readonly arn: string;
      readonly userId?: string | undefined;
      readonly sourceIp?: string | undefined;
      readonly userAgent?: string | undefined;
      readonly secureTransport?: boolean | undefined;
    };

export type Level = "deny" | "iam_only" | "show" | "deploy" | "manage";

/** One question: may this user do this, on a stack or (without one) in the account? */
export type Question = {
  /** The ARN of the user, role or role session. */
  readonly user: string;
  /** `opsworks:CreateDeployment` */
  readonly action: string;
  readonly stackId?: string;
  /** Of an action without a stack: the account's 12 digits. */
  readonly accountId?: string;
  /** Condition keys of the user's request that only the asker knows: `aws:SourceIp`, ... */
  readonly context?: Readonly<Record<string, string | boolean | readonly string[]>>;
};

export type Check = {
  readonly decision: boolean;
  readonly rule?: string;
  /** Why, in a sentence. */
  readonly reason?: string;
  readonly level?: string;
  /** `group/<name>` or `role/<name>` where the level is not the user's own. */
  readonly levelFrom?: string;
  /** When an import last read everybody's policies. */
  readonly policiesAsOf?: string;
  /** Of a batch: why this one could not be answered. */
  readonly error?: { readonly status: number; readonly code: string; readonly message: string };
};

export type Permission = {
  readonly StackId: string;
  readonly IamUserArn: string;
  readonly Level: Level;
  readonly AllowSsh: boolean;
  readonly AllowSudo: boolean;
};

/** The service refused, could not be reached in time, or answered what is no answer. Never to be taken for a yes. */
export class StackwardenError extends Error {
  override readonly name = "StackwardenError";
  /** The service's own (`AccessDeniedException`, `ServiceUnavailableException`, ...), or `InvocationException`: Lambda refused. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type Client = ReturnType<typeof createClient>;

/**
 * A client of Stackwarden for other Lambda functions, over direct invocation. `caller` is whoever asks, by ARN: the user
 * themselves, or the enforcement point's own role; never the account root or an administrator.
 *
 * Every method fails closed: it answers with what the service said, or throws {@link StackwardenError}.
 */
export function createClient({ lambda, functionPrefix, timeBudget = 3000 }: ClientOptions) {
  const call = (operation: string, caller: Caller, input: unknown, retried = READ_AGAIN): Promise<unknown> =>
    invokeInTime(lambda, `${functionPrefix}${operation}`, invocationOf(caller, input), timeBudget, retried);

  return {
    async check(caller: Caller, question: Question): Promise<Check> {
      return readCheck(await call("CheckAuthorization", caller, evaluationOf(question)));
    },

    /** Up to 100 questions in one round trip, answered in their order. */
    async checkAll(caller: Caller, questions: readonly Question[]): Promise<Check[]> {
      if (questions.length === 0) return [];
      const input = { evaluations: questions.map(evaluationOf) };
      const answers = memberOf(await call("BatchCheckAuthorization", caller, input), "evaluations");
      if (!Array.isArray(answers) || answers.length !== questions.length) throw garbage();
      return answers.map(readCheck);
    },

    async describePermissions(
      caller: Caller,
      of: { readonly stackId?: string; readonly user?: string },
    ): Promise<Permission[]> {
      const input = { StackId: of.stackId, IamUserArn: of.user };
      const rows = memberOf(await call("DescribePermissions", caller, input), "Permissions");
      if (!Array.isArray(rows)) throw garbage();
      return rows.map(readPermission);
    },

    /** Takes a deployment whose parameter `DirectWrites` is on. What is left out stays as it is. */
    async setPermission(
      caller: Caller,
      permission: Pick<Permission, "StackId" | "IamUserArn"> & Partial<Permission>,
    ): Promise<void> {
      await call("SetPermission", caller, permission, WRITE_AGAIN);
    },
  };
}

function invocationOf(caller: Caller, input: unknown): string {
  if (typeof caller === "string") return JSON.stringify({ caller, input });
  const { arn, userId, ...origin } = caller;
  return JSON.stringify({ caller: arn, userId, origin, input });
}

function evaluationOf({ user, action, stackId, accountId, context }: Question) {
  return {
    subject: { type: "user", id: user },
    action: { name: action },
    resource: stackId === undefined ? { type: "account", id: accountId } : { type: "stack", id: stackId },
    ...(context ? { context } : {}),
  };
}

/** Invokes until there is an answer, a refusal, or no time left. */
async function invokeInTime(
  lambda: LambdaInvoker,
  FunctionName: string,
  Payload: string,
  timeBudget: number,
  retried: ReadonlySet<string>,
): Promise<unknown> {
  const deadline = Date.now() + timeBudget;
  for (let tries = 1; ; tries += 1) {
    try {
      return await invokeOnce(lambda, FunctionName, Payload, deadline - Date.now());
    } catch (error) {
      const failure = toError(error);
      const pause = Math.random() * 50 * 2 ** tries;
      if (!retried.has(failure.code) || Date.now() + pause >= deadline) throw failure;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** A read may be asked again whatever became of it; a write only when it was turned away, since it may have been done. */
const READ_AGAIN: ReadonlySet<string> = new Set([
  "ThrottlingException",
  "ServiceUnavailableException",
  "InternalFailure",
]);
const WRITE_AGAIN: ReadonlySet<string> = new Set(["ThrottlingException"]);

async function invokeOnce(
  lambda: LambdaInvoker,
  FunctionName: string,
  Payload: string,
  timeLeft: number,
): Promise<unknown> {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  // An invoker that does not heed the signal is not waited for either.
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        abort.abort();
        reject(new StackwardenError("ServiceUnavailableException", "no answer in time"));
      },
      Math.max(0, timeLeft),
    );
  });
  try {
    const invoked = lambda.invoke({ FunctionName, Payload }, { abortSignal: abort.signal });
    const output = await Promise.race([invoked, tooLate]);
    const answer = readPayload(output.Payload);
    if (output.FunctionError !== undefined) throw functionError(answer);
    return answer;
  } finally {
    clearTimeout(timer);
  }
}

function readPayload(payload: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload));
  } catch (error) {
    throw garbage(error);
  }
}

/** What the function threw: `{"errorType", "errorMessage"}`; a crash or a time-out of Lambda itself has no type of ours. */
function functionError(answer: unknown): StackwardenError {
  const [code, message] = [memberOf(answer, "errorType"), memberOf(answer, "errorMessage")];
  const isOurs = typeof code === "string" && /^[A-Za-z]+(?:Exception|Failure)$/.test(code);
  return new StackwardenError(
    isOurs ? code : "ServiceUnavailableException",
    typeof message === "string" ? message : "the function failed",
  );
}

function toError(error: unknown): StackwardenError {
  if (error instanceof StackwardenError) return error;
  const name = error instanceof Error ? error.name : "";
  const isRefusal =
    /AccessDenied|ResourceNotFound|InvalidParameter|RequestTooLarge|UnrecognizedClient|ExpiredToken/.test(
      name,
    );
  const code = name.startsWith("TooManyRequests") ? "ThrottlingException" : "ServiceUnavailableException";
  const message = error instanceof Error ? error.message : "the function could not be invoked";
  return new StackwardenError(isRefusal ? "InvocationException" : code, message, { cause: error });
}

function readCheck(answer: unknown): Check {
  const decision = memberOf(answer, "decision");
  if (typeof decision !== "boolean") throw garbage();
  const context = memberOf(answer, "context");
  const text = (name: string) => {
    const value = memberOf(context, name);
    return typeof value === "string" ? { [name]: value } : {};
  };
  const error = memberOf(context, "error");
  return {
    decision,
    ...text("rule"),
    ...text("reason"),
    ...text("level"),
    ...text("levelFrom"),
    ...text("policiesAsOf"),
    ...(error === undefined ? {} : { error: readError(error) }),
  };
}

function readError(error: unknown) {
  const [status, code, message] = [
    memberOf(error, "status"),
    memberOf(error, "code"),
    memberOf(error, "message"),
  ];
  return { status: Number(status), code: String(code), message: String(message) };
}

const LEVELS: readonly Level[] = ["deny", "iam_only", "show", "deploy", "manage"];

function readPermission(row: unknown): Permission {
  const Level = LEVELS.find((level) => level === memberOf(row, "Level"));
  const [StackId, IamUserArn] = [memberOf(row, "StackId"), memberOf(row, "IamUserArn")];
  const [AllowSsh, AllowSudo] = [memberOf(row, "AllowSsh"), memberOf(row, "AllowSudo")];
  const isWhole =
    typeof StackId === "string" &&
    typeof IamUserArn === "string" &&
    typeof AllowSsh === "boolean" &&
    typeof AllowSudo === "boolean";
  if (!Level || !isWhole) throw garbage();
  return { StackId, IamUserArn, Level, AllowSsh, AllowSudo };
}

function garbage(cause?: unknown): StackwardenError {
  return new StackwardenError("ServiceUnavailableException", "the answer makes no sense", { cause });
}
