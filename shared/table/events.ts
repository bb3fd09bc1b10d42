import { Fault } from "../model/fault.ts";
import type { Event } from "../model/event.ts";
import { indexKeys, keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putNew, type Write } from "./write.ts";

/**
 * Appends an event to its stack's trail, or to its user's when it is about no stack; found by the user either way. An
 * event is never written over.
 */
export function appendEvent(table: Table, event: Event): Write {
  const at = `${event.Time}#${event.EventId}`;
  const { StackId: stackId, IamUserArn: userArn } = event;
  if (stackId === undefined && userArn === undefined)
    throw new TypeError("an event is about a stack or a user");
  const key = stackId === undefined ? keys.userEvent(userArn ?? "", at) : keys.stackEvent(stackId, at);
  const found = stackId !== undefined && userArn !== undefined ? indexKeys.userEvents(userArn, at) : {};
  const there = () => new Fault("ConflictException", "the event is there already");
  return putNew(table, key, { ...event, ...found }, there);
}
