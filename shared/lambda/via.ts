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

export function viaOf(event: unknown): Via {
  const startedAt = performance.now();
  if (!isGatewayEvent(event)) return { startedAt, isGateway: false };
  const header = event.headers?.["x-request-id"];
  const isPlain = typeof header === "string" && /^[\w.:-]{1,128}$/.test(header);
  return { startedAt, isGateway: true, ...(isPlain ? { requestIdHeader: header } : {}) };
}

export function isGatewayEvent(
  event: unknown,
): event is { requestContext: unknown; headers?: Record<string, unknown> } {
  return typeof event === "object" && event !== null && "requestContext" in event;
}
