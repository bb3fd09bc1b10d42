import type { MiddlewareObj } from "@middy/core";
import type { Context } from "aws-lambda";
import { Fault } from "../model/fault.ts";
import type { Call } from "./call.ts";
import { type Internal, viaOf } from "./via.ts";

/** One line of JSON for each request: who asked for what, what decided, how it ended. Never the input, which may hold secrets. */
export function log(operation: {
  readonly name: string;
}): MiddlewareObj<unknown, unknown, Error, Context, Internal> {
  return {
    before: (request) => {
      request.internal.via = viaOf(request.event, request.context);
    },
    after: (request) => write(operation.name, request.event, request.internal, request.context),
    onError: (request) =>
      write(operation.name, request.event, request.internal, request.context, request.error),
  };
}

function write(
  operation: string,
  event: unknown,
  { via }: Internal,
  context: Context,
  error?: Error | null,
): void {
  const level = error ? levelOf(error) : "info";
  if (!isLogged(level)) return;
  const call = isCall(event) ? event : undefined;
  const { action, resource, decision, rule, statement } = call?.answer ?? {};
  const line = {
    time: new Date().toISOString(),
    level,
    operation,
    lambdaRequestId: context.awsRequestId,
    requestId: call?.requestId,
    via: call?.via,
    caller: call?.caller.principal.arn,
    sourceIp: call?.origin.sourceIp,
    action,
    resource,
    decision,
    rule,
    statement,
    milliseconds: via && Math.round((performance.now() - via.startedAt) * 10) / 10,
    error: error ? { name: error.name, message: error.message, cause: causeOf(error) } : undefined,
  };
  process.stderr.write(`${onOneLine(JSON.stringify(line))}\n`);
}

/** JSON leaves these as they are, and a terminal or a log reader may take them for the end of a line or for a command. */
function onOneLine(json: string): string {
  return json.replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** One line for what is no operation; an error's cause is for the log alone. */
export function logLine(
  line: { readonly operation: string } & Readonly<Record<string, string | number | undefined>>,
  error?: Error,
): void {
  const level = error ? levelOf(error) : "info";
  if (!isLogged(level)) return;
  const what = error && { name: error.name, message: error.message, cause: causeOf(error) };
  const whole = { time: new Date().toISOString(), level, ...line, error: what };
  process.stderr.write(`${onOneLine(JSON.stringify(whole))}\n`);
}

const LEVELS = ["info", "warn", "error", "silent"];

/** Whether a line of that level is to be written: `LOG_LEVEL`, from `info` (the default) to `silent`. */
function isLogged(level: "info" | "warn" | "error"): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(process.env.LOG_LEVEL ?? "info");
}

function levelOf(error: Error): "warn" | "error" {
  return error instanceof Fault && error.statusCode < 500 ? "warn" : "error";
}

function causeOf({ cause }: Error): string | undefined {
  return cause instanceof Error ? (cause.stack ?? cause.message) : undefined;
}

function isCall(event: unknown): event is Call {
  return typeof event === "object" && event !== null && "deployment" in event;
}
