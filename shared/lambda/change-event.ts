import { randomUUID } from "node:crypto";
import type { Event } from "../model/event.ts";
import type { Call } from "./call.ts";

/** The event of a change that a call makes. */
export function changeEvent(
  call: Call,
  change: Pick<Event, "StackId" | "IamUserArn" | "Before" | "After">,
): Event {
  const { sourceIp, userAgent } = call.origin;
  return {
    EventId: randomUUID(),
    Time: call.now.toISOString(),
    Operation: call.operation,
    Caller: call.caller.principal.arn,
    ...(sourceIp === undefined ? {} : { SourceIp: sourceIp }),
    ...(userAgent === undefined ? {} : { UserAgent: userAgent }),
    ...change,
  };
}
