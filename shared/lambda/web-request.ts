import type { APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import * as z from "zod";
import { inTime } from "./in-time.ts";
import { isGatewayEvent } from "./via.ts";

/** A browser's request over an open route: nothing in it says who sends it. */
export type WebRequest = {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The query as it came. */
  readonly queryText: string;
  readonly header: (name: string) => string | undefined;
  readonly cookies: ReadonlyMap<string, string>;
  /** The members of a form; none of any other body. */
  readonly form: URLSearchParams;
  readonly sourceIp: string;
  readonly userAgent: string | undefined;
};

export type WebAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body: string;
};

/** The part of an API Gateway HTTP API event (payload 2.0, no authorizer) that is relied on. */
const WebEvent = z.object({
  rawPath: z.string(),
  rawQueryString: z.string(),
  headers: z.record(z.string(), z.string().optional()),
  cookies: z.array(z.string()).default([]),
  body: z.string().default(""),
  isBase64Encoded: z.boolean(),
  requestContext: z.object({
    requestId: z.string(),
    http: z.object({ method: z.string(), sourceIp: z.string(), userAgent: z.string().optional() }),
  }),
});

/** Far more than any form here has. */
const MAX_FORM = 262_144;
const FORM = /^application\/x-www-form-urlencoded(?:;|$)/i;

/**
 * Makes a function of requests and answers a Lambda handler, for API Gateway alone: whoever invokes it directly could say they came
 * from any address.
 */
export function serveWeb(
  answer: (request: WebRequest, context: Context) => Promise<WebAnswer>,
): (event: unknown, context: Context) => Promise<APIGatewayProxyStructuredResultV2> {
  return async (event, context) => {
    if (!isGatewayEvent(event, context)) throw new Error("pages are served over API Gateway alone");
    const { status, headers, cookies, body } = await inTime(context, () =>
      answer(readRequest(event), context),
    );
    return { statusCode: status, headers: { ...headers }, cookies: [...(cookies ?? [])], body };
  };
}

function readRequest(event: unknown): WebRequest {
  const { rawPath, rawQueryString, headers, cookies, requestContext, ...rest } = WebEvent.parse(event);
  const { method, sourceIp, userAgent } = requestContext.http;
  const body = rest.isBase64Encoded ? Buffer.from(rest.body, "base64").toString("utf8") : rest.body;
  const isForm = FORM.test(headers["content-type"] ?? "") && body.length <= MAX_FORM;
  return {
    requestId: requestContext.requestId,
    method,
    path: rawPath,
    query: new URLSearchParams(rawQueryString),
    queryText: rawQueryString,
    header: (name) => headers[name],
    cookies: new Map(cookies.map(readCookie)),
    form: new URLSearchParams(isForm ? body : ""),
    sourceIp,
    userAgent,
  };
}

function readCookie(cookie: string): [string, string] {
  const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(cookie) ?? [];
  return [name.trim(), value.trim()];
}
