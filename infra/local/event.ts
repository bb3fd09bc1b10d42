import { randomUUID } from "node:crypto";
import type {
  APIGatewayEventRequestContextV2WithAuthorizer,
  APIGatewayProxyEventV2WithRequestContext,
  Context,
} from "aws-lambda";
import type { Identity, ReceivedRequest } from "./sigv4.ts";
import type { Route } from "./template.ts";

type IamAuthorizer = {
  iam: {
    accessKey: string;
    accountId: string;
    callerId: string;
    cognitoIdentity: null;
    principalOrgId: null;
    userArn: string;
    userId: string;
  };
};

/** What a function gets from an HTTP API: payload format 2.0, with the verified signer unless the route is open. */
export type GatewayEvent = APIGatewayProxyEventV2WithRequestContext<
  Omit<APIGatewayEventRequestContextV2WithAuthorizer<IamAuthorizer>, "authorizer"> & {
    authorizer?: IamAuthorizer;
  }
>;

/** What the gateway itself knows of a request; nothing here is the client's word but the user agent. */
export type Circumstances = {
  requestId: string;
  receivedAt: Date;
  httpVersion: string;
  sourceIp: string;
  accountId: string;
  region: string;
  identity?: Identity;
};

const apiId = "local";

/**
 * The content types that reach a function as text, found by trying real HTTP APIs
 * (https://github.com/ministackorg/ministack/pull/766): all others, and none at all, are base64-encoded.
 */
const textual = /^(text\/.*|application\/(json|javascript|xml))$/;

/** Builds the event (API Gateway developer guide, "Lambda proxy integrations for HTTP APIs", format 2.0). */
export function gatewayEvent(route: Route, request: ReceivedRequest, given: Circumstances): GatewayEvent {
  const routeKey = `${route.method} ${route.path}`;
  const { cookie, ...headers } = Object.fromEntries(
    [...request.headers].map(([name, values]) => [name, values.join(name === "cookie" ? ";" : ",")]),
  );
  const isBase64Encoded = request.body.length > 0 && !isText(headers["content-type"]);
  const domainName = `${apiId}.execute-api.${given.region}.amazonaws.com`;
  return {
    version: "2.0",
    routeKey,
    rawPath: request.path,
    rawQueryString: request.query,
    ...(cookie === undefined ? {} : { cookies: cookie.split(";").map((one) => one.trim()) }),
    headers,
    ...pathParameters(route.path, request.path),
    ...(request.query === "" ? {} : { queryStringParameters: queryParameters(request.query) }),
    requestContext: {
      accountId: given.accountId,
      apiId,
      ...(given.identity === undefined ? {} : { authorizer: iamAuthorizer(given.identity) }),
      domainName,
      domainPrefix: apiId,
      http: {
        method: request.method,
        path: request.path,
        protocol: `HTTP/${given.httpVersion}`,
        sourceIp: given.sourceIp,
        userAgent: headers["user-agent"] ?? "",
      },
      requestId: given.requestId,
      routeKey,
      stage: "$default",
      time: commonLogTime(given.receivedAt),
      timeEpoch: given.receivedAt.getTime(),
    },
    ...(request.body.length === 0
      ? {}
      : { body: Buffer.from(request.body).toString(isBase64Encoded ? "base64" : "utf8") }),
    isBase64Encoded,
  };
}

/** The second argument of a handler, as the nodejs24.x runtime gives it. */
export function lambdaContext(
  route: Route,
  given: Circumstances,
  getRemainingTimeInMillis: () => number,
): Omit<Context, "callbackWaitsForEmptyEventLoop" | "done" | "fail" | "succeed"> {
  const functionName = `stackwarden-local-${route.functionName}`;
  return {
    awsRequestId: randomUUID(),
    functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: `arn:aws:lambda:${given.region}:${given.accountId}:function:${functionName}:${route.alias}`,
    memoryLimitInMB: "512",
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: "local",
    getRemainingTimeInMillis,
  };
}

function iamAuthorizer({ accessKeyId, accountId, userArn, userId }: Identity): IamAuthorizer {
  return {
    iam: {
      accessKey: accessKeyId,
      accountId,
      callerId: userId,
      cognitoIdentity: null,
      principalOrgId: null,
      userArn,
      userId,
    },
  };
}

/** What a greedy route's path has in place of its variable. */
function pathParameters(pattern: string, path: string): { pathParameters?: Record<string, string> } {
  const [, folder = "", name] = /^(.*)\{(\w+)\+\}$/.exec(pattern) ?? [];
  return name === undefined ? {} : { pathParameters: { [name]: path.slice(folder.length) } };
}

function isText(contentType: string | undefined): boolean {
  return textual.test((contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "");
}

function queryParameters(query: string): Record<string, string> {
  const parameters = new URLSearchParams(query);
  return Object.fromEntries([...parameters.keys()].map((name) => [name, parameters.getAll(name).join(",")]));
}

/** `12/Mar/2020:19:03:58 +0000` */
function commonLogTime(date: Date): string {
  const [, day, month, year, time] = date.toUTCString().split(" ");
  return `${day}/${month}/${year}:${time} +0000`;
}
