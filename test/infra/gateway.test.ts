import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { DynamoDBClient, ListTablesCommand } from "@aws-sdk/client-dynamodb";
import { Hash } from "@smithy/hash-node";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type Handler, startGateway } from "../../infra/local/gateway.ts";
import type { Identity } from "../../infra/local/sigv4.ts";
import type { Route } from "../../infra/local/template.ts";

const region = "us-east-1";
const accountId = "111122223333";

const alice: Identity = {
  accessKeyId: "AKIAALICE",
  secretAccessKey: "alice's secret",
  accountId,
  userArn: `arn:aws:iam::${accountId}:user/alice`,
  userId: "AIDAALICE",
};
const visitor: Identity = {
  accessKeyId: "ASIAVISITOR",
  secretAccessKey: "visitor's secret",
  sessionToken: "visitor's token",
  accountId,
  userArn: `arn:aws:sts::${accountId}:assumed-role/visitor/session`,
  userId: "AROAVISITOR:session",
};
const known = new Map([alice, visitor].map((identity) => [identity.accessKeyId, identity]));

const json = (body: unknown) => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const handlers: Record<string, Handler> = {
  Echo: (event) => json(event),
  Route: (event) => json(event),
  Context: (_event, { getRemainingTimeInMillis, ...context }) =>
    json({ ...context, remaining: getRemainingTimeInMillis() }),
  Tables: () => ({
    ...json({ TableNames: ["one"] }),
    headers: { "content-type": "application/x-amz-json-1.0" },
  }),
  Binary: () => ({
    statusCode: 201,
    headers: { "x-number": 7 },
    cookies: ["a=1", "b=2"],
    body: "AAH/",
    isBase64Encoded: true,
  }),
  Throw: () => {
    throw new Error("secret detail");
  },
  Reject: async () => Promise.reject(new Error("secret detail")),
  Nothing: () => undefined,
  NoStatus: () => ({ decision: true }),
  BadStatus: () => ({ statusCode: 99 }),
  BadHeader: () => ({ statusCode: 200, headers: { "x-split": "a\r\nx-forged: b" } }),
};

const route = (functionName: string, path = `/${functionName}`): Route => ({
  method: "POST",
  path,
  authorizationType: "AWS_IAM",
  functionName,
  alias: "gateway",
  handler: "functions/none.handler",
  environment: {},
});

const openRoute = (method: string, path: string): Route => ({
  ...route("Route", path),
  method,
  authorizationType: "NONE",
});
const greedyRoutes = [
  openRoute("ANY", "/pets/{rest+}"),
  openRoute("GET", "/pets/{rest+}"),
  openRoute("ANY", "/pets/dogs/{rest+}"),
  openRoute("GET", "/pets/dogs/1"),
  openRoute("ANY", "/pets/dogs/2"),
];

const refusals: string[] = [];
const faults: unknown[] = [];
let gateway: Awaited<ReturnType<typeof startGateway>>;

const start = (port: number) =>
  startGateway({
    routes: [
      ...Object.keys(handlers).map((name) => route(name)),
      route("Slow"),
      route("Tables", "/"),
      ...greedyRoutes,
    ],
    port,
    region,
    accountId,
    credentials: (accessKeyId) => known.get(accessKeyId),
    handlerOf: (functionName) => handlers[functionName]!,
    onRefusal: (why) => refusals.push(why),
    onFault: (error) => faults.push(error),
  });

beforeAll(async () => {
  gateway = await start(0);
});
afterAll(() => gateway.close());
afterEach(() => {
  refusals.length = 0;
  faults.length = 0;
});

type Call = { path: string; headers: Record<string, string | string[]>; body: string | Buffer };

/** A signed call, which a test may change before it is sent. */
async function signed({
  path = "/Echo",
  query = {},
  body = '{"a":1}',
  headers = { "content-type": "application/json" },
  as = alice,
  minutesOff = 0,
  ...scope
}: {
  path?: string;
  query?: Record<string, string | string[]>;
  body?: string | Buffer;
  headers?: Record<string, string>;
  as?: Partial<Identity>;
  minutesOff?: number;
  service?: string;
  region?: string;
  unsigned?: string;
} = {}): Promise<Call> {
  const { accessKeyId = "", secretAccessKey = "", sessionToken } = as;
  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    region: scope.region ?? region,
    service: scope.service ?? "execute-api",
    sha256: Hash.bind(null, "sha256"),
  });
  const request = new HttpRequest({
    method: "POST",
    path,
    query,
    headers: { host: new URL(gateway.url).host, ...headers },
    body,
  });
  const { headers: signedHeaders } = await signer.sign(request, {
    signingDate: new Date(Date.now() + minutesOff * 60_000),
    unsignableHeaders: new Set(scope.unsigned === undefined ? [] : [scope.unsigned]),
  });
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    [values].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
  );
  return { path: pairs.length === 0 ? path : `${path}?${pairs.join("&")}`, headers: signedHeaders, body };
}

/** Sends exactly this, headers that come twice included. */
function send({ path, headers, body }: Call, method = "POST") {
  const { hostname, port } = new URL(gateway.url);
  const rawHeaders = Object.entries(headers).flatMap(([name, values]) =>
    [values].flat().flatMap((value) => [name, value]),
  );
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string; bytes: Buffer }>(
    (resolve, reject) => {
      const outgoing = httpRequest(
        {
          hostname,
          port,
          method,
          path,
          headers: [...rawHeaders, "content-length", String(Buffer.byteLength(body))],
        },
        async (incoming) => {
          const chunks: Buffer[] = [];
          for await (const chunk of incoming) chunks.push(chunk);
          const bytes = Buffer.concat(chunks);
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: bytes.toString(),
            bytes,
          });
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    },
  );
}

const eventOf = async (call: Call) => JSON.parse((await send(call)).body);

async function expectForbidden(call: Call, why: string | RegExp) {
  const { status, body } = await send(call);
  expect({ status, body }).toEqual({ status: 403, body: '{"message":"Forbidden"}' });
  expect(refusals).toEqual([expect.stringMatching(why)]);
}

describe("a signature is refused when", () => {
  test("there is none", async () => {
    const call = await signed();
    delete call.headers["authorization"];
    await expectForbidden(call, "the request is not signed");
  });

  test("the secret is wrong", async () => {
    await expectForbidden(
      await signed({ as: { ...alice, secretAccessKey: "guess" } }),
      "the signature does not match",
    );
  });

  test("the access key is unknown", async () => {
    await expectForbidden(
      await signed({ as: { ...alice, accessKeyId: "AKIANOBODY" } }),
      "`AKIANOBODY` is unknown",
    );
  });

  test("the access key is another's", async () => {
    const call = await signed();
    call.headers["authorization"] = String(call.headers["authorization"]).replace("AKIAALICE", "ASIAVISITOR");
    call.headers["x-amz-security-token"] = "visitor's token";
    await expectForbidden(call, "the signature does not match");
  });

  test("it is for another service", async () => {
    await expectForbidden(await signed({ service: "opsworks" }), "signed for service `opsworks`");
  });

  test("it is for another region", async () => {
    await expectForbidden(await signed({ region: "eu-west-1" }), "signed for region `eu-west-1`");
  });

  test.for([-5.1, 5.1])("it was made %d minutes from now", async (minutesOff) => {
    await expectForbidden(await signed({ minutesOff }), "more than 5 minutes from now");
  });

  test("its scope is of another day", async () => {
    const call = await signed();
    call.headers["authorization"] = String(call.headers["authorization"]).replace(/\/\d{8}\//, "/20200101/");
    await expectForbidden(call, "not on the day");
  });

  test.for(["today", "20261345T000000Z", "2026-11-21T00:00:00Z", ""])("its date is `%s`", async (date) => {
    const call = await signed();
    await expectForbidden({ ...call, headers: { ...call.headers, "x-amz-date": date } }, "is no date");
  });

  test("the body is another", async () => {
    await expectForbidden({ ...(await signed()), body: '{"a":2}' }, "not the hash of the body");
  });

  test("the body and its hash are others", async () => {
    const [call, other] = [await signed(), await signed({ body: '{"a":2}' })];
    call.headers["x-amz-content-sha256"] = other.headers["x-amz-content-sha256"]!;
    await expectForbidden({ ...call, body: other.body }, "the signature does not match");
  });

  test("the body and its hash are others, and the hash was not signed", async () => {
    const [call, other] = [
      await signed({ unsigned: "x-amz-content-sha256" }),
      await signed({ body: '{"a":2}' }),
    ];
    call.headers["x-amz-content-sha256"] = other.headers["x-amz-content-sha256"]!;
    await expectForbidden({ ...call, body: other.body }, "the signature does not match");
  });

  test("the body is declared unsigned", async () => {
    const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    await expectForbidden(await signed({ headers }), "not the hash of the body");
  });

  test.for(["host", "x-amz-date"])("it leaves out %s", async (unsigned) => {
    await expectForbidden(await signed({ unsigned }), `\`${unsigned}\` is not signed`);
  });

  test("a signed header has another value", async () => {
    const call = await signed({ headers: { "x-note": "one" } });
    call.headers["x-note"] = "two";
    await expectForbidden(call, "the signature does not match");
  });

  test("a signed header came a second time", async () => {
    const call = await signed({ headers: { "x-note": "one" } });
    call.headers["x-note"] = ["one", "two"];
    await expectForbidden(call, "the signature does not match");
  });

  test("a signed header is missing", async () => {
    const call = await signed({ headers: { "x-note": "one" } });
    delete call.headers["x-note"];
    await expectForbidden(call, "signed header `x-note` is missing");
  });

  test.for(["authorization", "x-amz-date", "x-amz-content-sha256", "host"])("%s came twice", async (name) => {
    const call = await signed();
    const value = String(call.headers[name]);
    call.headers[name] = [value, value];
    await expectForbidden(call, `\`${name}\` came more than once`);
  });

  test("the session token came twice", async () => {
    const call = await signed({ as: visitor });
    call.headers["x-amz-security-token"] = ["visitor's token", "another"];
    await expectForbidden(call, "`x-amz-security-token` came more than once");
  });

  test("temporary credentials come without their token", async () => {
    const { sessionToken: _, ...withoutToken } = visitor;
    await expectForbidden(await signed({ as: withoutToken }), "the session token does not belong");
  });

  test("temporary credentials come with another token", async () => {
    await expectForbidden(
      await signed({ as: { ...visitor, sessionToken: "another" } }),
      "the session token does not belong",
    );
  });

  test("a long-term key comes with a token", async () => {
    await expectForbidden(
      await signed({ as: { ...alice, sessionToken: "any" } }),
      "the session token does not belong",
    );
  });

  test("it is for another path", async () => {
    await expectForbidden({ ...(await signed()), path: "/Context" }, "the signature does not match");
  });

  test.for(["/Echo?a=2", "/Echo", "/Echo?a=1&b=2", "/Echo?a=1&a=1"])(
    "it is for `?a=1` and comes to `%s`",
    async (path) => {
      await expectForbidden(
        { ...(await signed({ query: { a: "1" } })), path },
        "the signature does not match",
      );
    },
  );

  test("the query string cannot be decoded", async () => {
    await expectForbidden({ ...(await signed()), path: "/Echo?a=%E0%A4%A" }, "the query string is malformed");
  });

  const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  const scope = `AKIAALICE/${today}/us-east-1/execute-api/aws4_request`;
  const signature = "0".repeat(64);
  test.for([
    "",
    "Bearer token",
    "Basic QUtJQTpzZWNyZXQ=",
    "AWS4-HMAC-SHA256",
    "AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=",
    `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date`,
    `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=`,
    `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}0`,
    `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}, Signature=${signature}`,
    `AWS4-HMAC-SHA256 Credential=${scope}, Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    `AWS4-HMAC-SHA256 Credential=AKIAALICE/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=${signature}`,
    `AWS4-ECDSA-P256-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  ])("the authorization header is `%s`", async (authorization) => {
    const call = await signed();
    await expectForbidden({ ...call, headers: { ...call.headers, authorization } }, "malformed");
  });

  test.for([
    "host;x-amz-date;__proto__",
    "host;host;x-amz-date",
    "x-amz-date;host",
    "Host;x-amz-date",
    "authorization;host;x-amz-date",
    "host;;x-amz-date",
  ])("its headers are listed as `%s`", async (list) => {
    const call = await signed();
    call.headers["authorization"] = String(call.headers["authorization"]).replace(
      /(SignedHeaders=)[^,]+/,
      `$1${list}`,
    );
    await expectForbidden(call, /does not match|is missing|is not signed/);
  });
});

describe("a signature is accepted when", () => {
  const userArnOf = async (call: Call) => (await eventOf(call)).requestContext.authorizer.iam.userArn;

  test.for([-4.9, 0, 4.9])("it was made %d minutes from now", async (minutesOff) => {
    expect(await userArnOf(await signed({ minutesOff }))).toBe(alice.userArn);
  });

  test("temporary credentials come with their token", async () => {
    expect(await userArnOf(await signed({ as: visitor }))).toBe(visitor.userArn);
  });

  test.for(["", "{}", "ü", "x".repeat(100_000)])("the body is signed, %#", async (body) => {
    expect(await userArnOf(await signed({ body }))).toBe(alice.userArn);
  });

  test("the body is of bytes", async () => {
    const body = Buffer.from([0, 1, 255]);
    const event = await eventOf(
      await signed({ body, headers: { "content-type": "application/octet-stream" } }),
    );
    expect(event).toMatchObject({ body: "AAH/", isBase64Encoded: true });
  });

  test("there is a query string", async () => {
    const query = { b: ["2", "1"], a: "x y+z/ü&=", empty: "" };
    const event = await eventOf(await signed({ query }));
    expect(event.queryStringParameters).toEqual({ b: "2,1", a: "x y+z/ü&=", empty: "" });
  });

  test("headers came with spaces in them", async () => {
    expect(await userArnOf(await signed({ headers: { "x-note": " one   two " } }))).toBe(alice.userArn);
  });

  test("the AWS SDK made it", async () => {
    for (const identity of [alice, visitor]) {
      const credentials = { sessionToken: "", ...identity };
      const client = new DynamoDBClient({
        endpoint: gateway.url,
        region,
        credentials,
        signer: new SignatureV4({
          credentials,
          region,
          service: "execute-api",
          sha256: Hash.bind(null, "sha256"),
        }),
      });
      expect((await client.send(new ListTablesCommand())).TableNames).toEqual(["one"]);
      client.destroy();
    }
  });

  const curl = async (...extra: string[]) => {
    const { stdout } = await promisify(execFile)("curl", [
      "--silent",
      "--aws-sigv4",
      `aws:amz:${region}:execute-api`,
      "--user",
      `${alice.accessKeyId}:${alice.secretAccessKey}`,
      ...extra,
    ]);
    return JSON.parse(stdout);
  };
  describe.skipIf(spawnSync("curl", ["--version"]).status !== 0)("curl made it", () => {
    test.for([
      ["and said that it is JSON", ["--header", "content-type: application/json"], false],
      ["and named a form, as it does by itself", [], true],
    ] as const)("%s", async ([, headers, isBase64Encoded]) => {
      const event = await curl(...headers, "--data", '{"a":1}', `${gateway.url}/Echo`);
      expect(event.requestContext.authorizer.iam.userArn).toBe(alice.userArn);
      expect(event.isBase64Encoded).toBe(isBase64Encoded);
      expect(Buffer.from(event.body, isBase64Encoded ? "base64" : "utf8").toString()).toBe('{"a":1}');
    });

    test("and sent neither body nor content type", async () => {
      const event = await curl("--request", "POST", `${gateway.url}/Echo`);
      expect(event.requestContext.authorizer.iam.userArn).toBe(alice.userArn);
    });

    test("but not with a wrong secret", async () => {
      expect(await curl("--user", "AKIAALICE:guess", "--data", "{}", `${gateway.url}/Echo`)).toEqual({
        message: "Forbidden",
      });
    });
  });
});

describe("an event", () => {
  test("is of payload format 2.0", async () => {
    const call = await signed({
      query: { a: "1" },
      headers: { "content-type": "application/json", "user-agent": "tester" },
    });
    const before = Date.now();
    const event = await eventOf(call);
    expect(event).toEqual({
      version: "2.0",
      routeKey: "POST /Echo",
      rawPath: "/Echo",
      rawQueryString: "a=1",
      headers: expect.objectContaining({ "content-type": "application/json", "content-length": "7" }),
      queryStringParameters: { a: "1" },
      requestContext: {
        accountId,
        apiId: "local",
        authorizer: {
          iam: {
            accessKey: "AKIAALICE",
            accountId,
            callerId: "AIDAALICE",
            cognitoIdentity: null,
            principalOrgId: null,
            userArn: alice.userArn,
            userId: "AIDAALICE",
          },
        },
        domainName: "local.execute-api.us-east-1.amazonaws.com",
        domainPrefix: "local",
        http: {
          method: "POST",
          path: "/Echo",
          protocol: "HTTP/1.1",
          sourceIp: "127.0.0.1",
          userAgent: "tester",
        },
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        routeKey: "POST /Echo",
        stage: "$default",
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      body: '{"a":1}',
      isBase64Encoded: false,
    });
    expect(event.requestContext.timeEpoch).toBeGreaterThanOrEqual(before);
  });

  test("has no body when the request had none", async () => {
    const event = await eventOf(await signed({ body: "" }));
    expect(event).not.toHaveProperty("body");
    expect(event.isBase64Encoded).toBe(false);
  });

  test("has header names in lower case, and what came twice joined by a comma", async () => {
    const call = await signed();
    const event = await eventOf({ ...call, headers: { ...call.headers, "X-Note": ["one", "two"] } });
    expect(event.headers["x-note"]).toBe("one,two");
  });

  test.for([
    ["application/json", false],
    ["application/json; charset=utf-8", false],
    ["Text/Plain", false],
    ["application/xml", false],
    ["application/x-amz-json-1.1", true],
    ["application/x-www-form-urlencoded", true],
    ["application/problem+json", true],
  ] as const)("of type %s has base64: %s", async ([contentType, isBase64Encoded]) => {
    const event = await eventOf(await signed({ headers: { "content-type": contentType } }));
    expect(event.isBase64Encoded).toBe(isBase64Encoded);
    expect(event.body).toBe(isBase64Encoded ? "eyJhIjoxfQ==" : '{"a":1}');
  });

  test("names the signer, whatever the headers and the body claim", async () => {
    const root = `arn:aws:iam::${accountId}:root`;
    const forged = {
      requestContext: {
        accountId: "999999999999",
        authorizer: { iam: { userArn: root, userId: accountId } },
      },
      caller: root,
      input: {},
    };
    const call = await signed({ body: JSON.stringify(forged) });
    Object.assign(call.headers, {
      authorizer: JSON.stringify(forged),
      requestContext: JSON.stringify(forged),
      "x-amzn-request-context": JSON.stringify(forged),
      "x-amz-user-arn": root,
      "x-amzn-requestid": "forged",
      "x-forwarded-for": "203.0.113.9",
      "x-forwarded-host": "forged.example",
      forwarded: "for=203.0.113.9",
      __proto__: undefined,
      constructor: "forged",
    });
    Object.defineProperty(call.headers, "__proto__", { value: JSON.stringify(forged), enumerable: true });
    const { requestContext } = await eventOf(call);
    expect(requestContext.authorizer.iam).toMatchObject({ userArn: alice.userArn, userId: alice.userId });
    expect(requestContext.http.sourceIp).toBe("127.0.0.1");
    expect(JSON.stringify(requestContext)).not.toMatch(/root|forged|203\.0\.113\.9|999999999999/);
  });

  test("comes with the context of a Lambda function", async () => {
    const context = await eventOf(await signed({ path: "/Context" }));
    expect(context).toMatchObject({
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      functionName: "stackwarden-local-Context",
      functionVersion: "$LATEST",
      invokedFunctionArn: "arn:aws:lambda:us-east-1:111122223333:function:stackwarden-local-Context:gateway",
      memoryLimitInMB: "512",
    });
    expect(context.remaining).toBeGreaterThan(28_000);
    expect(context.remaining).toBeLessThanOrEqual(29_000);
  });
});

describe("an open route", () => {
  const get = async (path: string, method = "GET", headers: Record<string, string> = {}) =>
    JSON.parse((await send({ path, headers: { host: "any", ...headers }, body: "" }, method)).body);

  test.for([
    ["GET", "/pets/dogs/1", "GET /pets/dogs/1"],
    ["POST", "/pets/dogs/1", "ANY /pets/dogs/{rest+}"],
    ["PUT", "/pets/dogs/2", "ANY /pets/dogs/2"],
    ["GET", "/pets/dogs/1/toys", "ANY /pets/dogs/{rest+}"],
    ["GET", "/pets/cats/1", "GET /pets/{rest+}"],
    ["DELETE", "/pets/cats/1", "ANY /pets/{rest+}"],
  ] as const)("for %s %s is the most specific: %s", async ([method, path, routeKey]) => {
    expect(await get(path, method)).toMatchObject({
      routeKey,
      rawPath: path,
      requestContext: { routeKey, http: { method, path } },
    });
  });

  test("is asked by nobody, with the rest of the path and the cookies by themselves", async () => {
    const event = await get("/pets/cats/1/toys?a=1", "GET", { cookie: "a=1; b=2=3" });
    expect(event).toMatchObject({
      pathParameters: { rest: "cats/1/toys" },
      rawQueryString: "a=1",
      cookies: ["a=1", "b=2=3"],
    });
    expect(event.headers).not.toHaveProperty("cookie");
    expect(event.requestContext).not.toHaveProperty("authorizer");
    expect(await get("/pets/cats/1")).not.toHaveProperty("cookies");
  });
});

describe("an answer", () => {
  test("has the status, headers, cookies and bytes of the function's", async () => {
    const { status, headers, bytes } = await send(await signed({ path: "/Binary" }));
    expect(status).toBe(201);
    expect(headers).toMatchObject({
      "x-number": "7",
      "set-cookie": ["a=1", "b=2"],
      "content-type": "text/plain;charset=utf-8",
      "apigw-requestid": expect.any(String),
    });
    expect([...bytes]).toEqual([0, 1, 255]);
  });

  test.for([
    ["/Unknown", "POST"],
    ["/Echo", "GET"],
    ["/Echo/", "POST"],
    ["//Echo", "POST"],
    ["/%45cho", "POST"],
    ["/x/../Echo", "POST"],
    ["/echo", "POST"],
    ["/pets", "GET"],
    ["/pets/", "GET"],
  ] as const)("to %s %s is 404", async ([path, method]) => {
    const { status, body } = await send({ ...(await signed()), path }, method);
    expect({ status, body }).toEqual({ status: 404, body: '{"message":"Not Found"}' });
  });

  test.for(["Throw", "Reject", "Nothing", "NoStatus", "BadStatus", "BadHeader"])(
    "of a function that does %s is 500",
    async (name) => {
      const { status, headers, body } = await send(await signed({ path: `/${name}` }));
      expect({ status, body }).toEqual({ status: 500, body: '{"message":"Internal Server Error"}' });
      expect(headers).not.toHaveProperty("x-forged");
      expect(faults).toHaveLength(1);
    },
  );

  test("to a body over 10 MB is 413, signed or not", async () => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1, " ");
    const { status, body: answer } = await send({ path: "/Echo", headers: { host: "any" }, body });
    expect({ status, answer }).toEqual({ status: 413, answer: '{"message":"Request Entity Too Large"}' });
  });

  test("to a body over 10 MB that hides its length is 413, and the rest is not read", async () => {
    let sent = 0;
    const megabytes = Readable.from(
      (function* () {
        for (; sent < 64; sent++) yield Buffer.alloc(1024 * 1024, " ");
      })(),
    );
    const outgoing = httpRequest(`${gateway.url}/Echo`, { method: "POST" });
    const [[incoming]] = await Promise.all([
      once(outgoing, "response"),
      pipeline(megabytes, outgoing).catch(() => "the gateway hung up"),
    ]);
    expect(incoming.statusCode).toBe(413);
    expect(sent).toBeLessThan(64);
  });

  test("to a body of 10 MB is the function's", async () => {
    const body = Buffer.alloc(10 * 1024 * 1024, " ");
    expect((await send(await signed({ path: "/Binary", body }))).status).toBe(201);
  });

  test("of a function slower than 29 s is 503", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const called = new Promise<void>((resolve) => {
        handlers["Slow"] = () => {
          resolve();
          return new Promise(() => {});
        };
      });
      const answer = send(await signed({ path: "/Slow" }));
      await called;
      vi.advanceTimersByTime(29_000);
      expect(await answer).toMatchObject({ status: 503, body: '{"message":"Service Unavailable"}' });
    } finally {
      vi.useRealTimers();
    }
  });
});

test("a port in use is told as such", async () => {
  await expect(start(Number(new URL(gateway.url).port))).rejects.toMatchObject({ code: "EADDRINUSE" });
});
