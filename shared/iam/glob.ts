import type { Context } from "./context.ts";
import { ANY_ONE, ANY_RUN, hasVariable, type Part, type Pattern, resolveVariables } from "./pattern.ts";

/** A stretch of a pattern that has no `*` in it. */
type Segment = readonly (string | typeof ANY_ONE)[];

/** Compiles parts into a matcher of a whole text. Variables are looked up at every match. */
export function compileGlob(parts: readonly Part[]): Pattern {
  if (!hasVariable(parts)) return compileFixed(parts);
  return (text: string, context: Context) => {
    const resolved = resolveVariables(parts, context);
    return resolved && compileFixed(resolved)(text);
  };
}

/**
 * Never backtracks: the pieces between stars are searched from left to right, each at the earliest place, so the work is
 * bounded by pattern length x text length whatever the pattern.
 */
function compileFixed(parts: readonly Part[]): (text: string) => boolean {
  const segments = splitAtStars(parts);
  const first = segments[0] ?? [];
  const last = segments.at(-1) ?? [];
  if (segments.length === 1) return (text) => matchAt(text, 0, first) === text.length;

  const middle = segments.slice(1, -1).filter((segment) => segment.length > 0);
  if (middle.length === 0 && first.length === 0 && last.length === 0) return () => true;
  const lastLength = codePoints(last);
  return (text) => {
    let at = matchAt(text, 0, first);
    if (at < 0) return false;
    const end = stepBack(text, lastLength);
    if (end < at || matchAt(text, end, last) !== text.length) return false;
    for (const segment of middle) {
      at = find(text, at, end, segment);
      if (at < 0) return false;
    }
    return true;
  };
}

function splitAtStars(parts: readonly Part[]): Segment[] {
  const segments: (string | typeof ANY_ONE)[][] = [[]];
  for (const part of parts) {
    if (part === ANY_RUN) segments.push([]);
    else if (typeof part !== "object") segments.at(-1)?.push(part);
  }
  return segments;
}

/** The index after `segment` when `text` has it at `at`, else -1. */
function matchAt(text: string, at: number, segment: Segment): number {
  let index = at;
  for (const piece of segment) {
    if (piece === ANY_ONE) {
      const code = text.codePointAt(index);
      if (code === undefined) return -1;
      index += code > 0xffff ? 2 : 1;
    } else {
      if (!text.startsWith(piece, index)) return -1;
      index += piece.length;
    }
  }
  return index;
}

/** The index after the first place from `from` on where `segment` is, ending at `end` at the latest; else -1. */
function find(text: string, from: number, end: number, segment: Segment): number {
  const [head] = segment;
  for (let at = from; at <= end; at += 1) {
    if (typeof head === "string") {
      at = text.indexOf(head, at);
      if (at < 0) return -1;
    }
    const after = matchAt(text, at, segment);
    if (after >= 0) return after <= end ? after : -1;
  }
  return -1;
}

/** Whether `at` is in the middle of a surrogate pair. */
function isTrail(text: string, at: number): boolean {
  return /[\udc00-\udfff]/.test(text.charAt(at)) && /[\ud800-\udbff]/.test(text.charAt(at - 1));
}

/** The index that is `count` code points before the end; -1 when the text is shorter. */
function stepBack(text: string, count: number): number {
  let index = text.length;
  for (let left = count; left > 0; left -= 1) {
    index -= 1;
    if (index > 0 && isTrail(text, index)) index -= 1;
  }
  return Math.max(index, -1);
}

function codePoints(segment: Segment): number {
  return segment.reduce((sum, piece) => sum + (piece === ANY_ONE ? 1 : Array.from(piece).length), 0);
}
