import * as z from "zod";
import { InstanceId } from "../model/instance.ts";
import { operation } from "./operation.ts";
import { Writing } from "./writing.ts";

const minutes = "must be a whole number from 30 to 720";

/** Gives the caller a temporary RDP login to a Windows instance. The password is shown this once. */
export const GrantAccess = operation({
  name: "GrantAccess",
  path: "/GrantAccess",
  reads: false,
  input: z.strictObject({
    InstanceId,
    ValidForInMinutes: z
      .int({ error: minutes })
      .min(30, { error: minutes })
      .max(720, { error: minutes })
      .optional(),
    ...Writing,
  }),
  output: z.object({
    TemporaryCredential: z.object({
      Username: z.string(),
      Password: z.string(),
      ValidForInMinutes: z.number(),
      InstanceId: z.string(),
    }),
  }),
  needs: ({ InstanceId }) => ({ action: "opsworks:GrantAccess", instanceId: InstanceId }),
});
