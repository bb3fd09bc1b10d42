import type { WebAnswer } from "../lambda/web-request.ts";
import type { Html } from "./html.ts";

/**
 * What every page says to the browser: nothing from elsewhere, nothing inline, in nobody's frame, kept nowhere. The referrer is `same-origin`
 * and not `no-referrer`, with which browsers would leave out the origin of our own forms.
 */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "same-origin",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

export function page(status: number, content: Html, cookies: readonly string[] = []): WebAnswer {
  const headers = { ...HEADERS, "content-type": "text/html; charset=utf-8" };
  return { status, headers, cookies, body: content.toString() };
}

/** After a form: the browser asks for the next page with GET. */
export function seeOther(location: string, cookies: readonly string[] = []): WebAnswer {
  return { status: 303, headers: { ...HEADERS, location }, cookies, body: "" };
}
