import * as z from "zod";
import { Evaluation } from "./check-authorization.ts";
import { operation } from "./operation.ts";

const MAX_EVALUATIONS = 100;

/** A member of a question, not looked into before it is put together with the defaults. */
const Part = z.unknown().optional();
const parts = { subject: Part, action: Part, resource: Part, context: Part };

/**
 * Many questions at once. OpenID AuthZEN Authorization API 1.0, "Access Evaluations": the top-level members are defaults for each
 * evaluation; one that cannot be answered is `decision: false` with its error inside; without `evaluations` it is a single
 * question, answered as such.
 */
export const BatchCheckAuthorization = operation({
  name: "BatchCheckAuthorization",
  path: "/access/v1/evaluations",
  reads: true,
  input: z.object({
    ...parts,
    evaluations: z
      .array(z.object(parts), { error: "must be a list of evaluations" })
      .max(MAX_EVALUATIONS, { error: `has more than ${MAX_EVALUATIONS} evaluations` })
      .optional(),
    options: z
      .object({
        evaluations_semantic: z
          .enum(["execute_all", "deny_on_first_deny", "permit_on_first_permit"], {
            error: "must be one of `execute_all`, `deny_on_first_deny`, `permit_on_first_permit`",
          })
          .optional(),
      })
      .optional(),
  }),
  output: z.union([z.object({ evaluations: z.array(Evaluation) }), Evaluation]),
  needs: () => undefined,
});
