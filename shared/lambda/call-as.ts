import type { Context } from "aws-lambda";
import * as z from "zod";
import type { Operation } from "../contract/operation.ts";
import { Fault, isFaultCode } from "../model/fault.ts";
import type { WebRequest } from "./web-request.ts";

/** Calls an operation, and answers with its output. @throws Fault as the operation says it */
export type CallOperation = <Input extends z.ZodType, Output extends z.ZodType>(
  operation: Operation<Input, Output>,
  input: z.input<Input>,
) => Promise<z.output<Output>>;

/** The handlers of operations by their names. */
export type Handlers = Readonly<Record<string, (event: unknown, context: Context) => Promise<unknown>>>;

/** As API Gateway verified them at an earlier request. */
export type Verified = { readonly CallerArn: string; readonly UserId: string };

const Reply = z.object({ statusCode: z.number(), body: z.string() });
const Refusal = z.object({ __type: z.string(), message: z.string() });

/**
 * Calls operations by their own handlers, as somebody who was verified before: what is asked, authorized, logged and recorded is as if they had
 * signed this very request, from the address and with the browser that it comes from.
 */
export function callAs(
  { CallerArn, UserId }: Verified,
  handlers: Handlers,
  { requestId, sourceIp, userAgent }: WebRequest,
  context: Context,
): CallOperation {
  return async (operation, input) => {
    const handler = handlers[operation.name];
    if (!handler) throw new Error(`${operation.name} is not served by this function`);
    const event = {
      headers: {},
      body: JSON.stringify(input),
      isBase64Encoded: false,
      requestContext: {
        requestId,
        http: { sourceIp, ...(userAgent === undefined ? {} : { userAgent }) },
        authorizer: { iam: { userArn: CallerArn, userId: UserId } },
      },
    };
    const { statusCode, body } = Reply.parse(await handler(event, context));
    if (statusCode === 200) return operation.output.parse(JSON.parse(body));
    const { __type, message } = Refusal.parse(JSON.parse(body));
    throw new Fault(isFaultCode(__type) ? __type : "InternalFailure", message);
  };
}
