import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { asLines, runLineProgram } from "../setup/line-program.ts";

const PROGRAM = fileURLToPath(new URL("../../infra/validate-policies.ts", import.meta.url));
const Answer = z.looseObject({
  error: z.string().optional(),
  valid: z.boolean().optional(),
  findings: z.array(z.looseObject({ severity: z.string(), code: z.string() })).optional(),
});

const GOOD = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`;
const BAD = GOOD.replace("Allow", "allow");
const identity = (text: string) => ({ kind: "identity", text });

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stackwarden-validate-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: readonly string[], ...lines: readonly unknown[]) =>
  runLineProgram(PROGRAM, args, asLines(lines), Answer);

describe("the validator", () => {
  test("answers each line with whether the document is valid and what is to be said of it", () => {
    const { status, stdout, stderr } = run([], { id: "a", ...identity(GOOD) }, { id: 1, ...identity(BAD) });
    expect(stdout.split("\n")).toEqual([
      `{"id":"a","valid":true,"findings":[]}`,
      `{"id":1,"valid":false,"findings":[{"severity":"error","code":"invalid-effect","path":"$.Statement.Effect","message":"must be \`Allow\` or \`Deny\`, written exactly so"}]}`,
      "",
    ]);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  });

  test("ends with 0 when there are warnings only", () => {
    const text = `{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`;
    const { status, answers } = run([], { id: 1, ...identity(text) });
    expect(status).toBe(0);
    expect(answers()).toEqual([
      {
        id: 1,
        valid: true,
        findings: [expect.objectContaining({ severity: "warning", code: "no-version" })],
      },
    ]);
  });

  test("knows the two kinds apart", () => {
    const { answers } = run([], { kind: "trust", text: GOOD });
    expect(answers()[0]?.findings?.map(({ code }) => code)).toEqual([
      "misplaced-element",
      "missing-element",
      "action-not-of-sts",
    ]);
  });

  test("goes on after a line it cannot use, says which and why, and ends with 2", () => {
    const { status, stderr, answers } = run(
      [],
      { id: 1, ...identity(BAD) },
      "nope",
      "",
      { id: 4, kind: "resource", text: GOOD },
      { id: 5, ...identity(GOOD), policy: 1 },
      { id: 6, kind: "identity", text: {} },
      `{"id": 7, "kind": "identity", "text": "", "text": ""}`,
      { id: 8, ...identity(GOOD) },
    );
    expect(status).toBe(2);
    expect(answers().map(({ id, valid }) => [id, valid])).toEqual([
      [1, false],
      [null, undefined],
      [null, undefined],
      [4, undefined],
      [5, undefined],
      [6, undefined],
      [7, undefined],
      [8, true],
    ]);
    expect(answers()[4]).toEqual({ id: 5, error: "line 5: `policy` is not known here" });
    const complaints = stderr.trimEnd().split("\n");
    expect(complaints).toHaveLength(6);
    for (const [index, complaint] of complaints.entries()) {
      expect(complaint.startsWith(`validate-policies: line ${index + 2}: `)).toBe(true);
    }
  });

  test("takes each file as one document with --kind, and standard input, under its name", () => {
    const [one, two] = [join(folder, "one.json"), join(folder, "two.json")];
    writeFileSync(one, JSON.stringify(JSON.parse(GOOD), null, 2));
    writeFileSync(two, `\ufeff${BAD}`);
    const { status, stderr, answers } = run(["--kind", "identity", one, two, "-"], GOOD);
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
    expect(
      answers().map(({ id, valid, findings }) => [id, valid, findings?.map(({ code }) => code)]),
    ).toEqual([
      [one, true, []],
      [two, false, ["not-json"]],
      ["-", true, []],
    ]);
    expect(run(["--kind", "identity"], GOOD)).toMatchObject({ status: 0, stderr: "" });
    expect(run(["--kind", "trust"], GOOD).answers()[0]?.findings?.[0]?.code).toBe("misplaced-element");
  });

  test("goes on after a file it cannot read with --kind, and reads no more of one than it takes", () => {
    const huge = join(folder, "huge.json");
    writeFileSync(huge, GOOD.padEnd(20_000_000));
    const none = join(folder, "none.json");
    const { status, stderr, answers } = run(["--kind", "identity", none, huge]);
    expect(status).toBe(2);
    expect(stderr).toContain("none.json");
    expect(answers().map(({ id, findings }) => [id, findings?.map(({ code }) => code)])).toEqual([
      [huge, ["too-long"]],
    ]);
  });

  test("points to --kind when no line could be used", () => {
    for (const lines of [JSON.stringify(JSON.parse(GOOD), null, 2), GOOD]) {
      const { status, stderr } = run([], lines);
      expect(status).toBe(2);
      expect(stderr.trimEnd().split("\n").at(-1)).toContain("add `--kind identity` or `--kind trust`");
    }
  });

  test("says of a line that is a number, and of a document that is no text, what is wanted", () => {
    const { stderr } = run([], "1", { kind: "identity", text: JSON.parse(GOOD) });
    expect(stderr).toContain("line 1: the input must be a JSON object");
    expect(stderr).toContain("line 2: `text` must be the document as text");
  });

  test("reads several files in turn, and goes on after one that is not there", () => {
    const [one, two] = [join(folder, "one.jsonl"), join(folder, "two.jsonl")];
    writeFileSync(one, asLines([{ id: 1, ...identity(GOOD) }]));
    writeFileSync(two, asLines([{ id: 2, ...identity(GOOD) }, "nope"]));
    const { status, stderr, answers } = run([one, join(folder, "none.jsonl"), two]);
    expect(answers().map(({ id }) => id)).toEqual([1, 2, null]);
    expect(status).toBe(2);
    expect(stderr).toContain("none.jsonl");
    expect(stderr).toContain(`${two}: line 2: `);
  });

  test("refuses what is large before it costs anything", () => {
    const statement = { Effect: "Allow", Action: "*", Resource: "*" };
    const statements = Array.from({ length: 20_000 }, () => statement);
    const { status, answers } = run(
      [],
      identity(JSON.stringify({ Statement: statements })),
      identity(`${"[".repeat(10_000)}${"]".repeat(10_000)}`),
      identity("[".repeat(100_000)),
      identity(`{"Statement": "${"x".repeat(10_000_000)}"}`),
      identity(GOOD),
    );
    expect(answers().map(({ findings }) => findings?.map(({ code }) => code))).toEqual([
      ["too-long"],
      ["too-deep"],
      ["not-json"],
      ["too-long"],
      [],
    ]);
    expect(status).toBe(1);
  });

  test("refuses a line that is too long, and goes on", () => {
    const { status, answers } = run([], identity("x".repeat(20_000_000)), { id: 2, ...identity(GOOD) });
    expect(status).toBe(2);
    expect(answers()).toEqual([
      { id: null, error: expect.stringContaining("line 1: $: is longer than") },
      { id: 2, valid: true, findings: [] },
    ]);
  });

  test.runIf(existsSync("/dev/full"))("does not pass when its answers could not be written", () => {
    const full = openSync("/dev/full", "w");
    const { status } = spawnSync(process.execPath, [PROGRAM], {
      input: asLines([identity(BAD)]),
      stdio: ["pipe", full, "ignore"],
    });
    closeSync(full);
    expect(status).toBe(2);
  });

  test("answers nothing to nothing", () => {
    expect(run([])).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  test.each(["--help", "-h"])("explains itself with %s, and reads nothing", (option) => {
    const { status, stdout, stderr } = run([option], "nope");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const word of ["identity", "trust", "findings", "severity", "Exit code", "--kind", "16,777,216"])
      expect(stdout).toContain(word);
  });

  test.each([
    [["--strict"], "--strict"],
    [["--kind", "resource"], "`--kind` must be `identity` or `trust`"],
  ])("ends with 2 for an option it does not know: %s", (args, named) => {
    const { status, stdout, stderr } = run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(named);
  });
});
