import middy from "@middy/core";
import type { Context } from "aws-lambda";
import type * as z from "zod";
import type { Operation } from "../contract/operation.ts";
import type { Own } from "../contract/writing.ts";
import { authorizeCall } from "./authorize.ts";
import type { Call } from "./call.ts";
import { caller } from "./caller.ts";
import { inTime } from "./in-time.ts";
import { log } from "./log.ts";
import { once } from "./once.ts";
import { parse } from "./parse.ts";
import { reply } from "./reply.ts";

/**
 * Makes an operation a Lambda handler, for API Gateway and for direct invocation alike: who calls, is the input right, may
 * they; then `handle`.
 */
export function serve<Input extends z.ZodType, Output extends z.ZodType>(
  operation: Operation<Input, Output>,
  handle: (call: Call<Own<z.output<Input>>>) => Promise<z.input<Output>>,
): (event: unknown, context: Context) => Promise<unknown> {
  const answer: (event: unknown, context: Context) => Promise<unknown> = middy<unknown, unknown>()
    .use(log(operation))
    .use(caller(operation))
    .use(parse(operation))
    .use(reply())
    .handler((event: unknown) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `caller` and `parse` have made it so
      const call = event as Call<Own<z.output<Input>>>;
      return once(call, async () => {
        await authorizeCall(operation, call);
        return handle(call);
      });
    });
  return (event, context) => inTime(context, () => answer(event, context));
}
