import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { Event } from "../model/event.ts";
import { Fault } from "../model/fault.ts";
import { IamFacts, User } from "../model/user.ts";
import { appendEvent } from "./events.ts";
import { getItems } from "./get-items.ts";
import { INDEX, indexKeys, keys } from "./keys.ts";
import { queryPage, readCursor, writeCursor } from "./list.ts";
import type { Table } from "./table.ts";
import {
  mustBe,
  mustExist,
  mustStay,
  put,
  putOver,
  putOverRead,
  removeAt,
  transact,
  type Write,
} from "./write.ts";

/** `Revision` is new with each write; without it, it was written by an earlier version. */
const KeptFacts = IamFacts.extend({ Revision: z.string().optional() });

export function noSuchUser(userArn: string): Fault {
  return new Fault("ResourceNotFoundException", `Unable to find user with ARN ${userArn}`);
}

export function readUser(item: unknown): User | undefined {
  return item === undefined ? undefined : User.parse(item);
}

/** Puts a user in place of the one with that revision; `undefined`: a new one. */
export function putUser(table: Table, user: User, revision: string | undefined): Write {
  const item = { ...user, ...indexKeys.users(user.IamUserArn) };
  return putOver(table, keys.user(user.IamUserArn), item, revision, () => changedMeanwhile(user.IamUserArn));
}

/** Removes a user's profile; what IAM said of the user stays. */
export function removeUser(table: Table, user: User): Write[] {
  const changed = () => changedMeanwhile(user.IamUserArn);
  return [
    removeAt(table, keys.user(user.IamUserArn), user.Revision, changed),
    put(table, keys.iamFacts(user.IamUserArn), { ...IamFacts.parse(user), Revision: randomUUID() }),
  ];
}

/**
 * What IAM said of somebody whose profile was deleted; of a stranger, nothing. Whoever makes a profile of it holds the table to it: it is
 * new with each deletion, so a request that comes late makes nobody who was made and deleted meanwhile.
 */
export async function readIamFacts(
  table: Table,
  userArn: string,
): Promise<{ facts: IamFacts; mustStay: Write }> {
  const key = keys.iamFacts(userArn);
  const item = (await getItems(table, [key])).get(key);
  const { Revision, ...facts } = KeptFacts.parse(item ?? { Groups: [], Policies: [], Tags: {} });
  return { facts, mustStay: mustStay(table, key, Revision, () => changedMeanwhile(userArn)) };
}

/**
 * Keeps what IAM says of somebody who has no profile, if anything was kept of them and it was something else; with its event.
 * @throws Fault ConflictException when there is a profile by now, which was made of what was kept before, or when that was changed
 */
export async function refreshIamFacts(
  table: Table,
  userArn: string,
  facts: IamFacts,
  eventOf: (before: IamFacts) => Event,
): Promise<void> {
  const key = keys.iamFacts(userArn);
  const item = (await getItems(table, [key])).get(key);
  if (item === undefined) return;
  const { Revision, ...before } = KeptFacts.parse(item);
  if (isDeepStrictEqual(before, facts)) return;
  const changed = () => changedMeanwhile(userArn);
  const refreshed = { ...facts, Revision: randomUUID() };
  await transact(table, [
    mustBe(table, keys.user(userArn), undefined, changed),
    putOverRead(table, key, refreshed, Revision, changed),
    appendEvent(table, eventOf(before)),
  ]);
}

/** The user is to be there, and still the same one. */
export function userMustBe(table: Table, user: User): Write {
  return mustExist(table, keys.user(user.IamUserArn), () => noSuchUser(user.IamUserArn), {
    conditions: ["ProfileId = :profile"],
    values: { ":profile": user.ProfileId },
  });
}

/** A page of all users in the order of their ARNs; candidates, from the index. */
export async function listUsers(table: Table, limit: number, token: string | undefined) {
  const after = token === undefined ? undefined : readCursor("users", token);
  const start = after === undefined ? undefined : { ...keys.user(after), ...indexKeys.users(after) };
  const query = {
    IndexName: INDEX,
    KeyConditionExpression: "gsi1pk = :users",
    ExpressionAttributeValues: { ":users": "USERS" },
  };
  const page = await queryPage(table, query, limit, start);
  const users = page.items.map((item) => User.parse(item));
  const last = users.at(-1);
  return { page: users, next: page.next && last && writeCursor("users", last.IamUserArn) };
}

function changedMeanwhile(userArn: string): Fault {
  return new Fault("ConflictException", `user ${userArn} was changed by somebody else meanwhile, try again`, {
    transient: true,
  });
}
