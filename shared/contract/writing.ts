import * as z from "zod";
import { nameOf } from "../model/text.ts";
import { Version } from "../model/version.ts";

/** What every operation that writes takes beside its own input: `Reason`, why it is done, is kept in its events. */
export const Writing = { Reason: nameOf(500).optional() };

/** What every operation takes that changes or deletes: the `Version` that the caller has read, which is to be the one there is. */
export const Changing = { ...Writing, IfVersion: Version.optional() };

/** The same, to take it out of an input. */
export const Intent = z.looseObject(Changing);

/** An operation's own input. */
export type Own<Input> = Input extends unknown ? Omit<Input, keyof typeof Changing> : never;
