import { createReadStream } from "node:fs";
import { readJson } from "../shared/iam/json.ts";

/** What one line of the input gives: a line of the output, or why it could not be used. */
export type Answer<T> = { readonly id: unknown } & ({ readonly output: T } | { readonly error: string });

/**
 * Answers a file of JSON, one value a line, in constant memory; `-` is standard input. What `answer` throws is that line's
 * fault, and the next is read all the same.
 */
export async function* answerLines<T>(
  file: string,
  maxLine: number,
  answer: (line: unknown) => T,
): AsyncGenerator<Answer<T>> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  let number = 0;
  for await (const text of linesOf(input, maxLine)) {
    number += 1;
    yield answerLine(text, number, maxLine, answer);
  }
}

function answerLine<T>(
  text: string,
  number: number,
  maxLine: number,
  answer: (line: unknown) => T,
): Answer<T> {
  try {
    const line = readJson(text, maxLine);
    if (JSON.isRawJSON(line)) throw new Error("the input must be a JSON object");
    return { id: idOf(line), output: answer(line) };
  } catch (error) {
    const message = error instanceof Error ? error.message : "unreadable";
    return { id: idOf(parseLoosely(text)) ?? null, error: `line ${number}: ${message}` };
  }
}

/** Writes a line of output, no faster than it is read. */
export async function writeLine(value: unknown): Promise<void> {
  if (!process.stdout.write(`${JSON.stringify(value)}\n`)) {
    await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
}

function idOf(line: unknown): unknown {
  return typeof line === "object" && line !== null && "id" in line ? line.id : undefined;
}

/** Only to find the `id` of a line that is refused. */
function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Lines end at `\n`, not at U+2028 as readline has it, which JSON may hold; one that is too long is not kept whole. */
async function* linesOf(input: AsyncIterable<Buffer>, maxLine: number): AsyncGenerator<string> {
  let line = "";
  const decoder = new TextDecoder();
  for await (const chunk of input) {
    const [first = "", ...others] = decoder.decode(chunk, { stream: true }).split("\n");
    line += line.length > maxLine ? "" : first;
    for (const next of others) {
      yield line;
      line = next;
    }
  }
  line += decoder.decode();
  if (line !== "") yield line;
}
