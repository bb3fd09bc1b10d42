import type { MiddlewareObj } from "@middy/core";
import type { Operation } from "../contract/operation.ts";
import { Intent } from "../contract/writing.ts";
import { describeIssues } from "../model/describe-issues.ts";
import { Fault } from "../model/fault.ts";
import type { Call } from "./call.ts";

/** Far more than any operation takes. */
const MAX_BODY = 262_144;

/** Holds the input to the operation's schema, and takes apart what is about the writing and what is the operation's own. */
export function parse(operation: Operation): MiddlewareObj<Call> {
  return {
    before: ({ event: call }) => {
      const input = call.via === "gateway" ? readBody(String(call.input)) : (call.input ?? {});
      const parsed = operation.input.safeParse(input);
      if (!parsed.success) throw new Fault("ValidationException", describeIssues(parsed.error.issues, input));
      if (operation.reads) {
        call.input = parsed.data;
        return;
      }
      const { Reason, ClientToken, IfVersion, ...own } = Intent.parse(parsed.data);
      const intent = { reason: Reason, clientToken: ClientToken, ifVersion: IfVersion };
      Object.assign(call, { input: own, ...intent });
    },
  };
}

function readBody(body: string): unknown {
  if (body.length > MAX_BODY)
    throw new Fault("ValidationException", `the body is larger than ${MAX_BODY} characters`);
  if (body.trim() === "") return {};
  try {
    return JSON.parse(body);
  } catch {
    // What JSON.parse says quotes the body, and would end up in the log.
    throw new Fault("ValidationException", "the body is not JSON");
  }
}
