import * as z from "zod";
import { operation } from "./operation.ts";

/**
 * Signs the caller in to the console: a token that a browser makes a session of, once, within a minute. Everybody may sign in as
 * themselves; what they may do there is decided there.
 */
export const CreateConsoleToken = operation({
  name: "CreateConsoleToken",
  path: "/CreateConsoleToken",
  reads: false,
  input: z.strictObject({}),
  output: z.object({
    Token: z.string(),
    /** ISO 8601. */
    ExpiresAt: z.string(),
  }),
  needs: () => undefined,
});
