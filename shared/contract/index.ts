import { BatchCheckAuthorization } from "./batch-check-authorization.ts";
import { CheckAuthorization } from "./check-authorization.ts";
import { CheckStackRoles } from "./check-stack-roles.ts";
import { CloneStack } from "./clone-stack.ts";
import { CreateConsoleToken } from "./create-console-token.ts";
import { CreateLayer } from "./create-layer.ts";
import { CreateStack } from "./create-stack.ts";
import { CreateUserProfile } from "./create-user-profile.ts";
import { DeleteLayer } from "./delete-layer.ts";
import { DeleteStack } from "./delete-stack.ts";
import { DeleteUserProfile } from "./delete-user-profile.ts";
import { DeregisterInstance } from "./deregister-instance.ts";
import { DescribeEvents } from "./describe-events.ts";
import { DescribeImport } from "./describe-import.ts";
import { DescribeInstanceAccess } from "./describe-instance-access.ts";
import { DescribeInstances } from "./describe-instances.ts";
import { DescribeLayers } from "./describe-layers.ts";
import { DescribeMyUserProfile } from "./describe-my-user-profile.ts";
import { DescribeOrphans } from "./describe-orphans.ts";
import { DescribePermissions } from "./describe-permissions.ts";
import { DescribePermissionsAt } from "./describe-permissions-at.ts";
import { DescribeStacks } from "./describe-stacks.ts";
import { DescribeUserProfiles } from "./describe-user-profiles.ts";
import { GrantAccess } from "./grant-access.ts";
import { ImportUsers } from "./import-users.ts";
import { ListTags } from "./list-tags.ts";
import { PreviewPermissions } from "./preview-permissions.ts";
import { RegisterInstance } from "./register-instance.ts";
import { SetPermission } from "./set-permission.ts";
import { SetPermissions } from "./set-permissions.ts";
import { TagResource } from "./tag-resource.ts";
import { UntagResource } from "./untag-resource.ts";
import { UpdateLayer } from "./update-layer.ts";
import { UpdateMyUserProfile } from "./update-my-user-profile.ts";
import { UpdateStack } from "./update-stack.ts";
import { UpdateUserProfile } from "./update-user-profile.ts";

/** Every operation there is. */
export const OPERATIONS = [
  BatchCheckAuthorization,
  CheckAuthorization,
  CheckStackRoles,
  CloneStack,
  CreateConsoleToken,
  CreateLayer,
  CreateStack,
  CreateUserProfile,
  DeleteLayer,
  DeleteStack,
  DeleteUserProfile,
  DeregisterInstance,
  DescribeEvents,
  DescribeImport,
  DescribeInstanceAccess,
  DescribeInstances,
  DescribeLayers,
  DescribeMyUserProfile,
  DescribeOrphans,
  DescribePermissions,
  DescribePermissionsAt,
  DescribeStacks,
  DescribeUserProfiles,
  GrantAccess,
  ImportUsers,
  ListTags,
  PreviewPermissions,
  RegisterInstance,
  SetPermission,
  SetPermissions,
  TagResource,
  UntagResource,
  UpdateLayer,
  UpdateMyUserProfile,
  UpdateStack,
  UpdateUserProfile,
] as const;
