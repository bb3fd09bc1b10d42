import type { MiddlewareObj } from "@middy/core";
import type { APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import { toFault } from "./to-fault.ts";
import type { Internal } from "./via.ts";

const HEADERS = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

/**
 * Answers: over the gateway as HTTP, to an invoking Lambda with the output itself or the error thrown. What is no fault of
 * the closed set tells the caller `InternalFailure` and nothing else.
 */
export function reply(): MiddlewareObj<unknown, unknown, Error, Context, Internal> {
  return {
    after: (request) => {
      if (request.internal.via?.isGateway)
        request.response = respond(200, request.response ?? {}, request.internal);
    },
    onError: (request) => {
      const fault = toFault(request.error);
      // Lambda sends the stack to an invoker.
      fault.stack = `${fault.name}: ${fault.message}`;
      request.error = fault;
      if (!request.internal.via?.isGateway) return;
      const body = { __type: fault.name, message: fault.message };
      request.response = respond(fault.statusCode, body, request.internal, {
        "x-amzn-errortype": fault.name,
      });
    },
  };
}

function respond(
  statusCode: number,
  body: unknown,
  { via }: Internal,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyStructuredResultV2 {
  const echoed = via?.requestIdHeader === undefined ? {} : { "x-request-id": via.requestIdHeader };
  return { statusCode, headers: { ...HEADERS, ...echoed, ...headers }, body: JSON.stringify(body) };
}
