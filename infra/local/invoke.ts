import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { OPERATIONS } from "../../shared/contract/index.ts";
import { loadHandler, useLocalDynamoDb } from "./local-stack.ts";
import { readState } from "./state.ts";

const HELP = `Invokes one function directly, as another Lambda would, against the stack that \`npm start\` runs.

  npm run -s invoke -- <function> '{"caller": "<arn>", "input": {...}}'

Functions: ${OPERATIONS.map(({ name }) => name).join(", ")}
Exit code: 0, or 1 when the function answered with an error, or 2 when it could not be called.
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  const [name, event] = positionals;
  if (values.help || name === undefined || event === undefined || positionals.length > 2) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const operation = OPERATIONS.find((candidate) => candidate.name === name);
  if (!operation)
    throw new Error(
      `there is no function \`${name}\`; there are ${OPERATIONS.map((one) => one.name).join(", ")}`,
    );
  const parsed = parseEvent(event);
  const { endpoint, region, accountId, environment } = await readState();
  useLocalDynamoDb(endpoint, region);
  Object.assign(process.env, environment, { LOG_LEVEL: "silent" });

  const handler = await loadHandler({ handler: `functions/${fileOf(operation.name)}.handler` });
  const functionName = `stackwarden-local-${operation.name}`;
  const context = {
    awsRequestId: randomUUID(),
    functionName,
    invokedFunctionArn: `arn:aws:lambda:${region}:${accountId}:function:${functionName}`,
    getRemainingTimeInMillis: () => 29_000,
  };
  try {
    process.stdout.write(`${JSON.stringify(await handler(parsed, context), null, 2)}\n`);
    return 0;
  } catch (error) {
    const { name: errorType, message: errorMessage } =
      error instanceof Error ? error : new Error(String(error));
    process.stdout.write(`${JSON.stringify({ errorType, errorMessage }, null, 2)}\n`);
    return 1;
  }
}

/** `SetPermission` is in `set-permission.ts`. */
function fileOf(operation: string): string {
  return operation.replace(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

function parseEvent(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('the event is not JSON: quote it as a whole, \'{"caller": ..., "input": {...}}\'');
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`invoke: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
