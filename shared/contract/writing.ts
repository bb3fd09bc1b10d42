import * as z from "zod";
import { nameOf } from "../model/text.ts";
import { Version } from "../model/version.ts";

const error = "must have 1 to 64 letters, digits, `-` and `_`";

/**
 * What every operation that writes takes beside its own input. `Reason`, why it is done, is kept in its events. The same request with
 * the same `ClientToken` is done once within a day, and answered the same.
 */
export const Writing = {
  Reason: nameOf(500).optional(),
  ClientToken: z
    .string({ error })
    .regex(/^[\w-]{1,64}$/, { error })
    .optional(),
};

/** What every operation takes that changes or deletes: the `Version` that the caller has read, which is to be the one there is. */
export const Changing = { ...Writing, IfVersion: Version.optional() };

/** The same, to take it out of an input. */
export const Intent = z.looseObject(Changing);

/** An operation's own input. */
export type Own<Input> = Input extends unknown ? Omit<Input, keyof typeof Changing> : never;
