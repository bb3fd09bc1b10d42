import type { Answer } from "../access/answer.ts";
import type { Subject } from "../access/who.ts";
import type { Deployment } from "../access/deployment.ts";
import type { Origin } from "../access/request-context.ts";
import type { Snapshot } from "../access/snapshot.ts";

/** One request to one operation, as far as it has come. */
export type Call<Input = unknown> = {
  /** The operation's name. */
  readonly operation: string;
  readonly via: "gateway" | "invocation";
  readonly requestId: string;
  readonly now: Date;
  readonly deployment: Deployment;
  /** As API Gateway verified it; on a direct invocation, as the invoker names it. */
  readonly caller: Subject;
  readonly origin: Origin;
  /** What came in; after `parse`, the operation's input. */
  input: Input;
  /** Why, as the caller says; kept in the events. */
  reason?: string | undefined;
  /** The caller's name for this very request, by which it is done once. */
  clientToken?: string | undefined;
  /** The version that the caller has read of what is to be changed. */
  ifVersion?: string | undefined;
  /** Condition keys of this very request, beside those of every request. */
  context?: readonly (readonly [string, string | readonly string[]])[];
  /** The caller, the users and the stack that the operation is about, as `authorize` read them. */
  snapshot: Snapshot;
  /** What `authorize` decided, for the log. */
  answer?: Answer;
};
