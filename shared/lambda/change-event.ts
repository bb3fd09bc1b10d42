import { randomUUID } from "node:crypto";
import type { Event } from "../model/event.ts";
import type { Call } from "./call.ts";

/**
 * The event of a change that a call makes. Its time is that of this attempt, not of the request, so that changes which had
 * to wait for one another stand in the trail in the order in which they were made.
 */
export function changeEvent(
  call: Call,
  change: Pick<Event, "StackId" | "IamUserArn" | "ProfileId" | "GroupName" | "Before" | "After">,
): Event {
  const { sourceIp, userAgent } = call.origin;
  return {
    EventId: randomUUID(),
    Time: new Date().toISOString(),
    Operation: call.operation,
    Caller: call.caller.principal.arn,
    ...(sourceIp === undefined ? {} : { SourceIp: sourceIp }),
    ...(userAgent === undefined ? {} : { UserAgent: userAgent }),
    ...(call.reason === undefined ? {} : { Reason: call.reason }),
    ...change,
  };
}
