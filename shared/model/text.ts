import * as z from "zod";

/** A character that DynamoDB would replace (half of a surrogate pair), or that no setting has: a control, line ends apart. */
const NO_TEXT = /\p{Cs}|(?![\t\n\r])\p{Cc}/u;

export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !NO_TEXT.test(value), { error: "must be text without control characters" });

/** A name, on one line. */
export const nameOf = (max: number) =>
  z.string().regex(new RegExp(`^[^\\p{Cs}\\p{Cc}]{1,${max}}$`, "u"), {
    error: `must have 1 to ${max} characters, and no control characters`,
  });

/** An id made here: a UUID, in lower case. */
export const idOf = (what: string) => {
  const error = `must be a ${what}'s id, a UUID`;
  return z
    .string({ error })
    .regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, { error })
    .transform((id) => id.toLowerCase());
};

/** In bytes, so that what it is part of fits into an item, which may have 400 KB. */
const MAX_CUSTOM_JSON = 122_880;

export const CustomJson = z
  .string()
  .refine((json) => Buffer.byteLength(json) <= MAX_CUSTOM_JSON, {
    error: `must have at most ${MAX_CUSTOM_JSON} bytes`,
    abort: true,
  })
  .refine((json) => json.isWellFormed() && isJson(json), { error: "must be JSON" });

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
