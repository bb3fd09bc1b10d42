import type { MiddlewareObj } from "@middy/core";
import type { APIGatewayProxyEventV2WithIAMAuthorizer, Context } from "aws-lambda";
import { isIP } from "node:net";
import * as z from "zod";
import type { Subject } from "../access/who.ts";
import type { Deployment } from "../access/deployment.ts";
import { NOTHING_READ } from "../access/snapshot.ts";
import type { Operation } from "../contract/operation.ts";
import { Fault } from "../model/fault.ts";
import { type Principal, readPrincipal } from "../model/principal.ts";
import type { Call } from "./call.ts";
import { isGatewayEvent } from "./via.ts";
import { areDirectWritesOn, deploymentOf } from "./environment.ts";

/** The part of an API Gateway HTTP API event (payload 2.0, IAM authorizer) that is relied on. */
const GatewayEvent = z.object({
  body: z.string().optional(),
  isBase64Encoded: z.boolean(),
  requestContext: z.object({
    requestId: z.string(),
    http: z.object({ sourceIp: z.string(), userAgent: z.string().optional() }),
    authorizer: z.object({ iam: z.object({ userArn: z.string(), userId: z.string() }) }),
  }),
}) satisfies z.ZodType<DeepPartial<APIGatewayProxyEventV2WithIAMAuthorizer>>;

type DeepPartial<T> = T extends object ? { [K in keyof T]?: DeepPartial<T[K]> | undefined } : T;

/** What another Lambda sends. */
const Invocation = z.strictObject({
  caller: z.string().max(640),
  /** The caller's unique id and the origin of the caller's request, where the invoker knows them. */
  userId: z.string().max(256).optional(),
  origin: z
    .strictObject({
      sourceIp: z
        .string()
        .max(64)
        .refine((text) => isIP(text) !== 0),
      userAgent: z.string().max(4096),
      secureTransport: z.boolean(),
    })
    .partial()
    .optional(),
  input: z.unknown().optional(),
});

/** Finds out who sent the request; nothing in its body or headers has a say in it. */
export function caller(operation: Pick<Operation, "name" | "reads">): MiddlewareObj {
  return {
    before: (request) => {
      const deployment = deploymentOf(request.context);
      const event: unknown = request.event;
      request.event = isGatewayEvent(event, request.context)
        ? fromGateway(operation.name, event, deployment)
        : fromInvocation(operation, event, request.context, deployment);
    },
  };
}

function fromGateway(operation: string, event: unknown, deployment: Deployment): Call {
  const { body, isBase64Encoded, requestContext } = GatewayEvent.parse(event);
  const { iam } = requestContext.authorizer;
  const { sourceIp, userAgent } = requestContext.http;
  const principal = readCaller(iam.userArn);
  if (!principal) throw new Fault("AccessDeniedException", "the caller is no user, role or account root");
  return {
    operation,
    via: "gateway",
    requestId: requestContext.requestId,
    now: new Date(),
    deployment,
    caller: { principal, userId: iam.userId },
    origin: { sourceIp, ...(userAgent === undefined ? {} : { userAgent }), secureTransport: true },
    input: isBase64Encoded ? Buffer.from(body ?? "", "base64").toString("utf8") : (body ?? ""),
    snapshot: NOTHING_READ,
  };
}

/**
 * IAM decides who may invoke a function; whoever may, names the caller, but neither the account root nor an administrator,
 * and for a writing operation only where the deployment says so.
 */
function fromInvocation(
  { name, reads }: Pick<Operation, "name" | "reads">,
  event: unknown,
  context: Context,
  deployment: Deployment,
): Call {
  const invocation = Invocation.safeParse(event);
  if (!invocation.success) {
    throw new Fault(
      "ValidationException",
      'an invocation is `{"caller": "<arn>", "userId"?: "<id>", "origin"?: {"sourceIp"?, "userAgent"?, "secureTransport"?}, "input": {...}}`',
    );
  }
  const { userId, origin = {} } = invocation.data;
  const caller = directCaller(invocation.data.caller, deployment);
  if (!reads && !areDirectWritesOn()) {
    throw new Fault(
      "AccessDeniedException",
      "direct invocation may not write: the parameter DirectWrites is off",
    );
  }
  return {
    operation: name,
    via: "invocation",
    requestId: context.awsRequestId,
    now: new Date(),
    deployment,
    caller: { ...caller, ...(userId === undefined ? {} : { userId }) },
    origin,
    input: invocation.data.input,
    snapshot: NOTHING_READ,
  };
}

/** A person of Identity Center calls by a session, whose role has the policies. */
function readCaller(arn: string): Principal | undefined {
  const principal = readPrincipal(arn);
  return principal?.kind === "person" ? undefined : principal;
}

function directCaller(arn: string, { administrators }: Deployment): Subject {
  const principal = readCaller(arn);
  if (!principal)
    throw new Fault("ValidationException", "`caller` must be the ARN of a user, a role or a role session");
  if (principal.kind === "root" || administrators.has(principal.userArn)) {
    throw new Fault(
      "AccessDeniedException",
      "an invoker may name neither the account root nor an administrator",
    );
  }
  return { principal };
}
