import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import * as z from "zod";
import { Event } from "../model/event.ts";
import { Fault } from "../model/fault.ts";
import { getItems } from "./get-items.ts";
import { DAY_INDEX, INDEX, indexKeys, isOfEvent, keys } from "./keys.ts";
import { queryPage } from "./list.ts";
import type { Table } from "./table.ts";
import { putNew, type Write } from "./write.ts";

/**
 * Appends an event to its stack's trail, or to its user's when it is about no stack; found by the user either way, and by its day.
 * An event is never written over.
 */
export function appendEvent(table: Table, event: Event): Write {
  const at = `${event.Time}#${event.EventId}`;
  const { StackId: stackId, IamUserArn: userArn } = event;
  if (stackId === undefined && userArn === undefined)
    throw new TypeError("an event is about a stack or a user");
  const key = stackId === undefined ? keys.userEvent(userArn ?? "", at) : keys.stackEvent(stackId, at);
  const found = stackId !== undefined && userArn !== undefined ? indexKeys.userEvents(userArn, at) : {};
  const there = () => new Fault("ConflictException", "the event is there already");
  return putNew(table, key, { ...event, ...found, ...indexKeys.dayEvents(dayOf(at), at) }, there);
}

/** The event that a change of the table, as its stream tells it, added; none if it was another change. */
export function addedEvent(change: {
  readonly Keys: { readonly pk: { readonly S: string } };
  readonly NewImage?: unknown;
  readonly OldImage?: unknown;
}): Event[] {
  if (!isOfEvent(change.Keys.pk.S) || change.NewImage === undefined || change.OldImage !== undefined)
    return [];
  return [Event.parse(unmarshall(Image.parse(change.NewImage)))];
}

/** Attributes as DynamoDB spells them: each an object of one member, its type. */
const Image = z.record(
  z.string(),
  z.custom<AttributeValue>((value) => typeof value === "object"),
);

/** Of a stack, of a user, or of the whole account. */
export type TrailOf = { readonly stackId: string } | { readonly userArn: string } | "account";

/** From a time to a time, both included, as events spell them. */
export type Span = { readonly from: string; readonly to: string };

/** Where an event stands in its trail. */
function placeOf({ Time, EventId }: Event): string {
  return `${Time}#${EventId}`;
}

/** Greater than the id of any event. */
const LAST = "#~";
const MAX_DAYS = 100;
const MAX_TOGETHER = 16;
const PAGE = 1000;

/**
 * A page of a trail, the newest first, up to `limit` events; `before` is where the page before ended. The account's is asked day by day, so
 * a page may be short, or empty, and another one follow.
 */
export async function trailPage(
  table: Table,
  of: TrailOf,
  { from, to }: Span,
  limit: number,
  before: string | undefined,
): Promise<{ page: Event[]; next: string | undefined }> {
  const upTo = before ?? `${to}${LAST}`;
  // Of a span that ends before it begins there is nothing, and DynamoDB takes none.
  if (upTo < from) return { page: [], next: undefined };
  if (of === "account") return accountPage(table, from, upTo, limit, before);
  const sources = await Promise.all(
    sourcesOf(of).map((source) => eventsBetween(table, source, from, upTo, limit + 1)),
  );
  const found = sources
    .flat()
    .filter((event) => placeOf(event) !== before)
    .toSorted((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1));
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { page, next: last && found.length > page.length ? placeOf(last) : undefined };
}

/** All of a trail's events of these operations, the oldest first; of a stack and of a user's own, read consistently. */
export async function* eventsOf(
  table: Table,
  source: Source,
  { from, to }: Span,
  operations: readonly string[],
): AsyncGenerator<Event> {
  const names = operations.map((_name, index) => `:o${index}`);
  const query = {
    ...queryOf(source, from, `${to}${LAST}`),
    FilterExpression: `Operation IN (${names.join(", ")})`,
  };
  const values = Object.fromEntries(operations.map((name, index) => [`:o${index}`, name]));
  let start: Record<string, unknown> | undefined;
  do {
    const ExpressionAttributeValues = { ...query.ExpressionAttributeValues, ...values };
    const found = await queryPage(table, { ...query, ExpressionAttributeValues }, PAGE, start);
    for (const item of found.items) yield Event.parse(item);
    start = found.next;
  } while (start !== undefined);
}

/** Where events are: of a stack; of a user, about no stack; or those of stacks about a user. */
export type Source = { readonly pk: string; readonly index?: string };

export const sources = {
  ofStack: (stackId: string): Source => ({ pk: keys.stackEvent(stackId, "").pk }),
  ofUser: (userArn: string): Source => ({ pk: keys.userEvent(userArn, "").pk }),
  aboutUser: (userArn: string): Source => ({ pk: indexKeys.userEvents(userArn, "").gsi1pk, index: INDEX }),
};

function sourcesOf(of: Exclude<TrailOf, "account">): Source[] {
  if ("stackId" in of) return [sources.ofStack(of.stackId)];
  return [sources.ofUser(of.userArn), sources.aboutUser(of.userArn)];
}

async function eventsBetween(
  table: Table,
  source: Source,
  from: string,
  upTo: string,
  limit: number,
): Promise<Event[]> {
  const query = { ...queryOf(source, from, upTo), ScanIndexForward: false };
  const { items } = await queryPage(table, query, limit, undefined);
  return items.map((item) => Event.parse(item));
}

function queryOf({ pk, index }: Source, from: string, upTo: string) {
  const name = index ?? "";
  return {
    ...(index === undefined ? { ConsistentRead: true } : { IndexName: index }),
    KeyConditionExpression: `${name}pk = :trail AND ${name}sk BETWEEN :from AND :to`,
    ExpressionAttributeValues: { ":trail": pk, ":from": from, ":to": upTo },
  };
}

/** The index has the keys alone; the events are read from the table. Where days are empty, more of them are asked at once. */
async function accountPage(
  table: Table,
  from: string,
  upTo: string,
  limit: number,
  before: string | undefined,
): Promise<{ page: Event[]; next: string | undefined }> {
  const places: { pk: string; sk: string }[] = [];
  let day = dayOf(upTo);
  for (let asked = 0, together = 1; day >= dayOf(from); together = Math.min(together * 2, MAX_TOGETHER)) {
    if (asked >= MAX_DAYS) return { page: await eventsAt(table, places), next: `${day}T~` };
    const days: string[] = [];
    for (; days.length < together && day >= dayOf(from); day = dayBefore(day)) days.push(day);
    asked += days.length;
    const found = await Promise.all(
      days.map((one) => placesOfDay(table, one, from, upTo, limit - places.length + 1)),
    );
    places.push(...found.flat().filter(({ sk }) => sk !== before));
    const last = places[limit - 1];
    if (places.length > limit && last)
      return { page: await eventsAt(table, places.slice(0, limit)), next: last.sk };
  }
  return { page: await eventsAt(table, places), next: undefined };
}

async function placesOfDay(table: Table, day: string, from: string, upTo: string, limit: number) {
  const source = { pk: indexKeys.dayEvents(day, "").gsi2pk, index: DAY_INDEX };
  const query = { ...queryOf(source, from, upTo), ScanIndexForward: false };
  const { items } = await queryPage(table, query, limit, undefined);
  return items.map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) }));
}

async function eventsAt(table: Table, places: readonly { pk: string; sk: string }[]): Promise<Event[]> {
  const items = await getItems(table, places);
  return places.map((place) => Event.parse(items.get(place)));
}

function dayOf(at: string): string {
  return at.slice(0, 10);
}

function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}
