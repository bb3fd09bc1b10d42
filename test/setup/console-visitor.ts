import { expect } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import type { TestStack } from "./test-stack.ts";

/** A token for the console, as the command asks for it with somebody's own credentials. */
export async function consoleToken(stack: TestStack, as: Identity): Promise<string> {
  const { status, body } = await stack.post(as, "/CreateConsoleToken", {});
  expect(status).toBe(200);
  return body.Token;
}

const COOKIE = "__Host-stackwarden";

/** Whoever asks for pages without a browser: what a browser would see to, such as cookies and the origin, is theirs to say. */
export class Visitor {
  cookie = "";

  readonly #stack: TestStack;

  constructor(stack: TestStack) {
    this.#stack = stack;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Seen> {
    return this.#ask(path, { headers });
  }

  /** A form, sent by a page of the console unless the headers say otherwise. */
  async send(
    path: string,
    form: Record<string, string>,
    headers: Record<string, string | undefined> = {},
  ): Promise<Seen> {
    const said = Object.entries({ origin: this.#stack.url, ...headers });
    return this.#ask(path, {
      method: "POST",
      body: new URLSearchParams(form),
      headers: Object.fromEntries(
        said.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
      ),
    });
  }

  async signIn(as: Identity): Promise<Seen> {
    return this.signInBy(await consoleToken(this.#stack, as));
  }

  async signInBy(token: string): Promise<Seen> {
    return this.send("/console/sign-in/confirm", { token });
  }

  /** What the forms of whoever is signed in have in them. */
  async formToken(): Promise<string> {
    const { body } = await this.get("/console/not-there");
    return /name="form-token" value="([^"]+)"/.exec(body)?.[1] ?? "";
  }

  async #ask(
    path: string,
    init: Omit<RequestInit, "headers"> & { headers: Record<string, string> },
  ): Promise<Seen> {
    const headers = this.cookie === "" ? init.headers : { ...init.headers, cookie: this.cookie };
    const response = await fetch(`${this.#stack.url}${path}`, { ...init, headers, redirect: "manual" });
    const cookies = response.headers.getSetCookie();
    for (const cookie of cookies) {
      const [pair = ""] = cookie.split(";");
      if (pair.startsWith(`${COOKIE}=`)) this.cookie = pair.endsWith("=") ? "" : pair;
    }
    return { status: response.status, headers: response.headers, cookies, body: await response.text() };
  }
}

export type Seen = {
  readonly status: number;
  readonly headers: Headers;
  readonly cookies: readonly string[];
  readonly body: string;
};
