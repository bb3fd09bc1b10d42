import * as z from "zod";
import { Level } from "../model/level.ts";
import { LevelOfOthers } from "./level-of-others.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/** My Settings: the caller's own profile, and the caller's level on every stack. */
export const DescribeMyUserProfile = operation({
  name: "DescribeMyUserProfile",
  path: "/DescribeMyUserProfile",
  reads: true,
  input: z.strictObject(Paging),
  output: z.object({
    UserProfile: z.object({
      IamUserArn: z.string(),
      Name: z.string(),
      SshUsername: z.string().optional(),
      SshPublicKey: z.string().optional(),
      Version: z.string(),
    }),
    Permissions: z.array(
      z.object({
        StackId: z.string(),
        StackName: z.string(),
        AllowSsh: z.boolean(),
        AllowSudo: z.boolean(),
        Level,
        ...LevelOfOthers,
        Version: z.string(),
      }),
    ),
    NextToken: z.string().optional(),
  }),
  needs: () => ({ action: "opsworks:DescribeMyUserProfile" }),
});
