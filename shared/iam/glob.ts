import type { Context } from "./context.ts";
import {
  ANY_ONE,
  ANY_RUN,
  type Fixed,
  isFixed,
  type Match,
  type Part,
  type Pattern,
  resolveVariables,
} from "./pattern.ts";

/** A stretch of a pattern that has no `*` in it. */
type Segment = Exclude<Fixed, typeof ANY_RUN>[];

/** Tells whether the text matches from index `from` to its end. */
export type Glob = (text: string, context: Context, from: number) => Match;

/** Compiles parts into a matcher of a whole text. Variables are looked up at every match. */
export function compileGlob(parts: readonly Part[]): Pattern {
  const [only] = parts;
  // Stryker disable next-line ConditionalExpression,LogicalOperator: the glob does the same, slower
  if (parts.length === 1 && typeof only === "string") return (text) => text === only;
  const glob = compileGlobFrom(parts);
  return (text, context) => glob(text, context, 0);
}

/** The same for the rest of a text, so that nobody has to cut it off. */
export function compileGlobFrom(parts: readonly Part[]): Glob {
  // Stryker disable next-line ConditionalExpression,BlockStatement: what has no variable resolves to itself; this does it once
  if (isFixed(parts)) {
    const matches = compileFixed(parts);
    return (text, _context, from) => matches(text, from);
  }
  return (text, context, from) => {
    const resolved = resolveVariables(parts, context);
    return resolved && compileFixed(resolved)(text, from);
  };
}

/**
 * Never backtracks: the pieces between stars are searched from left to right, each at the earliest place, so the work is
 * bounded by pattern length x text length whatever the pattern.
 */
function compileFixed(parts: readonly Fixed[]): (text: string, from: number) => boolean {
  const [first, ...middle] = splitAtStars(parts);
  const last = middle.pop();
  if (last === undefined) return (text, from) => matchAt(text, from, first) === text.length;

  // Stryker disable next-line ConditionalExpression: what is found at the end there is nothing, only sooner
  if (middle.length === 0 && last.length === 0) return (text, from) => matchAt(text, from, first) >= 0;
  return (text, from) => {
    let at = matchAt(text, from, first);
    if (at < 0) return false;
    const end = startAtEnd(text, last);
    if (end < at || matchAt(text, end, last) !== text.length) return false;
    for (const segment of middle) {
      at = find(text, at, end, segment);
      if (at < 0) return false;
    }
    return true;
  };
}

function splitAtStars(parts: readonly Fixed[]): [Segment, ...Segment[]] {
  let segment: Segment = [];
  const segments: [Segment, ...Segment[]] = [segment];
  for (const part of parts) {
    if (part === ANY_RUN) {
      segment = [];
      segments.push(segment);
    } else segment.push(part);
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
    // Stryker disable next-line ConditionalExpression,StringLiteral: the places passed over would not match
    if (typeof head === "string") {
      at = text.indexOf(head, at);
      if (at < 0) return -1;
    }
    const after = matchAt(text, at, segment);
    if (after >= 0) return after <= end ? after : -1;
  }
  return -1;
}

/** Where `segment` begins if it is at the end of `text`; negative when the text is too short. */
function startAtEnd(text: string, segment: Segment): number {
  let at = text.length;
  for (let index = segment.length - 1; index >= 0; index -= 1) {
    const piece = segment[index];
    if (typeof piece === "string") at -= piece.length;
    else at -= isPairBefore(text, at) ? 2 : 1;
  }
  return at;
}

/** Whether the two units before `at` are one code point. */
function isPairBefore(text: string, at: number): boolean {
  return (text.codePointAt(at - 2) ?? 0) > 0xffff;
}
