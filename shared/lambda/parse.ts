import type { MiddlewareObj } from "@middy/core";
import type * as z from "zod";
import type { Operation } from "../contract/operation.ts";
import { Fault } from "../model/fault.ts";
import type { Call } from "./call.ts";

/** Far more than any operation takes. */
const MAX_BODY = 262_144;
const MAX_TOLD = 5;

/** Holds the input to the operation's schema. */
export function parse(operation: Operation): MiddlewareObj<Call> {
  return {
    before: ({ event: call }) => {
      const input = call.via === "gateway" ? readBody(String(call.input)) : (call.input ?? {});
      const parsed = operation.input.safeParse(input);
      if (!parsed.success) throw new Fault("ValidationException", describeIssues(parsed.error.issues, input));
      call.input = parsed.data;
    },
  };
}

function readBody(body: string): unknown {
  if (body.length > MAX_BODY)
    throw new Fault("ValidationException", `the body is larger than ${MAX_BODY} characters`);
  if (body.trim() === "") return {};
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new Fault("ValidationException", "the body is not JSON", { cause: error });
  }
}

/** What is wrong, by member: `StackId` is required; `Level` must be one of ... */
export function describeIssues(issues: readonly z.core.$ZodIssue[], input: unknown): string {
  const told = issues.slice(0, MAX_TOLD).map((issue) => describeIssue(issue, input));
  return [...new Set(told)].join("; ");
}

function describeIssue(issue: z.core.$ZodIssue, input: unknown): string {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys
      .map((key) => `\`${[...path, key].join(".").slice(0, 100)}\` is not a member of this operation`)
      .join("; ");
  }
  if (path.length === 0) return issue.code === "custom" ? issue.message : "the input must be a JSON object";
  const isMissing = path.reduce<unknown>((value, key) => memberOf(value, key), input) === undefined;
  return `\`${path.join(".").slice(0, 200)}\` ${isMissing ? "is required" : clause(issue)}`;
}

function clause(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith("must ") || issue.message.startsWith("has ")) return issue.message;
  if (issue.code === "too_big") return `must have at most ${issue.maximum} characters`;
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
