import { once } from "node:events";
import { Agent, createServer, type IncomingHttpHeaders, request, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { buffer } from "node:stream/consumers";
import { crc32 } from "node:zlib";
import type { Chance } from "../prove/random-cases.ts";

/** What can go wrong between a function and DynamoDB. */
export const FAULTS = ["delay", "drop", "cut", "repeat", "throttle", "error", "conflict"] as const;
export type Fault = (typeof FAULTS)[number];

/** What came over the wire. */
// oxlint-disable-next-line typescript/no-explicit-any -- requests of all kinds
type Wire = any;

/** Which requests go wrong, how, and by which random choices. */
export type Plan = {
  readonly faults: readonly Fault[];
  /** Of 1. */
  readonly share: number;
  readonly random: Chance;
  /** After which the functions give a request up; what is held back longer arrives when nobody waits for it. */
  readonly timeoutMs: number;
};

/** Changes a request on its way, to see what the proof says of a service that would send it like that. */
export type Rewrite = (operation: string, body: Wire) => Wire;

type Received = { operation: string; body: Wire; headers: IncomingHttpHeaders; url: string };
type Answer = { status: number; headers: IncomingHttpHeaders; body: Buffer };

/** Stands between the functions and DynamoDB, and does not let everything through as it is. */
export class Proxy {
  /** Without one, everything goes through. */
  plan: Plan | undefined;
  rewrite: Rewrite = (_operation, body) => body;
  /** Gives another answer to a reading request. */
  reread: (request: string, answer: Answer) => Answer = (_request, answer) => answer;
  /** How often each fault was done, by its kind. */
  readonly done = new Map<string, number>();
  requests = 0;
  readonly url: string;
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #close: () => void;
  /** What was sent on and nobody waits for. */
  readonly #late = new Set<Promise<unknown>>();

  private constructor(url: string, target: string, close: () => void) {
    this.url = url;
    this.#target = new URL(target);
    this.#close = close;
  }

  static async open(target: string): Promise<Proxy> {
    const server = createServer((message, response) => {
      void buffer(message).then(async (sent) => {
        const operation = String(message.headers["x-amz-target"]).split(".")[1] ?? "";
        const received = { operation, headers: message.headers, url: message.url ?? "/" };
        try {
          await proxy.#serve({ ...received, body: JSON.parse(sent.toString()) }, response);
        } catch {
          response.destroy();
        }
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy has no port");
    const close = () => {
      server.closeAllConnections();
      server.close();
    };
    const proxy = new Proxy(`http://127.0.0.1:${address.port}`, target, close);
    return proxy;
  }

  /** Waits for what was held back; from then on everything goes through. */
  async calm(): Promise<void> {
    this.plan = undefined;
    while (this.#late.size > 0) await Promise.all(this.#late);
  }

  async close(): Promise<void> {
    await this.calm();
    this.#close();
    this.#agent.destroy();
  }

  async #serve(received: Received, response: ServerResponse): Promise<void> {
    const { plan } = this;
    this.requests += 1;
    const fault = plan && plan.random.is(plan.share) ? plan.random.of(plan.faults) : undefined;
    if (!plan || !fault) return reply(response, await this.#pass(received));
    const work = this.#doWrong(fault, received, response, plan).catch(() => response.destroy());
    this.#late.add(work);
    await work;
    this.#late.delete(work);
  }

  async #doWrong(fault: Fault, received: Received, response: ServerResponse, plan: Plan): Promise<void> {
    const { random, timeoutMs } = plan;
    const count = (how: string) => this.done.set(how, (this.done.get(how) ?? 0) + 1);
    const isFirst = random.is(0.5);
    switch (fault) {
      case "delay": {
        count(isFirst ? "delayed on the way there" : "delayed on the way back");
        const pause = random.below(Math.round(timeoutMs * 1.6));
        if (isFirst) await sleep(pause);
        const answer = await this.#pass(received);
        if (!isFirst) await sleep(pause);
        return reply(response, answer);
      }
      case "drop":
        count(isFirst ? "dropped before it was passed on" : "dropped after it was passed on");
        if (!isFirst) await this.#pass(received);
        response.destroy();
        return undefined;
      case "cut": {
        count("cut in the middle of the answer");
        const { status, headers, body } = await this.#pass(received);
        response.writeHead(status, withoutHop(headers));
        response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
        return undefined;
      }
      case "repeat": {
        count(isFirst ? "passed on twice at once" : "passed on again later");
        const answers = [this.#pass(received)];
        if (!isFirst) await answers[0];
        if (!isFirst && random.is(0.5)) {
          reply(response, await this.#answered(answers[0]));
          await sleep(random.below(200));
        }
        answers.push(this.#pass(received));
        const [first, second] = await Promise.all(answers);
        return reply(response, await this.#answered(random.is(0.5) ? first : second));
      }
      case "throttle":
        return this.#throttle(received, response, random, count);
      case "error": {
        count(isFirst ? "500 or 503, and not done" : "500 or 503, and done");
        if (!isFirst) await this.#pass(received);
        return reply(response, random.of(ERRORS)());
      }
      case "conflict":
        return this.#conflict(received, response, random, count);
    }
  }

  async #answered(answer: Promise<Answer> | Answer | undefined): Promise<Answer> {
    const settled = await answer;
    if (!settled) throw new Error("there is no answer");
    return settled;
  }

  async #throttle(
    received: Received,
    response: ServerResponse,
    random: Chance,
    count: (how: string) => void,
  ): Promise<void> {
    const { operation, body } = received;
    if (operation === "BatchGetItem" && random.is(0.7)) {
      count("keys left unprocessed");
      const [[name, asked]] = Object.entries<Wire>(body.RequestItems) as [[string, Wire]];
      const Keys: Wire[] = asked.Keys;
      const left = Keys.filter(() => random.is(0.5));
      const read = Keys.filter((key) => !left.includes(key));
      const nothing = { status: 200, headers: HEADERS, body: Buffer.from(JSON.stringify({ Responses: {} })) };
      const answer =
        read.length === 0
          ? nothing
          : await this.#pass({
              ...received,
              body: { ...body, RequestItems: { [name]: { ...asked, Keys: read } } },
            });
      if (answer.status !== 200) return reply(response, answer);
      const output = JSON.parse(answer.body.toString());
      const UnprocessedKeys = left.length === 0 ? {} : { [name]: { ...asked, Keys: left } };
      const Responses = { [name]: [], ...output.Responses };
      return reply(response, {
        ...answer,
        body: Buffer.from(JSON.stringify({ ...output, Responses, UnprocessedKeys })),
      });
    }
    if (operation === "TransactWriteItems" && random.is(0.5)) {
      count("transaction cancelled by throttling");
      const [code, message] = random.of(THROTTLED_REASONS);
      return reply(response, cancelled(body, random, code, message));
    }
    count("throttled");
    return reply(response, random.of(THROTTLED)());
  }

  async #conflict(
    received: Received,
    response: ServerResponse,
    random: Chance,
    count: (how: string) => void,
  ): Promise<void> {
    const { operation, body } = received;
    if (operation === "TransactWriteItems") {
      if (random.is(0.7)) {
        count("TransactionCanceledException for a conflict");
        return reply(response, cancelled(body, random, "TransactionConflict", ONGOING));
      }
      count("TransactionInProgressException");
      // Of the same token: it goes on, and is done a moment later.
      reply(
        response,
        refusal(
          "TransactionInProgressException",
          "The transaction with the given request token is already in progress.",
        ),
      );
      await this.#pass(received);
      return undefined;
    }
    if (/^(Put|Update|Delete)Item$/.test(operation)) {
      count("TransactionConflictException");
      return reply(response, refusal("TransactionConflictException", ONGOING));
    }
    return reply(response, await this.#pass(received));
  }

  async #pass({ operation, body, headers, url }: Received): Promise<Answer> {
    const text = JSON.stringify(this.rewrite(operation, body));
    const onward = request({
      host: this.#target.hostname,
      port: this.#target.port,
      method: "POST",
      path: url,
      agent: this.#agent,
      headers: { ...withoutHop(headers), "content-length": String(Buffer.byteLength(text)) },
    });
    onward.end(text);
    const [message] = await once(onward, "response");
    const answer = { status: message.statusCode, headers: message.headers, body: await buffer(message) };
    const isRead = operation === "BatchGetItem" || operation === "Query";
    return this.plan && isRead ? this.reread(text, answer) : answer;
  }
}

const HEADERS = { "content-type": "application/x-amz-json-1.0" };
const ONGOING = "Transaction is ongoing for the item";
const THROTTLED = [
  () =>
    refusal(
      "ProvisionedThroughputExceededException",
      "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
    ),
  () => refusal("RequestLimitExceeded", "Throughput exceeds the current throughput limit for your account."),
  () =>
    refusal(
      "ThrottlingException",
      "Rate of requests exceeds the allowed throughput.",
      "com.amazon.coral.availability",
    ),
];
const THROTTLED_REASONS = [
  [
    "ThrottlingError",
    "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly.",
  ],
  [
    "ProvisionedThroughputExceeded",
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API",
  ],
] as const;
const ERRORS = [
  () => ({ ...refusal("InternalServerError", "Internal server error"), status: 500 }),
  () => ({ ...refusal("ServiceUnavailable", "Service is unavailable"), status: 503 }),
  () => ({
    status: 503,
    headers: { "content-type": "text/html" },
    body: Buffer.from("<html><body>Service Unavailable</body></html>"),
  }),
  () => ({ status: 200, headers: HEADERS, body: Buffer.from('{"Responses": {') }),
];

/** An error as DynamoDB words it (DynamoDB developer guide, "Error handling with DynamoDB"). */
function refusal(name: string, message: string, namespace = "com.amazonaws.dynamodb.v20120810"): Answer {
  const body = Buffer.from(JSON.stringify({ __type: `${namespace}#${name}`, message }));
  return { status: 400, headers: HEADERS, body };
}

/** The same reason for one item of a transaction, or a few of them. */
function cancelled(body: Wire, random: Chance, Code: string, Message: string): Answer {
  const at = random.below(body.TransactItems.length);
  const CancellationReasons = body.TransactItems.map((_item: Wire, index: number) =>
    index === at || random.is(0.2) ? { Code, Message } : { Code: "None" },
  );
  const codes = CancellationReasons.map((reason: Wire) => reason.Code).join(", ");
  const text = {
    __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    CancellationReasons,
    Message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
  };
  return { status: 400, headers: HEADERS, body: Buffer.from(JSON.stringify(text)) };
}

function reply(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const own = { "content-length": String(body.length), "x-amz-crc32": String(crc32(body)) };
  response.writeHead(status, { ...withoutHop(headers), ...own });
  response.end(body);
}

function withoutHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection: _connection, "transfer-encoding": _encoding, host: _host, ...rest } = headers;
  return rest;
}
