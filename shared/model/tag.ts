import * as z from "zod";
import { Fault } from "./fault.ts";

/** How many tags a stack or a layer may have. Source: OpsWorks API Reference, TagResource. */
const MAX_TAGS = 40;

const KEY = /^(?!aws:)(?!__proto__$)[\p{L}\p{N} +\-=._:/]{1,127}$/iu;
const VALUE = /^[\p{L}\p{N} +\-=._:/]{0,255}$/u;
const CHARACTERS = "letters, digits, spaces and `+-=._:/`";
const key = `1 to 127 ${CHARACTERS}, and does not begin with \`aws:\``;
const value = `must be at most 255 ${CHARACTERS}`;

export const TagKey = z
  .string({ error: "must be a tag's key" })
  .regex(KEY, { error: `must be a tag's key: it has ${key}` });

const Values = z.record(z.string(), z.string({ error: value }).regex(VALUE, { error: value }));

/** Tags, by key. The keys come first, since a record leaves out `__proto__` without a word. */
export const Tags = z
  .unknown()
  .superRefine((tags, context) => {
    const isObject = typeof tags === "object" && tags !== null && !Array.isArray(tags);
    const wrong = isObject ? Object.keys(tags).find((name) => !KEY.test(name)) : undefined;
    if (wrong === undefined) return;
    const message = `has the key \`${wrong.slice(0, 127)}\`, which is none: a tag's key has ${key}`;
    context.addIssue({ code: "custom", message, input: tags });
  })
  .pipe(Values);
export type Tags = Readonly<Record<string, string>>;

/** @throws Fault ValidationException when there would be too many, or two whose keys policies could not tell apart */
export function addTags(tags: Tags, added: Tags): Tags {
  const all = { ...tags, ...added };
  const names = new Map<string, string>();
  for (const name of Object.keys(all)) {
    const other = names.get(name.toLowerCase());
    if (other !== undefined) {
      const message = `the tags \`${other}\` and \`${name}\` differ only in case, which policies do not tell apart: remove one`;
      throw new Fault("ValidationException", message);
    }
    names.set(name.toLowerCase(), name);
  }
  const count = Object.keys(all).length;
  if (count > MAX_TAGS) {
    throw new Fault("ValidationException", `there can be at most ${MAX_TAGS} tags, and these make ${count}`);
  }
  return all;
}

export function removeTags(tags: Tags, removed: readonly string[]): Tags {
  return Object.fromEntries(Object.entries(tags).filter(([name]) => !removed.includes(name)));
}
