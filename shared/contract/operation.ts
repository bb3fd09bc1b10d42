import type * as z from "zod";
import type { Place } from "../model/stack-arn.ts";

/** What a caller must be allowed: an action, on a stack, on the stack that has a layer or an instance, or on `*`. */
type Need = {
  readonly action: string;
  readonly stackId?: string;
  readonly layerId?: string;
  readonly instanceId?: string;
  /** What is asked of a stack is known of one that was deleted, too. */
  readonly mayBeGone?: boolean;
};

/** One operation as the outside sees it. */
export type Operation<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> = {
  readonly name: string;
  readonly path: `/${string}`;
  readonly input: Input;
  readonly output: Output;
  /** Changes nothing, so a Lambda that invokes it directly may name the caller. */
  readonly reads: boolean;
  /** `undefined` where the question itself decides what is needed, and the operation sees to it. */
  needs(input: z.output<Input>, place: Place): Need | undefined;
  /** Condition keys that this very request has, beside those of every request. */
  context?(input: z.output<Input>): readonly (readonly [string, string | readonly string[]])[];
  /** The users beside the caller whose items the operation takes, read in the same request. */
  about?(input: z.output<Input>): readonly string[];
};

/** Types an operation by its own schemas. */
export function operation<Input extends z.ZodType, Output extends z.ZodType>(
  contract: Operation<Input, Output>,
): Operation<Input, Output> {
  return contract;
}
