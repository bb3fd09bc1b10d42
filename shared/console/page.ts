import type { ConsoleSession } from "../model/console-session.ts";
import type { CallOperation } from "../lambda/call-as.ts";
import type { WebRequest } from "../lambda/web-request.ts";
import type { Html } from "./html.ts";

/** Somebody signed in who asks for a page. */
export type Visit = {
  readonly request: WebRequest;
  readonly session: ConsoleSession;
  /** What the page's path has in place of its `:Name`s. */
  readonly params: Readonly<Record<string, string>>;
  /** To be sent along with every form, as `form-token`; see {@link hiddenToken} in `layout.ts`. */
  readonly formToken: string;
  /** Asks an operation, as whoever is signed in. */
  readonly call: CallOperation;
};

/** What a page shows. */
export type View = {
  readonly title: string;
  readonly body: Html;
  /** 200 unless told. */
  readonly status?: number;
  /** Which of the navigation it belongs to. */
  readonly section?: "stacks" | "users" | "explain" | "my-settings";
};

/** Another page; after a form that was done always, so that nothing is sent twice. */
export type Redirect = { readonly location: string };

/**
 * One page. What is not found or not allowed, it leaves to be thrown by the operations it calls; the visitor reads the operation's own
 * sentence.
 */
export type Page = {
  /** `/console/stacks/:StackId/permissions` */
  readonly path: string;
  readonly get: (visit: Visit) => Promise<View | Redirect>;
  /** Of a form, whose origin and token are checked. */
  readonly post?: (visit: Visit) => Promise<View | Redirect>;
};
