import type { ServerResponse } from "node:http";
import * as z from "zod";

/** What goes back to the client. */
export type Reply = {
  statusCode: number;
  headers: Record<string, string | number | boolean>;
  cookies: string[];
  body: Buffer;
};

// The real gateway makes a 200 of an answer without statusCode; here that is a fault, since no function means it.
const FunctionAnswer = z.object({
  statusCode: z.int().min(200).max(599),
  headers: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  cookies: z.array(z.string()).default([]),
  body: z.string().default(""),
  isBase64Encoded: z.boolean().default(false),
});

/** A function's answer as the gateway passes it on; throws when it is none. */
export function replyOf(answer: unknown): Reply {
  const { statusCode, headers, cookies, body, isBase64Encoded } = FunctionAnswer.parse(answer);
  return { statusCode, headers, cookies, body: Buffer.from(body, isBase64Encoded ? "base64" : "utf8") };
}

/** An answer of the gateway's own. */
export function ownReply(statusCode: number, message: string): Reply {
  const body = Buffer.from(JSON.stringify({ message }));
  return { statusCode, headers: { "content-type": "application/json" }, cookies: [], body };
}

/** Writes a reply; throws, with nothing sent, when a header's name or value is none. */
export function sendReply(response: ServerResponse, reply: Reply, requestId: string): void {
  response.statusCode = reply.statusCode;
  response.setHeader("content-type", "text/plain;charset=utf-8");
  for (const [name, value] of Object.entries(reply.headers)) response.setHeader(name, String(value));
  if (reply.cookies.length > 0) response.setHeader("set-cookie", reply.cookies);
  response.setHeader("content-length", reply.body.length);
  response.setHeader("apigw-requestid", requestId);
  response.end(reply.body);
}
