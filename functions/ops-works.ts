import type { APIGatewayProxyStructuredResultV2, Context } from "aws-lambda";
import * as z from "zod";
import { isOpsWorksAction } from "../shared/decision/levels.ts";
import { handler as CloneStack } from "./clone-stack.ts";
import { handler as CreateLayer } from "./create-layer.ts";
import { handler as CreateStack } from "./create-stack.ts";
import { handler as CreateUserProfile } from "./create-user-profile.ts";
import { handler as DeleteLayer } from "./delete-layer.ts";
import { handler as DeleteStack } from "./delete-stack.ts";
import { handler as DeleteUserProfile } from "./delete-user-profile.ts";
import { handler as DeregisterInstance } from "./deregister-instance.ts";
import { handler as DescribeInstances } from "./describe-instances.ts";
import { handler as DescribeLayers } from "./describe-layers.ts";
import { handler as DescribeMyUserProfile } from "./describe-my-user-profile.ts";
import { handler as DescribePermissions } from "./describe-permissions.ts";
import { handler as DescribeStacks } from "./describe-stacks.ts";
import { handler as DescribeUserProfiles } from "./describe-user-profiles.ts";
import { handler as GrantAccess } from "./grant-access.ts";
import { handler as ListTags } from "./list-tags.ts";
import { handler as RegisterInstance } from "./register-instance.ts";
import { handler as SetPermission } from "./set-permission.ts";
import { handler as TagResource } from "./tag-resource.ts";
import { handler as UntagResource } from "./untag-resource.ts";
import { handler as UpdateLayer } from "./update-layer.ts";
import { handler as UpdateMyUserProfile } from "./update-my-user-profile.ts";
import { handler as UpdateStack } from "./update-stack.ts";
import { handler as UpdateUserProfile } from "./update-user-profile.ts";

const SERVED = new Map(
  Object.entries({
    CloneStack,
    CreateLayer,
    CreateStack,
    CreateUserProfile,
    DeleteLayer,
    DeleteStack,
    DeleteUserProfile,
    DeregisterInstance,
    DescribeInstances,
    DescribeLayers,
    DescribeMyUserProfile,
    DescribePermissions,
    DescribeStacks,
    DescribeUserProfiles,
    GrantAccess,
    ListTags,
    RegisterInstance,
    SetPermission,
    TagResource,
    UntagResource,
    UpdateLayer,
    UpdateMyUserProfile,
    UpdateStack,
    UpdateUserProfile,
  }),
);

const TARGET = /^OpsWorks_20130218\.([A-Za-z]+)$/;
const WireEvent = z.looseObject({
  headers: z.record(z.string(), z.string().optional()),
  body: z.string().optional(),
  isBase64Encoded: z.boolean(),
});
const Reply = z.object({
  statusCode: z.number(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});
const Refusal = z.object({ __type: z.string(), message: z.string() });

/** OpsWorks' errors that callers of its clients catch by name; what it had no name for is one of them. */
const NAME_ON_THE_WIRE: Readonly<Record<string, string>> = { ConflictException: "ValidationException" };

/**
 * The OpsWorks wire protocol, AWS JSON 1.1: `POST /` with the operation in `X-Amz-Target`, so that OpsWorks' own clients work.
 * What each operation does is its own function's; here is only how it is asked and answered.
 */
export async function handler(event: unknown, context: Context): Promise<APIGatewayProxyStructuredResultV2> {
  const request = WireEvent.parse(event);
  const [, name = ""] = TARGET.exec(request.headers["x-amz-target"] ?? "") ?? [];
  const operation = SERVED.get(name);
  if (!operation) return refuse(400, "ValidationException", notServed(name));
  const { statusCode, body } = Reply.parse(await operation(withoutNulls(request), context));
  // An operation without output answers with an empty body.
  if (statusCode < 400) return respond(statusCode, body === "{}" ? "" : body);
  const { __type, message } = Refusal.parse(JSON.parse(body));
  const isModelled = __type === "ResourceNotFoundException" || __type in NAME_ON_THE_WIRE;
  return refuse(isModelled ? 400 : statusCode, NAME_ON_THE_WIRE[__type] ?? __type, message);
}

/** In AWS JSON a member that is null is one that is left out. */
function withoutNulls(request: z.infer<typeof WireEvent>): unknown {
  const { body = "", isBase64Encoded } = request;
  const text = isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body;
  try {
    const input: unknown = JSON.parse(text, (_key, value: unknown) => value ?? undefined);
    return { ...request, body: JSON.stringify(input), isBase64Encoded: false };
  } catch {
    // The operation says what is wrong with it.
    return request;
  }
}

function notServed(name: string): string {
  if (name === "") return "the header `X-Amz-Target` must be `OpsWorks_20130218.<operation>`";
  const what = isOpsWorksAction(name) ? "is not served here" : "is none of OpsWorks";
  return `the operation \`${name}\` ${what}; served are ${[...SERVED.keys()].join(", ")}`;
}

function refuse(statusCode: number, code: string, message: string): APIGatewayProxyStructuredResultV2 {
  return respond(statusCode, JSON.stringify({ __type: code, message }), { "x-amzn-errortype": code });
}

function respond(
  statusCode: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): APIGatewayProxyStructuredResultV2 {
  const always = { "content-type": "application/x-amz-json-1.1", "cache-control": "no-store" };
  return { statusCode, headers: { ...always, ...headers }, body };
}
