import { createHash, randomBytes } from "node:crypto";
import { ConsoleSession, SignInToken } from "../model/console-session.ts";
import { Fault } from "../model/fault.ts";
import { getItems } from "./get-items.ts";
import { type Key, keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putNew, remove, removeThere, transact } from "./write.ts";

const TOKEN_SECONDS = 60;
const SESSION_SECONDS = 60 * 60;

/** Keeps who signs in, under the hash of a new token: whoever reads the table cannot sign in with what is there. */
export async function newSignInToken(
  table: Table,
  who: Omit<SignInToken, "ExpiresAt">,
  now: Date,
): Promise<{ token: string; expiresAt: Date }> {
  const token = newSecret();
  const ExpiresAt = secondsFrom(now, TOKEN_SECONDS);
  const item = { ...who, ExpiresAt };
  await transact(table, [putNew(table, keys.signInToken(hashOf(token)), item, madeTwice)]);
  return { token, expiresAt: new Date(ExpiresAt * 1000) };
}

/** Whom a token signs in; nobody when it is expired, used or none. */
export async function readSignInToken(
  table: Table,
  token: string,
  now: Date,
): Promise<SignInToken | undefined> {
  return unexpired(SignInToken, await readSecret(table, token, keys.signInToken), now);
}

/**
 * Makes a session of a token, which is used up by it.
 * @throws Fault ConflictException when somebody else used the token
 */
export async function startSession(
  table: Table,
  token: string,
  who: Pick<ConsoleSession, "CallerArn" | "UserId" | "ProfileId">,
  now: Date,
): Promise<{ id: string; session: ConsoleSession }> {
  const id = newSecret();
  const session = { ...who, SignedInAt: now.toISOString(), ExpiresAt: secondsFrom(now, SESSION_SECONDS) };
  await transact(table, [
    removeThere(table, keys.signInToken(hashOf(token)), usedAlready),
    putNew(table, keys.consoleSession(hashOf(id)), session, madeTwice),
  ]);
  return { id, session };
}

/** The session of that id; none when it is expired, ended or never was. */
export async function readSession(table: Table, id: string, now: Date): Promise<ConsoleSession | undefined> {
  return unexpired(ConsoleSession, await readSecret(table, id, keys.consoleSession), now);
}

/** Ends a session, if there is one. */
export async function endSession(table: Table, id: string): Promise<void> {
  await transact(table, [remove(table, keys.consoleSession(hashOf(id)))]);
}

async function readSecret(table: Table, secret: string, keyOf: (hash: string) => Key): Promise<unknown> {
  // What is no secret of ours is nobody's, and need not be looked for.
  if (!SECRET.test(secret)) return undefined;
  const key = keyOf(hashOf(secret));
  return (await getItems(table, [key])).get(key);
}

/** The table deletes what is expired hours later, so it is looked at here. */
function unexpired<Item extends { readonly ExpiresAt: number }>(
  schema: { parse(item: unknown): Item },
  item: unknown,
  now: Date,
): Item | undefined {
  if (item === undefined) return undefined;
  const parsed = schema.parse(item);
  return parsed.ExpiresAt * 1000 > now.getTime() ? parsed : undefined;
}

/** 32 random bytes. */
const SECRET = /^[\w-]{43}$/;

function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function secondsFrom(now: Date, seconds: number): number {
  return Math.floor(now.getTime() / 1000) + seconds;
}

function usedAlready(): Fault {
  return new Fault("ConflictException", "this sign-in was used already: ask for another");
}

function madeTwice(): Fault {
  return new Fault("ConflictException", "the same random bytes came twice, try again");
}
