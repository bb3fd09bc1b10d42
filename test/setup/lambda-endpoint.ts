import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

/** What stands in for the service: answers an invocation, or misbehaves in its own way. */
export type Behaviour = (
  functionName: string,
  payload: unknown,
  response: ServerResponse,
) => Promise<void> | void;

/** Lambda's Invoke API on this machine, answers shaped as AWS gives them (Lambda API Reference, "Invoke"). */
export async function startLambdaEndpoint(behaviour: Behaviour) {
  let behave = behaviour;
  const server = createServer((request, response) => {
    const name = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(request.url ?? "")?.[1] ?? "";
    void text(request).then((body) => behave(decodeURIComponent(name), JSON.parse(body), response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    url: typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "",
    behave: (next: Behaviour) => (behave = next),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Runs a handler as Lambda does: what it throws is a function error with type and message. */
export function invoking(run: (functionName: string, payload: unknown) => Promise<unknown>): Behaviour {
  return async (functionName, payload, response) => {
    try {
      response.end(JSON.stringify(await run(functionName, payload)));
    } catch (error) {
      const { name: errorType, message: errorMessage, stack } = error as Error;
      response.writeHead(200, { "x-amz-function-error": "Unhandled" });
      response.end(JSON.stringify({ errorType, errorMessage, trace: stack?.split("\n") }));
    }
  };
}

/** An error of Lambda itself. */
export function failing(statusCode: number, errorType: string): Behaviour {
  return (_name, _payload, response) => {
    response.writeHead(statusCode, { "x-amzn-errortype": errorType, "content-type": "application/json" });
    response.end(JSON.stringify({ Type: "Service", Message: "failed" }));
  };
}
