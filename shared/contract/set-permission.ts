import * as z from "zod";
import { Level } from "../model/level.ts";
import { IamUserArn } from "../model/principal.ts";
import { StackId } from "../model/stack.ts";
import { operation } from "./operation.ts";

/** Sets a user's level, SSH/RDP and sudo/admin on a stack; what is left out stays as it is. */
export const SetPermission = operation({
  name: "SetPermission",
  path: "/SetPermission",
  reads: false,
  input: z.strictObject({
    StackId,
    IamUserArn,
    Level: Level.optional(),
    AllowSsh: z.boolean().optional(),
    AllowSudo: z.boolean().optional(),
  }),
  output: z.object({}),
  needs: ({ StackId }) => ({ action: "opsworks:SetPermission", stackId: StackId }),
  about: ({ IamUserArn }) => [IamUserArn],
});
