import type { Context } from "aws-lambda";

/** How a request came in, known before anything of it is read. */
export type Via = {
  readonly startedAt: number;
  /** Over API Gateway, so that the answer is HTTP; else a direct invocation, answered with the output or the error itself. */
  readonly isGateway: boolean;
  /** AuthZEN's `X-Request-ID`, sent back as it came. */
  readonly requestIdHeader?: string;
};

/** What middy keeps beside the event. */
export type Internal = { via?: Via };

export function viaOf(event: unknown, context: Context): Via {
  const startedAt = performance.now();
  if (!isGatewayEvent(event, context)) return { startedAt, isGateway: false };
  const header = event.headers?.["x-request-id"];
  const isPlain = typeof header === "string" && /^[\w.:-]{1,128}$/.test(header);
  return { startedAt, isGateway: true, ...(isPlain ? { requestIdHeader: header } : {}) };
}

/** The alias that API Gateway invokes a function by; `infra/gateway-alias.cjs` makes it. */
const GATEWAY_ALIAS = "gateway";

/**
 * Whether an event comes from API Gateway. What it looks like proves nothing, since whoever may invoke a function sends it what
 * they like; the alias does, since a right to invoke the function is none to invoke its alias.
 *
 * Source: Lambda developer guide, "Identity-based IAM policies for Lambda: function access, qualified ARNs".
 */
export function isGatewayEvent(
  event: unknown,
  context: Context,
): event is { headers?: Record<string, unknown> } {
  const [, , , , , , , alias] = context.invokedFunctionArn.split(":");
  return alias === GATEWAY_ALIAS && typeof event === "object" && event !== null;
}
