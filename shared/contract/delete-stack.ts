import * as z from "zod";
import { StackId } from "../model/stack.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** Removes a stack, and with it what anybody was given on it. */
export const DeleteStack = operation({
  name: "DeleteStack",
  path: "/DeleteStack",
  reads: false,
  input: z.strictObject({ StackId, ...Changing }),
  output: z.object({}),
  needs: ({ StackId }) => ({ action: "opsworks:DeleteStack", stackId: StackId }),
});
