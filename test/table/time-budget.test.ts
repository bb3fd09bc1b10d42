import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { timeLeft, tryAgain, within } from "../../shared/table/budget.ts";
import { getItems } from "../../shared/table/get-items.ts";
import { keys } from "../../shared/table/keys.ts";
import { queryPage } from "../../shared/table/list.ts";
import { openTable, type Table } from "../../shared/table/table.ts";
import { putAlone, putNew, transact } from "../../shared/table/write.ts";
import { Fault } from "../../shared/model/fault.ts";
import type { Wire } from "../setup/test-stack.ts";

/** How DynamoDB answers: a status and a body, nothing at all, or the half of it. */
type Answer = { status: number; body: string } | "hangs" | "stops in its answer";

const TIMEOUT_MS = 100;
const done = { status: 200, body: "{}" };
const refusal = (name: string, status = 400, rest: object = {}) => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: "x", ...rest }),
});
const cancelled = (...codes: string[]) =>
  refusal("TransactionCanceledException", 400, { CancellationReasons: codes.map((Code) => ({ Code })) });

let server: Server;
let table: Table;
/** What is answered, one after the other; the last one for ever. */
let answers: Answer[];
let requests: Wire[];

beforeAll(async () => {
  server = createServer((message, response) => {
    void buffer(message).then((text) => {
      requests.push(JSON.parse(text.toString()));
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === undefined || answer === "hangs") return;
      if (answer === "stops in its answer") {
        response.writeHead(200, { "content-length": 100 }).write('{"Responses":');
        return;
      }
      response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.0" }).end(answer.body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}`,
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
  });
  table = openTable("any", undefined, TIMEOUT_MS);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  requests = [];
});

const write = () =>
  transact(table, [putNew(table, keys.unixIds(), {}, () => new Fault("ConflictException", "there"))]);
const read = () => getItems(table, [keys.unixIds()]);
const list = () => queryPage(table, { KeyConditionExpression: "pk = :a" }, 1, undefined);
const tokens = () => new Set(requests.map(({ ClientRequestToken }) => ClientRequestToken));

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; error?: Wire; value?: T }> {
  const start = performance.now();
  const outcome = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  return { ms: performance.now() - start, ...outcome };
}

describe("the time that there is", () => {
  test("has no end where nobody said so, and is not another's", async () => {
    expect(timeLeft()).toBe(Number.POSITIVE_INFINITY);
    await within(1000, async () => {
      await Promise.resolve();
      expect(timeLeft()).toBeGreaterThan(900);
      expect(timeLeft()).toBeLessThanOrEqual(1000);
    });
    expect(timeLeft()).toBe(Number.POSITIVE_INFINITY);
  });

  test.for([
    ["hangs", read],
    ["hangs", list],
    ["hangs", write],
    ["stops in its answer", read],
    ["stops in its answer", write],
  ] as const)("ends a request to a table that %s, and the tries after it: %s", async ([answer, ask]) => {
    answers = [answer];
    const { ms, error } = await timed<unknown>(() => within<Promise<unknown>>(250, ask));
    expect(error).toMatchObject({
      name: expect.stringMatching(/^(ServiceUnavailableException|AbortError)$/),
    });
    expect(ms).toBeGreaterThan(90);
    expect(ms).toBeLessThan(700);
    // Two that have their time, one that has what is left, and one more if a timer fires a moment early.
    expect(requests.length).toBeLessThanOrEqual(4);
  });

  test("is not spent on a logger that is not there", () => {
    expect(table.client.middlewareStack.identify().join()).not.toContain("logger");
  });

  test("sends nothing when it is over", async () => {
    answers = [done];
    const { error } = await timed(() => within(0, write));
    expect(error).toMatchObject({
      name: "ServiceUnavailableException",
      message: "there was not enough time, try again",
    });
    expect(requests).toEqual([]);
  });

  test("is not waited away: a pause that would not fit is not begun", async () => {
    let tries = 0;
    const failing = () => {
      tries += 1;
      return Promise.reject(new Error("in passing"));
    };
    const { ms } = await timed(() =>
      within(40, () => tryAgain(failing, { most: 1000, mayPass: () => true })),
    );
    expect(ms).toBeLessThan(300);
    expect(tries).toBeLessThan(40);
  });
});

describe("a write whose outcome is not known", () => {
  test.for<[string, Answer]>([
    ["hangs", "hangs"],
    ["stops in its answer", "stops in its answer"],
    ["says that it failed", refusal("InternalServerError", 500)],
    ["is not DynamoDB", { status: 503, body: "<html>" }],
    ["answers what is no JSON", { status: 200, body: '{"a' }],
    ["says that it is under way", refusal("TransactionInProgressException")],
  ])("is sent again under the same token until that is known: the table %s", async ([, answer]) => {
    answers = [
      answer,
      answer,
      cancelled("TransactionConflict"),
      refusal("ThrottlingException"),
      answer,
      done,
    ];
    await write();
    expect(requests).toHaveLength(6);
    expect(tokens().size).toBe(1);
    expect([...tokens()][0]).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("is told as what DynamoDB says of it in the end", async () => {
    answers = ["hangs", cancelled("ConditionalCheckFailed")];
    await expect(write()).rejects.toMatchObject({ name: "ConflictException", message: "there" });
  });

  test("is told as such when the time is over", async () => {
    answers = ["hangs"];
    const { error } = await timed(() => within(250, write));
    expect(error).toMatchObject({ name: "ServiceUnavailableException" });
    expect(error.message).toContain("may have been done");
  });

  test("is not one that was never sent, nor one that was refused", async () => {
    for (const answer of [
      refusal("ThrottlingException"),
      cancelled("ThrottlingError"),
      cancelled("ValidationError"),
    ]) {
      answers = [answer];
      const { error } = await timed(write);
      expect(error.message).not.toContain("may have been done");
    }
  });

  test("is another write than the next one, which has a token of its own", async () => {
    answers = [done];
    await write();
    await write();
    expect(tokens().size).toBe(2);
  });
});

describe("what the table answers", () => {
  test.for<[string, Answer]>([
    ["ThrottlingException", refusal("ThrottlingException")],
    ["ThrottlingException", refusal("RequestLimitExceeded")],
    ["ThrottlingException", refusal("ProvisionedThroughputExceededException")],
    ["ThrottlingException", { status: 429, body: "{}" }],
    ["ThrottlingException", cancelled("None", "ThrottlingError")],
    ["ThrottlingException", cancelled("ProvisionedThroughputExceeded")],
  ])("is a %s when it is too much, after three tries: %s", async ([name, answer]) => {
    answers = [answer];
    await expect(write()).rejects.toMatchObject({ name });
    expect(requests).toHaveLength(3);
  });

  test("is a conflict that may pass when somebody is in the way", async () => {
    answers = [cancelled("None", "TransactionConflict")];
    await expect(write()).rejects.toMatchObject({ name: "ConflictException", transient: true });
    expect(requests).toHaveLength(1);
  });

  test("is tried again when a single item is in somebody's transaction", async () => {
    answers = [refusal("TransactionConflictException"), done];
    await putAlone(table, { ...keys.unixIds(), Any: randomUUID() });
    expect(requests).toHaveLength(2);
  });

  test("is our own mistake when a token is another request's", async () => {
    answers = [refusal("IdempotentParameterMismatchException")];
    await expect(write()).rejects.toMatchObject({ name: "IdempotentParameterMismatchException" });
    expect(requests).toHaveLength(1);
  });

  test.for([
    ["no items", read],
    ["no list", list],
  ] as const)("is none when it has %s: what is missing in it might deny something", async ([, ask]) => {
    answers = [done];
    await expect(ask()).rejects.toMatchObject({ name: "ServiceUnavailableException" });
  });
});
