import * as z from "zod";
import { IamUserArn } from "../model/principal.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** Removes a user. All the user was given is void from that moment, on every stack. */
export const DeleteUserProfile = operation({
  name: "DeleteUserProfile",
  path: "/DeleteUserProfile",
  reads: false,
  input: z.strictObject({ IamUserArn, ...Changing }),
  output: z.object({}),
  needs: () => ({ action: "opsworks:DeleteUserProfile" }),
  about: ({ IamUserArn }) => [IamUserArn],
});
