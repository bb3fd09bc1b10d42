import type { Caller, Client } from "./client.ts";
import { StackwardenError } from "./client.ts";
import { memberOf } from "./member-of.ts";

/** What middy hands to a `before` hook, as far as it matters here. */
type Request = { readonly event: unknown };
type Refusal = { statusCode: number; headers: Record<string, string>; body: string };

export type RequirePermissionOptions = {
  readonly client: Pick<Client, "check">;
  /** `opsworks:CreateDeployment` */
  readonly action: string;
  /** Which stack the request is about; without one it is answered 400. */
  // oxlint-disable-next-line typescript/no-explicit-any -- what the event is, the function's author knows
  readonly stackId: (event: any) => string;
};

/**
 * A middy middleware that lets a request through to the handler only if its caller may perform the action on the stack. The
 * caller is who API Gateway verified (IAM authorizer), never what the request says.
 *
 * What it believes is the event, so a right to invoke the guarded function itself is a right to act as anybody. The account root and
 * administrators are refused, since an invoker may not name them.
 *
 * Answers 403 with the reason, 400 when the request names no stack, or 503 when there is no answer to be had: never lets through in doubt.
 */
export function requirePermission({ client, action, stackId }: RequirePermissionOptions) {
  return {
    before: async ({ event }: Request): Promise<Refusal | undefined> => {
      const caller = verifiedCaller(event);
      const user = caller?.arn;
      if (caller === undefined || user === undefined)
        return refuse(403, "AccessDeniedException", "the caller is not known: no IAM authorizer verified it");
      const stack = stackOf(stackId, event);
      if (stack === undefined) return refuse(400, "ValidationException", "the request names no stack");
      try {
        const { decision, reason } = await client.check(caller, { user, action, stackId: stack });
        if (decision) return undefined;
        const message = `User: ${user} is not authorized to perform: ${action}${reason ? ` (${reason})` : ""}`;
        return refuse(403, "AccessDeniedException", message);
      } catch (error) {
        // Only what the service itself refuses is for the caller to read; the rest is about how this function is set up.
        if (error instanceof StackwardenError && error.code === "AccessDeniedException") {
          return refuse(403, error.code, error.message);
        }
        return refuse(
          503,
          "ServiceUnavailableException",
          "whether this is allowed could not be found out, try again",
        );
      }
    },
  };
}

function stackOf(stackId: (event: unknown) => unknown, event: unknown): string | undefined {
  try {
    const id = stackId(event);
    return typeof id === "string" && id !== "" ? id : undefined;
  } catch {
    return undefined;
  }
}

function refuse(statusCode: number, code: string, message: string): Refusal {
  return {
    statusCode,
    headers: { "content-type": "application/json", "x-amzn-errortype": code },
    body: JSON.stringify({ __type: code, message }),
  };
}

/** From an HTTP API with IAM authorization, or from a REST API with it. */
function verifiedCaller(event: unknown): (Caller & { readonly arn: string }) | undefined {
  const context = memberOf(event, "requestContext");
  const [http, iam] = [memberOf(context, "http"), memberOf(memberOf(context, "authorizer"), "iam")];
  const rest = memberOf(context, "identity");
  const arn = textOf(iam, "userArn") ?? textOf(rest, "userArn");
  if (arn === undefined) return undefined;
  return {
    arn,
    userId: textOf(iam, "userId") ?? textOf(rest, "user"),
    sourceIp: textOf(http, "sourceIp") ?? textOf(rest, "sourceIp"),
    userAgent: textOf(http, "userAgent") ?? textOf(rest, "userAgent"),
    secureTransport: true,
  };
}

function textOf(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === "string" && member !== "" ? member : undefined;
}
