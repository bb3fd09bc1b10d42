import { spawnSync } from "node:child_process";
import type * as z from "zod";

/** Runs a program that answers a line of JSON for each line of JSON, with that as its standard input. */
export function runLineProgram<T>(
  program: string,
  args: readonly string[],
  input: string,
  Answer: z.ZodType<T>,
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    input,
    encoding: "utf8",
    maxBuffer: 100_000_000,
  });
  const answers = () =>
    stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => Answer.parse(JSON.parse(line)));
  return { status, stdout, stderr, answers };
}

/** A line for each value; a text is a line as it is. */
export function asLines(values: readonly unknown[]): string {
  return values.map((value) => `${typeof value === "string" ? value : JSON.stringify(value)}\n`).join("");
}
