import * as z from "zod";
import { IamUserArn } from "../model/principal.ts";
import { SshPublicKeyOrNone } from "../model/ssh-public-key.ts";
import { SshUsername } from "../model/ssh-username.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** Changes a user's profile; what is left out stays as it is, an empty SshPublicKey takes the key away. */
export const UpdateUserProfile = operation({
  name: "UpdateUserProfile",
  path: "/UpdateUserProfile",
  reads: false,
  input: z.strictObject({
    IamUserArn,
    SshUsername: SshUsername.optional(),
    SshPublicKey: SshPublicKeyOrNone.optional(),
    AllowSelfManagement: z.boolean().optional(),
    ...Changing,
  }),
  output: z.object({}),
  needs: () => ({ action: "opsworks:UpdateUserProfile" }),
  about: ({ IamUserArn }) => [IamUserArn],
});
