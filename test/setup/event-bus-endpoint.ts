import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** An entry of PutEvents, as it came over the wire; its time in seconds since 1970. */
export type Entry = {
  readonly EventBusName: string;
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly Time: number;
};

/** What becomes of a request: an error of each entry's own or none, one of the whole request, or no answer at all. */
export type Outcome = readonly (string | undefined)[] | { readonly error: string } | "cut";

/**
 * EventBridge's PutEvents on this machine, AWS JSON 1.1.
 *
 * Source: EventBridge API Reference, PutEvents; EventBridge User Guide, "Sending events with PutEvents".
 */
export async function startEventBus() {
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { Entries } = JSON.parse(body) as { Entries: Entry[] };
      const isPutEvents = request.headers["x-amz-target"] === "AWSEvents.PutEvents";
      bus.requests.push(Entries);
      const outcome = isPutEvents ? bus.answer(Entries) : { error: "UnknownOperationException" };
      if (outcome === "cut") return request.socket.destroy();
      const isError = "error" in outcome;
      response.writeHead(isError ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
      if (isError) return response.end(JSON.stringify({ __type: outcome.error, message: "no" }));
      const answers = Entries.map((_entry, index) => {
        const ErrorCode = outcome[index];
        return ErrorCode ? { ErrorCode, ErrorMessage: "no" } : { EventId: randomUUID() };
      });
      bus.taken.push(...Entries.filter((_entry, index) => !outcome[index]));
      const FailedEntryCount = answers.filter((answer) => "ErrorCode" in answer).length;
      return response.end(JSON.stringify({ FailedEntryCount, Entries: answers }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const bus = {
    url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    /** Asked what becomes of each request. */
    answer: (_entries: readonly Entry[]): Outcome => [],
    /** The entries of each request. */
    requests: [] as (readonly Entry[])[],
    /** The entries that were taken. */
    taken: [] as Entry[],
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return bus;
}
