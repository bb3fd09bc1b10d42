import type { WebRequest } from "../lambda/web-request.ts";

/** `__Host-`: set by this very host over TLS, for all of it and for no other; browsers refuse any other cookie of that name. */
const SESSION = "__Host-stackwarden";
const RETURN = "__Host-stackwarden-return";
const ALWAYS = "Path=/; Secure; HttpOnly; SameSite=Strict";

export function sessionIdOf({ cookies }: WebRequest): string | undefined {
  return cookies.get(SESSION);
}

export function sessionCookie(id: string, expiresAt: Date, now: Date): string {
  return `${SESSION}=${id}; ${ALWAYS}; Max-Age=${Math.floor((expiresAt.getTime() - now.getTime()) / 1000)}`;
}

export const NO_SESSION_COOKIE = `${SESSION}=; ${ALWAYS}; Max-Age=0`;

/** Where somebody was when their session was over, to come back to. */
export function returnCookie({ path, queryText }: WebRequest): string {
  const where = queryText === "" ? path : `${path}?${queryText}`;
  return `${RETURN}=${encodeURIComponent(where)}; ${ALWAYS}; Max-Age=900`;
}

export const NO_RETURN_COOKIE = `${RETURN}=; ${ALWAYS}; Max-Age=0`;

/** A page of ours and nothing else, whatever the cookie says. */
const PLACE = /^\/console(?:\/[\w-]+)*(?:\?[\w\-.~%&=+*]*)?$/;

export function returnPlace({ cookies }: WebRequest): string {
  const place = decode(cookies.get(RETURN) ?? "");
  const isOurs = place.length <= 2000 && PLACE.test(place) && !place.startsWith("/console/sign-");
  return isOurs ? place : "/console";
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
