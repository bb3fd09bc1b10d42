import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Circumstances, gatewayEvent, lambdaContext } from "./event.ts";
import { ownReply, type Reply, replyOf, sendReply } from "./reply.ts";
import { type Identity, type ReceivedRequest, verifySignature } from "./sigv4.ts";
import type { Route } from "./template.ts";

/** A Lambda handler; each types the event it expects, and the template says which it gets. */
// oxlint-disable-next-line typescript/no-explicit-any -- what a handler expects is not known here
export type Handler = (event: any, context: any) => unknown;

export type GatewayOptions = {
  routes: Route[];
  /** 0 for any free port. */
  port: number;
  host?: string;
  region: string;
  accountId: string;
  credentials: (accessKeyId: string) => Identity | undefined;
  handlerOf: (functionName: string) => Promise<Handler> | Handler;
  now?: () => Date;
  /** Pages of this machine alone, which no deployed API has. */
  ownPages?: OwnPages;
  /** Told why a request was refused, which the client is not. */
  onRefusal?: (why: string) => void;
  /** Told what a function threw or wrongly answered, which the client is not. */
  onFault?: (error: unknown) => void;
};

export type OwnPages = {
  has(path: string): boolean;
  answer(request: ReceivedRequest): Promise<Reply | undefined>;
};

// Quotas of HTTP APIs (API Gateway developer guide); 29 s is under the 30 s after which they give up.
const maximalBody = 10 * 1024 * 1024;
const maximalWaitMs = 29_000;

const forbidden = ownReply(403, "Forbidden");
const notFound = ownReply(404, "Not Found");
const tooLarge = ownReply(413, "Request Entity Too Large");
const fault = ownReply(500, "Internal Server Error");
const late = ownReply(503, "Service Unavailable");

/** An API Gateway HTTP API on this machine: the routes of the template, IAM authorization, payload format 2.0. */
export async function startGateway(
  options: GatewayOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const { host = "127.0.0.1", port } = options;
  const routeOf = routeFinder(options.routes);

  const server = createServer((request, response) => {
    const requestId = randomUUID();
    answer(request, requestId, routeOf, options)
      .then((reply) => {
        sendReply(response, reply, requestId);
        if (reply === tooLarge) hangUpSoon(request);
      })
      .catch((error: unknown) => {
        options.onFault?.(error);
        sendFault(response, requestId);
      });
  });
  server.listen(port, host);
  await once(server, "listening");

  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the gateway has no port");
  return {
    url: `http://${host}:${address.port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function answer(
  message: IncomingMessage,
  requestId: string,
  routeOf: RouteFinder,
  options: GatewayOptions,
): Promise<Reply> {
  const receivedAt = options.now?.() ?? new Date();
  const method = message.method ?? "";
  const [, path = "", query = ""] = /^([^?]*)\??(.*)$/s.exec(message.url ?? "") ?? [];
  const own = options.ownPages?.has(path);
  const route = routeOf(method, path);
  if (!own && route === undefined) return notFound;

  const body = await readBody(message);
  if (body === undefined) return tooLarge;

  const request: ReceivedRequest = { method, path, query, headers: headersOf(message), body };
  if (own || route === undefined) return (await options.ownPages?.answer(request)) ?? notFound;
  const circumstances: Circumstances = {
    requestId,
    receivedAt,
    httpVersion: message.httpVersion,
    sourceIp: message.socket.remoteAddress ?? "",
    accountId: options.accountId,
    region: options.region,
  };
  if (route.authorizationType === "AWS_IAM") {
    const { credentials, region } = options;
    const signer = await verifySignature(request, {
      credentials,
      region,
      services: servicesOf(route),
      now: receivedAt,
    });
    if (!signer.ok) {
      options.onRefusal?.(signer.why);
      return forbidden;
    }
    circumstances.identity = signer.identity;
  }
  return invoke(route, request, circumstances, options);
}

type RouteFinder = (method: string, path: string) => Route | undefined;

/**
 * The most specific route: the path itself before a greedy one, the longer of two greedy ones, and the method before `ANY`.
 *
 * Source: API Gateway developer guide, "Create routes for HTTP APIs in API Gateway: Routing API requests".
 */
function routeFinder(routes: readonly Route[]): RouteFinder {
  const ranked = routes
    .map((route) => ({ route, folder: /^(.*\/)\{\w+\+\}$/.exec(route.path)?.[1] }))
    .toSorted((a, b) => rank(b) - rank(a));
  return (method, path) =>
    ranked.find(({ route, folder }) => {
      const isPath = folder === undefined ? path === route.path : isUnder(folder, path);
      return isPath && (route.method === method || route.method === "ANY");
    })?.route;
}

function isUnder(folder: string, path: string): boolean {
  return path.startsWith(folder) && path.length > folder.length;
}

function rank({ route, folder }: { readonly route: Route; readonly folder: string | undefined }): number {
  const isOfMethod = route.method === "ANY" ? 0 : 1;
  return (folder === undefined ? 1e6 : 2 * folder.length) + isOfMethod;
}

/** OpsWorks' own clients sign for `opsworks`; a deployed gateway wants `execute-api` from them too. */
function servicesOf({ path }: Route): string[] {
  return path === "/" ? ["execute-api", "opsworks"] : ["execute-api"];
}

async function invoke(
  route: Route,
  request: ReceivedRequest,
  circumstances: Circumstances,
  { handlerOf }: GatewayOptions,
): Promise<Reply> {
  const deadline = Date.now() + maximalWaitMs;
  const run = async () => {
    const handler = await handlerOf(route.functionName);
    const context = lambdaContext(route, circumstances, () => Math.max(0, deadline - Date.now()));
    return replyOf(await handler(gatewayEvent(route, request, circumstances), context));
  };
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<Reply>((resolve) => {
    timer = setTimeout(() => resolve(late), maximalWaitMs);
  });
  try {
    return await Promise.race([run(), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

function sendFault(response: ServerResponse, requestId: string): void {
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  sendReply(response, fault, requestId);
}

/** The whole body, or nothing when it is larger than the gateway takes. */
async function readBody(message: IncomingMessage): Promise<Buffer | undefined> {
  if (Number(message.headers["content-length"] ?? 0) > maximalBody) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > maximalBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Not at once: closing a connection with unread data in it takes the answer back before the client has read it. */
function hangUpSoon(message: IncomingMessage): void {
  setTimeout(() => {
    if (!message.complete) message.destroy();
  }, 500).unref();
}

/** Every header with all its values: `message.headers` drops what comes twice, which a signature must not overlook. */
function headersOf({ rawHeaders }: IncomingMessage): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), rawHeaders[i + 1] ?? ""]);
  }
  return headers;
}
