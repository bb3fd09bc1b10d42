import type { APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import * as z from "zod";
import { isOpsWorksAction } from "../shared/decision/levels.ts";
import { handler as CreateStack } from "./create-stack.ts";
import { handler as CreateUserProfile } from "./create-user-profile.ts";
import { handler as DeleteStack } from "./delete-stack.ts";
import { handler as DeleteUserProfile } from "./delete-user-profile.ts";
import { handler as DescribeMyUserProfile } from "./describe-my-user-profile.ts";
import { handler as DescribePermissions } from "./describe-permissions.ts";
import { handler as DescribeStacks } from "./describe-stacks.ts";
import { handler as DescribeUserProfiles } from "./describe-user-profiles.ts";
import { handler as SetPermission } from "./set-permission.ts";
import { handler as UpdateMyUserProfile } from "./update-my-user-profile.ts";
import { handler as UpdateStack } from "./update-stack.ts";
import { handler as UpdateUserProfile } from "./update-user-profile.ts";

const SERVED = new Map(
  Object.entries({
    CreateStack,
    CreateUserProfile,
    DeleteStack,
    DeleteUserProfile,
    DescribeMyUserProfile,
    DescribePermissions,
    DescribeStacks,
    DescribeUserProfiles,
    SetPermission,
    UpdateMyUserProfile,
    UpdateStack,
    UpdateUserProfile,
  }),
);

const TARGET = /^OpsWorks_20130218\.([A-Za-z]+)$/;
const WireEvent = z.object({
  headers: z.record(z.string(), z.string().optional()),
  requestContext: z.unknown(),
});
const Reply = z.object({
  statusCode: z.number(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});

/**
 * The OpsWorks wire protocol, AWS JSON 1.1: `POST /` with the operation in `X-Amz-Target`, so that OpsWorks' own clients work.
 * What each operation does is its own function's; here is only how it is asked and answered.
 */
export async function handler(event: unknown, context: Context): Promise<APIGatewayProxyStructuredResultV2> {
  const [, name = ""] = TARGET.exec(WireEvent.parse(event).headers["x-amz-target"] ?? "") ?? [];
  const operation = SERVED.get(name);
  if (!operation) return respond(400, fault("ValidationException", notServed(name)));
  const { statusCode, headers, body } = Reply.parse(await operation(event, context));
  // An operation without output answers with an empty body, and OpsWorks had no 404.
  return respond(
    statusCode === 404 ? 400 : statusCode,
    body === "{}" ? "" : body,
    headers["x-amzn-errortype"],
  );
}

function notServed(name: string): string {
  if (name === "") return "the header `X-Amz-Target` must be `OpsWorks_20130218.<operation>`";
  const reason = isOpsWorksAction(name)
    ? "it is not about permissions, users or stacks"
    : "there is no such operation";
  return `the operation \`${name}\` is not served here: ${reason}`;
}

function fault(code: string, message: string): string {
  return JSON.stringify({ __type: code, message });
}

function respond(statusCode: number, body: string, errorType?: string): APIGatewayProxyStructuredResultV2 {
  const headers = { "content-type": "application/x-amz-json-1.1", "cache-control": "no-store" };
  return {
    statusCode,
    headers: { ...headers, ...(errorType ? { "x-amzn-errortype": errorType } : {}) },
    body,
  };
}
