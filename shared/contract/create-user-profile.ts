import * as z from "zod";
import { IamUserArn } from "../model/principal.ts";
import { SshPublicKey } from "../model/ssh-public-key.ts";
import { SshUsername } from "../model/ssh-username.ts";
import { operation } from "./operation.ts";
import { Writing } from "./writing.ts";

/** Adds a user by ARN, with `iam_only` on every stack. Policies come with an import. */
export const CreateUserProfile = operation({
  name: "CreateUserProfile",
  path: "/CreateUserProfile",
  reads: false,
  input: z.strictObject({
    IamUserArn,
    SshUsername: SshUsername.optional(),
    SshPublicKey: SshPublicKey.optional(),
    AllowSelfManagement: z.boolean().optional(),
    ...Writing,
  }),
  output: z.object({ IamUserArn: z.string() }),
  needs: () => ({ action: "opsworks:CreateUserProfile" }),
  about: ({ IamUserArn }) => [IamUserArn],
});
