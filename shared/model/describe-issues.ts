import type * as z from "zod";

const MAX_TOLD = 5;

/** What is wrong, by member: `StackId` is required; `Level` must be one of ... */
export function describeIssues(issues: readonly z.core.$ZodIssue[], input: unknown): string {
  const told = issues.slice(0, MAX_TOLD).map((issue) => describeIssue(issue, input));
  return [...new Set(told)].join("; ");
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): string {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys
      .slice(0, MAX_TOLD)
      .map((key) => `\`${[...path, key].join(".").slice(0, 100)}\` is not known here`)
      .join("; ");
  }
  if (path.length === 0) return issue.code === "custom" ? issue.message : "the input must be a JSON object";
  const isMissing = path.reduce<unknown>((value, key) => memberOf(value, key), input) === undefined;
  return `\`${path.join(".").slice(0, 200)}\` ${isMissing ? "is required" : clause(issue)}`;
}

function clause(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith("must ") || issue.message.startsWith("has ")) return issue.message;
  if (issue.code === "too_big")
    return `must have at most ${issue.maximum} ${issue.origin === "array" ? "entries" : "characters"}`;
  if (issue.code === "too_small") return `must have at least ${issue.minimum} characters`;
  if (issue.code === "invalid_type") return `must be ${article(issue.expected)}`;
  if (issue.code === "invalid_value")
    return `must be one of ${issue.values.map((value) => `\`${String(value)}\``).join(", ")}`;
  return "is not valid";
}

function article(type: string): string {
  return type === "record" || type === "object" ? "an object" : type === "array" ? "a list" : `a ${type}`;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}
