import { createHmac, timingSafeEqual } from "node:crypto";
import type { WebRequest } from "../lambda/web-request.ts";

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;

/**
 * Whether a form was sent by a page of ours, as the browser says: it must say so. Only on the machine itself, where nothing is in
 * between, may that be without TLS.
 */
export function isFromHere({ header }: Pick<WebRequest, "header">): boolean {
  const [host = "", origin] = [header("host"), header("origin")];
  const site = header("sec-fetch-site");
  const isOurs = origin === `https://${host}` || (LOOPBACK.test(host) && origin === `http://${host}`);
  return isOurs && (site === undefined || site === "same-origin");
}

/** What the forms of a session have in them: nobody can tell without the session's id, which is in an HttpOnly cookie. */
export function formTokenOf(sessionId: string): string {
  return createHmac("sha256", sessionId).update("form").digest("base64url");
}

export function hasFormToken({ form }: WebRequest, formToken: string): boolean {
  const [given, right] = [Buffer.from(form.get("form-token") ?? ""), Buffer.from(formToken)];
  return given.length === right.length && timingSafeEqual(given, right);
}
