import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadPolicies } from "../../shared/access/policy-cache.ts";
import { hashOf } from "../../shared/model/policy-hash.ts";
import { keys } from "../../shared/table/keys.ts";
import { getPolicies, putPolicy } from "../../shared/table/policies.ts";
import { openTestStack, policy, type TestStack } from "../setup/test-stack.ts";

let stack: TestStack;

beforeAll(async () => {
  stack = await openTestStack();
});
afterAll(() => stack.close());

const documentFor = (Sid: string) => JSON.stringify(policy("Deny", "opsworks:*", "*", { Sid }));
const put = (item: object) =>
  stack.table.client.send(new PutCommand({ TableName: stack.tableName, Item: { ...item } }));

test("a document is found by the hash of its text, character for character", async () => {
  const document = '{ "Statement": {"Condition": {"NumericEquals": {"a:b": 9007199254740993}}}} ';
  await putPolicy(stack.table, document);
  expect(await getPolicies(stack.table, [hashOf(document)])).toEqual(new Map([[hashOf(document), document]]));
});

test("a document that was written twice is there once", async () => {
  const document = documentFor("Twice");
  await putPolicy(stack.table, document);
  await putPolicy(stack.table, document);
  expect(await getPolicies(stack.table, [hashOf(document), hashOf(document)])).toHaveProperty("size", 1);
});

test("a document that is not there is left out, and the others are not", async () => {
  const document = documentFor("There");
  await putPolicy(stack.table, document);
  const found = await getPolicies(stack.table, [hashOf("not there"), hashOf(document)]);
  expect([...found.keys()]).toEqual([hashOf(document)]);
});

test("a document that somebody tampered with is none, nor is an item that holds none", async () => {
  const [deny, allow] = [documentFor("Deny"), JSON.stringify(policy("Allow", "*"))];
  await put({ ...keys.policy(hashOf(deny)), Document: allow });
  const empty = documentFor("Empty");
  await put({ ...keys.policy(hashOf(empty)), Text: empty });
  expect(await getPolicies(stack.table, [hashOf(deny), hashOf(empty)])).toEqual(new Map());
  expect(await loadPolicies(stack.table, [hashOf(deny)])).toEqual(new Map());
});

test("a document that came late is read then: that it was missing is not remembered", async () => {
  const document = documentFor("Late");
  expect(await loadPolicies(stack.table, [hashOf(document)])).toEqual(new Map());
  await putPolicy(stack.table, document);
  expect([...(await loadPolicies(stack.table, [hashOf(document)])).keys()]).toEqual([hashOf(document)]);
});
