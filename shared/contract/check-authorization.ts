import * as z from "zod";
import { AnyPrincipal } from "../model/principal.ts";
import { StackId } from "../model/stack.ts";
import { operation } from "./operation.ts";

const ContextText = z.string().max(4096);

/** Of what is asked: a stack, or with `account` whatever has no stack (`CreateStack`, the user profiles). */
const Resource = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("stack"), id: StackId }),
    z.object({
      type: z.literal("account"),
      id: z.string().regex(/^\d{12}$/, { error: "must be an account's 12 digits" }),
    }),
  ],
  { error: "must be `stack` or `account`" },
);

const Subject = z.object({ type: z.literal("user", { error: "must be `user`" }), id: AnyPrincipal });

const Action = z.object({
  name: z
    .string()
    .max(256)
    .regex(/^[A-Za-z0-9-]+:[A-Za-z0-9]+$/, {
      error: "must be an action, such as `opsworks:CreateDeployment`",
    }),
});

const Context = z
  .record(
    z.string().min(1).max(256),
    z.union([ContextText, z.boolean().transform(String), z.array(ContextText).max(100)], {
      error: "must be text, `true`, `false` or a list of texts (a number is written as text)",
    }),
  )
  .refine((context) => Object.keys(context).length <= 50, { error: "has more than 50 keys" });

/** One question. */
export const Question = z.object({
  subject: Subject,
  action: Action,
  resource: Resource,
  context: Context.optional(),
});
export type Question = z.infer<typeof Question>;

/** Its answer. `error` instead of the rest, in a batch, for a question that could not be answered. */
export const Evaluation = z.object({
  decision: z.boolean(),
  context: z.object({
    decision: z.enum(["allowed", "explicitDeny", "implicitDeny"]).optional(),
    rule: z.string().optional(),
    reason: z.string().optional(),
    level: z.string().optional(),
    /** `group/<name>` or `role/<name>` where it is not the user's own. */
    levelFrom: z.string().optional(),
    statements: z
      .array(
        z.object({
          policy: z.string(),
          effect: z.enum(["Allow", "Deny"]),
          sid: z.string().optional(),
          index: z.number(),
        }),
      )
      .optional(),
    wouldGrant: z.string().optional(),
    unreadablePolicies: z.array(z.string()).optional(),
    absentKeys: z.array(z.string()).optional(),
    /** When an import last read everybody's policies, within a minute. */
    policiesAsOf: z.string().optional(),
    error: z.object({ status: z.number(), code: z.string(), message: z.string() }).optional(),
  }),
});
export type Evaluation = z.infer<typeof Evaluation>;

/**
 * May this user do this on this stack? OpenID AuthZEN Authorization API 1.0, "Access Evaluation": a refusal is a decision
 * inside a 200, members the standard does not know are ignored. A list of context values is a multivalued key.
 */
export const CheckAuthorization = operation({
  name: "CheckAuthorization",
  path: "/access/v1/evaluation",
  reads: true,
  input: Question,
  output: Evaluation,
  needs: () => undefined,
});
