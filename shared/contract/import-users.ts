import * as z from "zod";
import { IamUserArn } from "../model/principal.ts";
import { operation } from "./operation.ts";
import { Writing } from "./writing.ts";

const REGION = { error: "must be an AWS region, such as `eu-west-1`" };

/**
 * Starts a job that reads the account's users and roles from IAM: all of them, these, or who is known here already. With a
 * `SourceRegion`, those who have a profile there, which replaces the one here.
 */
export const ImportUsers = operation({
  name: "ImportUsers",
  path: "/ImportUsers",
  reads: false,
  input: z
    .strictObject({
      IamUserArns: z
        .array(IamUserArn)
        .min(1, { error: "must name a user" })
        .max(1000, { error: "must name at most 1000 users" })
        // The job keeps them on its item, which has 400 KB.
        .refine((arns) => arns.join("").length <= 200_000, {
          error: "must have at most 200000 characters together, so import them in parts",
        })
        .optional(),
      OnlyKnown: z.boolean().optional(),
      SourceRegion: z
        .string()
        .max(32, REGION)
        .regex(/^[a-z]{2,8}(?:-[a-z]+)+-\d$/, REGION)
        .optional(),
      ...Writing,
    })
    .refine(({ IamUserArns, OnlyKnown }) => !(IamUserArns && OnlyKnown), {
      error: "`IamUserArns` and `OnlyKnown` exclude one another",
    }),
  output: z.object({ ImportId: z.string() }),
  needs: () => ({ action: "stackwarden:ImportUsers" }),
});
