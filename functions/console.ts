import { serveConsole } from "../shared/console/serve-console.ts";
import { handler as BatchCheckAuthorization } from "./batch-check-authorization.ts";
import { handler as CheckAuthorization } from "./check-authorization.ts";
import { handler as CheckStackRoles } from "./check-stack-roles.ts";
import { handler as CreateUserProfile } from "./create-user-profile.ts";
import { handler as DeleteUserProfile } from "./delete-user-profile.ts";
import { handler as DescribeEvents } from "./describe-events.ts";
import { handler as DescribeImport } from "./describe-import.ts";
import { handler as DescribeInstances } from "./describe-instances.ts";
import { handler as DescribeLayers } from "./describe-layers.ts";
import { handler as DescribeMyUserProfile } from "./describe-my-user-profile.ts";
import { handler as DescribeOrphans } from "./describe-orphans.ts";
import { handler as DescribePermissions } from "./describe-permissions.ts";
import { handler as DescribePermissionsAt } from "./describe-permissions-at.ts";
import { handler as DescribeStacks } from "./describe-stacks.ts";
import { handler as DescribeUserProfiles } from "./describe-user-profiles.ts";
import { handler as ImportUsers } from "./import-users.ts";
import { handler as PreviewPermissions } from "./preview-permissions.ts";
import { handler as SetPermissions } from "./set-permissions.ts";
import { handler as UpdateMyUserProfile } from "./update-my-user-profile.ts";
import { handler as UpdateUserProfile } from "./update-user-profile.ts";

/** The console in a browser. What each operation does, and who may ask it, is its own function's; here is only who is signed in and what it looks like. */
export const handler = serveConsole({
  BatchCheckAuthorization,
  CheckAuthorization,
  CheckStackRoles,
  CreateUserProfile,
  DeleteUserProfile,
  DescribeEvents,
  DescribeImport,
  DescribeInstances,
  DescribeLayers,
  DescribeMyUserProfile,
  DescribeOrphans,
  DescribePermissions,
  DescribePermissionsAt,
  DescribeStacks,
  DescribeUserProfiles,
  ImportUsers,
  PreviewPermissions,
  SetPermissions,
  UpdateMyUserProfile,
  UpdateUserProfile,
});
