import { randomBytes } from "node:crypto";
import * as z from "zod";
import { Fault } from "./fault.ts";

/** Which state of something a caller has read: an opaque text, new with each change. */
const error = "must be a `Version` as it was read";
export const Version = z.string({ error }).regex(/^[\w-]{1,64}$/, { error });

/** Of what is not stored, such as the permission of a user who was given none. */
export const NO_VERSION = "none";

/** Of what was not changed since it was made. */
const FIRST = "first";

export function newVersion(): string {
  return randomBytes(9).toString("base64url");
}

export function versionOf({ Version: version = FIRST }: { readonly Version?: string | undefined }): string {
  return version;
}

/**
 * Holds what was read to be what the caller has seen. The write is to be conditional on what was read, so that nothing comes between.
 * Trying again is of no use: the caller is to look at it first.
 * @throws Fault ConflictException
 */
export function versionMustBe(what: string, version: string, ifVersion: string | undefined): void {
  if (ifVersion === undefined || ifVersion === version) return;
  throw new Fault("ConflictException", `${what} was changed meanwhile: read it again`);
}
