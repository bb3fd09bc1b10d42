import * as z from "zod";
import { Level } from "../model/level.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/**
 * The users and roles whom IAM no longer has, as far as an import saw, and who still hold something here. Deleting an IAM user does not end
 * SSH access to servers: DeleteUserProfile does.
 *
 * Source: OpsWorks User Guide, "Managing AWS OpsWorks Stacks Users: Deleting Users".
 */
export const DescribeOrphans = operation({
  name: "DescribeOrphans",
  path: "/DescribeOrphans",
  reads: true,
  input: z.strictObject(Paging),
  output: z.object({
    Orphans: z.array(
      z.object({
        IamUserArn: z.string(),
        Name: z.string(),
        SshUsername: z.string().optional(),
        GoneSince: z.string(),
        Permissions: z.array(
          z.object({ StackId: z.string(), AllowSsh: z.boolean(), AllowSudo: z.boolean(), Level }),
        ),
      }),
    ),
    NextToken: z.string().optional(),
  }),
  needs: () => ({ action: "stackwarden:DescribeOrphans" }),
});
