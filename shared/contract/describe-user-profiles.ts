import * as z from "zod";
import { IamUserArn } from "../model/principal.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/** The profiles of these users, or of all. */
export const DescribeUserProfiles = operation({
  name: "DescribeUserProfiles",
  path: "/DescribeUserProfiles",
  reads: true,
  input: z.strictObject({
    IamUserArns: z
      .array(IamUserArn)
      .min(1, { error: "must name a user" })
      .max(1000, { error: "must name at most 1000 users" })
      .optional(),
    ...Paging,
  }),
  output: z.object({
    UserProfiles: z.array(
      z.object({
        IamUserArn: z.string(),
        Name: z.string(),
        SshUsername: z.string().optional(),
        SshPublicKey: z.string().optional(),
        AllowSelfManagement: z.boolean(),
        /** Since when IAM has no such user or role any more. */
        GoneSince: z.string().optional(),
        Version: z.string(),
      }),
    ),
    /** When an import last read everybody's policies, within a minute. */
    PoliciesAsOf: z.string().optional(),
    NextToken: z.string().optional(),
  }),
  needs: () => ({ action: "opsworks:DescribeUserProfiles" }),
});
