export { createClient, StackwardenError } from "./client.ts";
export type {
  Caller,
  Check,
  Client,
  ClientOptions,
  LambdaInvoker,
  Level,
  Permission,
  Question,
} from "./client.ts";
export { requirePermission, type RequirePermissionOptions } from "./require-permission.ts";
