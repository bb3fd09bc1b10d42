import { CheckAuthorization } from "./check-authorization.ts";
import { CreateStack } from "./create-stack.ts";
import { DescribeMyUserProfile } from "./describe-my-user-profile.ts";
import { DescribePermissions } from "./describe-permissions.ts";
import { SetPermission } from "./set-permission.ts";

/** Every operation there is. */
export const OPERATIONS = [
  CheckAuthorization,
  CreateStack,
  DescribeMyUserProfile,
  DescribePermissions,
  SetPermission,
] as const;
