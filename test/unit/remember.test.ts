import { describe, expect, test } from "vitest";
import { decide } from "../../shared/decision/decide.ts";
import { actionOf } from "../../shared/iam/action.ts";
import { Context } from "../../shared/iam/context.ts";
import { compilePolicy } from "../../shared/iam/policy.ts";
import { intern, internName, remember, rememberLast } from "../../shared/iam/remember.ts";
import { readRequest } from "../../shared/iam/request.ts";
import { statementsAbout } from "../../shared/iam/statements-about.ts";

const times = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}${index}`);

describe("what is kept for the next time", () => {
  test("is made once for equal texts", () => {
    const made: string[] = [];
    const make = remember((text) => made.push(text));
    expect([make("a"), make("b"), make("a"), make("b")]).toEqual([1, 2, 1, 2]);
    expect(made).toEqual(["a", "b"]);
  });

  test("is all forgotten when there is too much of it", () => {
    const made: string[] = [];
    const make = remember((text) => made.push(text), 2);
    for (const text of ["a", "b", "a", "b", "c", "c", "a"]) make(text);
    expect(made).toEqual(["a", "b", "c", "a"]);
  });

  test("is nothing of a text that is too long", () => {
    const made: number[] = [];
    const make = remember((text) => made.push(text.length));
    for (const length of [2048, 2048, 2049, 2049]) make("x".repeat(length));
    expect(made).toEqual([2048, 2049, 2049]);
  });

  test("is only the last, where that is enough", () => {
    const made: string[] = [];
    const make = rememberLast((text) => made.push(text));
    for (const text of ["a", "a", "b", "a", "a"]) make(text);
    expect(made).toEqual(["", "a", "b", "a"]);
  });

  test("a name is its lower case, a text itself", () => {
    expect([internName("AWS:SourceIp"), intern("AWS:SourceIp")]).toEqual(["aws:sourceip", "AWS:SourceIp"]);
  });
});

describe("a context", () => {
  test.each([1, 64, 65, 500])("of %d keys has the value of each, and no other", (count) => {
    const names = times(count, "Key");
    const context = new Context(names.map((name) => [name, `value of ${name}`]));
    expect(names.map((name) => context.get(name.toLowerCase()))).toEqual(
      names.map((name) => `value of ${name}`),
    );
    expect(context.get(`key${count}`)).toBeUndefined();
    expect(() => new Context([...names, "KEY0"].map((name) => [name, ""]))).toThrow(
      '`context["KEY0"]` is there twice, in different case',
    );
  });

  test("has its own keys, however many others there were with the same first ones", () => {
    for (const name of times(1500, "other")) {
      const context = new Context([
        ["first", "1"],
        [name, "2"],
      ]);
      expect([context.get("first"), context.get(name), context.get("other")]).toEqual(["1", "2", undefined]);
    }
    const turned = new Context([
      ["second", "2"],
      ["first", "1"],
    ]);
    expect([turned.get("first"), turned.get("second")]).toEqual(["1", "2"]);
  });
});

test("an action is the same whatever its case, and one that has no number any more is decided as any other", () => {
  expect(actionOf("S3:GetObject")).toBe(actionOf("s3:getobject"));
  expect(actionOf(`s3:${"x".repeat(125)}`).number).toBeDefined();
  expect(actionOf(`s3:${"x".repeat(126)}`).number).toBeUndefined();
  const named = { name: "Reader", policy: compilePolicy(READER) };
  const facts = { accountOwner: false, policies: [named], unreadable: [], selfManagement: false };
  const decided = (action: string) =>
    decide(facts, readRequest(action, "arn:aws:s3:::bucket/key", new Context([]))).decision;
  const answers = () => ["s3:GetLast", "s3:GetSecret", "s3:PutLast"].map(decided);

  for (const name of times(1100, "s3:Get")) expect(decided(name)).toBe("allowed");
  expect(actionOf("s3:GetLast").number).toBeUndefined();
  expect(answers()).toEqual(["allowed", "explicitDeny", "implicitDeny"]);
  expect(answers()).toEqual(["allowed", "explicitDeny", "implicitDeny"]);
});

test("the statements about an action are told apart by their effect", () => {
  const about = statementsAbout(compilePolicy(READER).statements);
  const indexes = (action: string) => {
    const { Deny, Allow } = about(actionOf(action));
    return [Deny.map(({ index }) => index), Allow.map(({ index }) => index)];
  };
  expect(indexes("s3:GetSecret")).toEqual([[1], [0]]);
  expect(indexes("s3:GetObject")).toEqual([[], [0]]);
  expect(indexes("s3:PutObject")).toEqual([[], []]);
});

const READER = {
  Statement: [
    { Effect: "Allow", Action: "s3:Get*", Resource: "*" },
    { Effect: "Deny", Action: "s3:GetSecret", Resource: "*" },
  ],
};
