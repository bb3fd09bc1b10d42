import * as z from "zod";
import { InstanceKey, ToldLogin } from "../model/instance-login.ts";
import { InstanceUser } from "../model/instance-user.ts";
import { StackId } from "../model/stack.ts";
import { operation } from "./operation.ts";

const nonce = "must be 22 to 64 letters, digits, `-` and `_`, at random";

/**
 * Who may log in to the instance that asks, and to no other: it is decided by who asks, so there is no level and no policy for it. `Lines`
 * are the same users for a shell, one a line: name, Unix id, sudo (0 or 1) and key, separated by tabs.
 */
export const DescribeInstanceAccess = operation({
  name: "DescribeInstanceAccess",
  path: "/DescribeInstanceAccess",
  reads: false,
  input: z.strictObject({
    /** Whose users the server takes: the one that it is set up for. */
    StackId,
    /** Random, another for each request: a request that is sent again is not answered again. */
    Nonce: z.string({ error: nonce }).regex(/^[\w-]{22,64}$/, { error: nonce }),
    Format: z.enum(["Users", "Lines"]).optional(),
    /** The `ETag` of what the server has already. */
    IfNoneMatch: z
      .string()
      .regex(/^[\w-]{1,64}$/, { error: "must be an `ETag` as it was answered" })
      .optional(),
    /** Of a Windows server: what passwords are encrypted for from now on. The first one stays. */
    PublicKey: InstanceKey.optional(),
  }),
  output: z.object({
    NotModified: z.literal(true).optional(),
    Users: z.array(InstanceUser).optional(),
    Lines: z.string().optional(),
    /** Of a Windows server: the temporary logins by RDP. */
    Logins: z.array(ToldLogin).optional(),
    ETag: z.string(),
  }),
  needs: () => undefined,
});
