import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { asLines, runLineProgram } from "../setup/line-program.ts";

const PROGRAM = fileURLToPath(new URL("../../infra/simulate.ts", import.meta.url));
const STACK = "arn:aws:opsworks:us-east-1:123456789012:stack/2f18b4cb-4de5-4429-a149-ff7da9f0d8ee/";
const Answer = z.looseObject({ error: z.string().optional() });

const FULL = {
  Version: "2012-10-17",
  Statement: [{ Sid: "Full", Effect: "Allow", Action: "*", Resource: "*" }],
};
const asking = (action: string, resource = STACK) => ({ request: { action, resource } });
const allowed = { policies: [FULL], ...asking("opsworks:CreateStack", "*") };

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stackwarden-simulate-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: readonly string[], input = "") => runLineProgram(PROGRAM, args, input, Answer);

/** Of lines that are all read from standard input. */
function answersTo(...cases: readonly unknown[]) {
  return run([], asLines(cases)).answers();
}

describe("the simulator", () => {
  test("answers each line with decision, rule and statement, in the same order", () => {
    const { status, stdout, stderr } = run(
      [],
      asLines([
        { id: "a", ...allowed },
        { id: "b", policies: [], level: "show", ...asking("opsworks:DescribeLayers") },
        { id: "c", policies: [FULL], level: "deny", ...asking("opsworks:DescribeLayers") },
        { id: "d", policies: [], ...asking("opsworks:DescribeLayers") },
        {
          id: "e",
          policies: [FULL, { Statement: { Effect: "Deny", Action: "opsworks:*", Resource: STACK } }],
          level: "manage",
          ...asking("opsworks:DescribeLayers"),
        },
      ]),
    );
    expect(stdout.split("\n")).toEqual([
      `{"id":"a","decision":"allowed","rule":"policy-allow","statement":{"policy":"policies[0]","effect":"Allow","sid":"Full","index":0}}`,
      `{"id":"b","decision":"allowed","rule":"level-allow"}`,
      `{"id":"c","decision":"explicitDeny","rule":"level-deny"}`,
      `{"id":"d","decision":"implicitDeny","rule":"default-deny"}`,
      `{"id":"e","decision":"explicitDeny","rule":"policy-deny","statement":{"policy":"policies[1]","effect":"Deny","index":0}}`,
      "",
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  test("goes on after a line it cannot read, and ends with 1", () => {
    const bad = [
      "nope",
      `{"id": 7`,
      "[]",
      "null",
      "12",
      `"text"`,
      `{"id": 8, "policies": [], "policies": []}`,
    ];
    const { status, answers } = run([], asLines([{ id: 0, ...allowed }, ...bad, { id: 1, ...allowed }]));
    expect(status).toBe(1);
    const [first, ...rest] = answers();
    const last = rest.pop();
    expect(first).toMatchObject({ id: 0, decision: "allowed" });
    expect(last).toMatchObject({ id: 1, decision: "allowed" });
    expect(rest).toHaveLength(bad.length);
    for (const answer of rest) {
      expect(Object.keys(answer).toSorted()).toEqual(["error", "id"]);
      expect(answer.error).toMatch(/^line \d: /);
    }
    expect(rest.at(-1)).toEqual({ id: 8, error: "line 8: $.policies: is there twice, so remove one" });
  });

  test("reads a file as it reads standard input", () => {
    const text = asLines([{ id: 1, ...allowed }, "nope", { id: 2, ...allowed }]);
    const file = join(folder, "cases.jsonl");
    writeFileSync(file, text);
    const fromFile = run([file]);
    expect(fromFile.answers()).toHaveLength(3);
    expect(fromFile).toMatchObject({ status: 1, stdout: run([], text).stdout });
    expect(run(["-"], text).stdout).toBe(fromFile.stdout);
  });

  test("takes any line ends, and a last line without an end", () => {
    const line = JSON.stringify({ id: 1, ...allowed });
    const { status, answers } = run([], `${line}\r\n${line}\n${line}`);
    expect(answers()).toHaveLength(3);
    expect(status).toBe(0);
  });

  test("answers an empty line too, so that answers stand where their lines stood", () => {
    const line = JSON.stringify({ id: 1, ...allowed });
    const { status, answers } = run([], `${line}\n\n${line}\n`);
    expect(answers().map(({ id }) => id)).toEqual([1, null, 1]);
    expect(status).toBe(1);
  });

  test("takes a line separator of Unicode for the text it is", () => {
    const { request } = asking("s3:GetObject", "*");
    const line = { id: 1, policies: [], request: { ...request, context: { "aws:UserAgent": "a\u2028b" } } };
    const { status, answers } = run([], asLines([line]));
    expect({ status, count: answers().length }).toEqual({ status: 0, count: 1 });
  });

  test("answers nothing to nothing", () => {
    expect(run([], "")).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  test.each([
    ["a file that is not there", ["no-such-file.jsonl"], "no-such-file.jsonl"],
    ["a folder", ["."], "EISDIR"],
    ["an option it does not know", ["--format", "csv"], "--format"],
  ])("ends with 2 for %s", (_what, args, named) => {
    const { status, stdout, stderr } = run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(named);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  test("ends with 2 and its help for two files", () => {
    const { status, stdout } = run(["a.jsonl", "b.jsonl"]);
    expect(status).toBe(2);
    expect(stdout).toContain("npm run -s simulate");
  });

  test.each(["--help", "-h"])("explains itself with %s, and reads nothing", (option) => {
    const { status, stdout, stderr } = run([option], "nope\n");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    for (const member of [
      "policies",
      "boundary",
      "sessionPolicy",
      "level",
      "selfManagement",
      "principalArn",
      "context",
    ]) {
      expect(stdout).toContain(member);
    }
    expect(stdout).not.toContain('error":');
  });

  test("gives back every id as it was", () => {
    const ids = [`1`, `"x"`, `null`, `9007199254740993`, `1.10`, `{"a":[1]}`, `[]`, `false`];
    const lines = ids.map(
      (id) => `{"id":${id},"policies":[],"request":{"action":"s3:GetObject","resource":"*"}}\n`,
    );
    const { stdout } = run([], lines.join(""));
    expect(stdout.split("\n").slice(0, -1)).toEqual(
      ids.map((id) => `{"id":${id},"decision":"implicitDeny","rule":"default-deny"}`),
    );
  });

  test("says of a line that is a number what a line must be", () => {
    expect(answersTo("1", "[]").map(({ error }) => error)).toEqual([
      "line 1: the input must be a JSON object",
      "line 2: the input must be a JSON object",
    ]);
  });

  test("refuses unknown members by name, and says where", () => {
    const request = { action: "s3:GetObject", resource: "*" };
    const errors = answersTo(
      { policies: [], request, policy: FULL },
      { policies: [], request: { ...request, principal: "jane" } },
      { policies: [], request, Level: "manage" },
      { policies: [{ ...FULL, Comment: "" }], request },
    ).map(({ error }) => error);
    expect(errors).toEqual([
      "line 1: `policy` is not known here",
      "line 2: `request.principal` is not known here",
      "line 3: `Level` is not known here",
      expect.stringMatching(/^line 4: policies\[0\]: \$\.Comment: /),
    ]);
  });

  describe("refuses a line with", () => {
    const get = asking("s3:GetObject");
    const inContext = (context: unknown) => ({ policies: [], request: { ...get.request, context } });
    const faults: readonly (readonly [name: string, line: object, named: string])[] = [
      ["no policies", get, "`policies` "],
      ["policies that are no list", { policies: FULL, ...get }, "`policies` "],
      ["1,001 policies", { policies: Array.from({ length: 1001 }, () => FULL), ...get }, "`policies` "],
      ["no request", { policies: [] }, "`request` "],
      ["a request that is a number", { policies: [], request: 1 }, "`request` must be an object"],
      ["a context that is a number", inContext(1), "`request.context` must be an object"],
      ["no resource", { policies: [], request: { action: "s3:GetObject" } }, "`request.resource` "],
      ["no action", { policies: [], request: { resource: "*" } }, "`request.action` "],
      ["an action that is a pattern", { policies: [], ...asking("s3:*") }, "`action`"],
      ["a resource that is no ARN", { policies: [], ...asking("s3:GetObject", "bucket") }, "`resource`"],
      ["an unknown level", { policies: [], level: "admin", ...get }, "`level` must be one of `deny`"],
      ["a level that is null", { policies: [], level: null, ...get }, "`level` "],
      [
        "self-management that is a text",
        { policies: [], selfManagement: "yes", ...get },
        "`selfManagement` ",
      ],
      ["a context value that is a number", inContext({ a: 1 }), "`request.context.a` "],
      ["null in a list of context values", inContext({ a: [null] }), "`request.context.a` "],
      ["a context key twice, in different case", inContext({ a: "1", A: "2" }), `\`context["A"]\``],
      ["a policy that is null", { policies: [FULL, null], ...get }, "policies[1]: $"],
      ["a policy that is a text", { policies: [JSON.stringify(FULL)], ...get }, "policies[0]: $"],
      ["a boundary that is null", { policies: [FULL], boundary: null, ...get }, "boundary: $"],
      ["a session policy that is empty", { policies: [FULL], sessionPolicy: {}, ...get }, "sessionPolicy: $"],
    ];
    let answers: ReturnType<typeof answersTo> = [];
    beforeAll(() => {
      answers = answersTo(...faults.map(([id, line]) => ({ id, ...line })));
    });

    test.each(faults)("%s", (id, _line, named) => {
      const answer = answers.find((one) => one["id"] === id);
      expect(answer).toEqual({ id, error: expect.stringContaining(named) });
    });
  });

  test("refuses a line that is too long, and goes on", () => {
    const huge = { id: "huge", policies: [], note: "x".repeat(5_000_000), ...asking("s3:GetObject") };
    const [before, refused, after] = answersTo({ id: 1, ...allowed }, huge, { id: 2, ...allowed });
    expect(before).toMatchObject({ id: 1, decision: "allowed" });
    expect(refused).toEqual({ id: null, error: expect.stringContaining("is longer than") });
    expect(after).toMatchObject({ id: 2, decision: "allowed" });
  });

  test("reads a policy of 1,000 statements, and refuses one of 1,001", () => {
    const ofLength = (length: number) => ({
      policies: [
        {
          Statement: Array.from({ length }, (_, index) => ({
            Effect: index === 999 ? "Deny" : "Allow",
            Action: "opsworks:*",
            Resource: "*",
          })),
        },
      ],
      ...asking("opsworks:DescribeLayers"),
    });
    const [read, refused] = answersTo(ofLength(1000), ofLength(1001));
    expect(read).toMatchObject({ decision: "explicitDeny", statement: { index: 999 } });
    expect(refused?.error).toContain("policies[0]: $.Statement: has 1001 statements");
  });

  test("answers 20,000 lines in one run, in their order", () => {
    const lines = Array.from({ length: 20_000 }, (_, id) =>
      id % 1000 === 7 ? `{"id": ${id}` : { id, ...(id % 2 === 0 ? allowed : { ...allowed, policies: [] }) },
    );
    const { status, answers } = run([], asLines(lines));
    expect(status).toBe(1);
    expect(answers().map(({ id, decision }) => [id, decision])).toEqual(
      lines.map((_, id) =>
        id % 1000 === 7 ? [null, undefined] : [id, id % 2 === 0 ? "allowed" : "implicitDeny"],
      ),
    );
  });
});
