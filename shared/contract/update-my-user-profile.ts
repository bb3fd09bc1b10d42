import * as z from "zod";
import { SshPublicKeyOrNone } from "../model/ssh-public-key.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** My Settings: changes the caller's own SSH key; an empty one takes it away. */
export const UpdateMyUserProfile = operation({
  name: "UpdateMyUserProfile",
  path: "/UpdateMyUserProfile",
  reads: false,
  input: z.strictObject({ SshPublicKey: SshPublicKeyOrNone.optional(), ...Changing }),
  output: z.object({}),
  needs: () => ({ action: "opsworks:UpdateMyUserProfile" }),
});
