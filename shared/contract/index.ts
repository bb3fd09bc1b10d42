import { BatchCheckAuthorization } from "./batch-check-authorization.ts";
import { CheckAuthorization } from "./check-authorization.ts";
import { CheckStackRoles } from "./check-stack-roles.ts";
import { CreateStack } from "./create-stack.ts";
import { CreateUserProfile } from "./create-user-profile.ts";
import { DeleteStack } from "./delete-stack.ts";
import { DeleteUserProfile } from "./delete-user-profile.ts";
import { DescribeImport } from "./describe-import.ts";
import { DescribeMyUserProfile } from "./describe-my-user-profile.ts";
import { DescribeOrphans } from "./describe-orphans.ts";
import { DescribePermissions } from "./describe-permissions.ts";
import { DescribeStacks } from "./describe-stacks.ts";
import { DescribeUserProfiles } from "./describe-user-profiles.ts";
import { ImportUsers } from "./import-users.ts";
import { SetPermission } from "./set-permission.ts";
import { UpdateMyUserProfile } from "./update-my-user-profile.ts";
import { UpdateStack } from "./update-stack.ts";
import { UpdateUserProfile } from "./update-user-profile.ts";

/** Every operation there is. */
export const OPERATIONS = [
  BatchCheckAuthorization,
  CheckAuthorization,
  CheckStackRoles,
  CreateStack,
  CreateUserProfile,
  DeleteStack,
  DeleteUserProfile,
  DescribeImport,
  DescribeMyUserProfile,
  DescribeOrphans,
  DescribePermissions,
  DescribeStacks,
  DescribeUserProfiles,
  ImportUsers,
  SetPermission,
  UpdateMyUserProfile,
  UpdateStack,
  UpdateUserProfile,
] as const;
