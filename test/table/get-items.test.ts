import { BatchWriteCommand, GetCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadSnapshot } from "../../shared/access/snapshot.ts";
import { getItems } from "../../shared/table/get-items.ts";
import { type Key, keys } from "../../shared/table/keys.ts";
import { openTable, type Table } from "../../shared/table/table.ts";
import { iamUser, openTestStack, type TestStack, userArn, type Wire } from "../setup/test-stack.ts";

const policyKeys = Array.from({ length: 250 }, (_, index) => keys.policy(String(index)));

let stack: TestStack;
/** The table through a client of its own, whose requests are recorded and may be tampered with. */
let table: Table;
let requests: Wire[];
let tamper: (request: Wire, pass: () => Promise<Wire>) => Promise<Wire>;

beforeAll(async () => {
  stack = await openTestStack();
  table = openTable(stack.tableName);
  table.client.middlewareStack.add(
    (next) => async (args) => {
      requests.push(args.input);
      return { output: await tamper(args.input, async () => (await next(args)).output), response: undefined };
    },
    { step: "initialize", name: "tamper" },
  );
  for (let from = 0; from < policyKeys.length; from += 25) {
    const batch = policyKeys
      .slice(from, from + 25)
      .map((key) => ({ PutRequest: { Item: { ...key, Document: key.pk } } }));
    await stack.table.client.send(new BatchWriteCommand({ RequestItems: { [stack.tableName]: batch } }));
  }
});
afterAll(() => stack.close());
beforeEach(() => {
  requests = [];
  tamper = (_request, pass) => pass();
});

const asked = () =>
  requests.map(({ RequestItems: { [stack.tableName]: request } }) => ({
    count: request.Keys.length,
    isConsistent: request.ConsistentRead,
  }));
const found = async (wanted: readonly Key[]) => {
  const items = await getItems(table, wanted);
  return wanted.filter((key) => items.get(key) !== undefined);
};

describe("reading items", () => {
  test("finds each by its key, and nothing where there is none", async () => {
    const items = await getItems(table, [...policyKeys.slice(0, 2), keys.policy("none")]);
    expect(items.get(keys.policy("1"))).toEqual({ ...keys.policy("1"), Document: "POLICY#1" });
    expect(items.get(keys.policy("none"))).toBeUndefined();
  });

  test("asks for a key once, which DynamoDB would refuse twice", async () => {
    const [first, second] = policyKeys;
    expect(await found([first!, second!, first!, { ...first! }])).toHaveLength(4);
    expect(asked()).toEqual([{ count: 2, isConsistent: true }]);
  });

  test("asks for no more than a hundred at a time, each time consistently", async () => {
    expect(await found(policyKeys)).toHaveLength(250);
    expect(asked()).toEqual([100, 100, 50].map((count) => ({ count, isConsistent: true })));
  });

  test("asks nothing for no keys", async () => {
    await getItems(table, []);
    expect(requests).toEqual([]);
  });

  test("asks again for what was left unprocessed, and for that alone, as consistently", async () => {
    tamper = async (request, pass) => {
      const output = await pass();
      if (requests.length > 2) return output;
      // Half of it, as a table does that is busy.
      const { Keys, ConsistentRead } = request.RequestItems[stack.tableName];
      const left: Key[] = Keys.slice(Math.floor(Keys.length / 2));
      const items = output.Responses[stack.tableName].filter(
        (item: Key) => !left.some(({ pk }) => pk === item.pk),
      );
      return {
        Responses: { [stack.tableName]: items },
        UnprocessedKeys: { [stack.tableName]: { Keys: left, ConsistentRead } },
      };
    };
    expect(await found(policyKeys.slice(0, 20))).toHaveLength(20);
    expect(asked()).toEqual([20, 10, 5].map((count) => ({ count, isConsistent: true })));
  });

  test("gives up on a table that never gets to it, and never answers by half", async () => {
    tamper = async (request) => ({ Responses: {}, UnprocessedKeys: request.RequestItems });
    await expect(getItems(table, policyKeys.slice(0, 3))).rejects.toMatchObject({
      name: "ThrottlingException",
      message: "the table is busy, try again in a moment",
    });
    expect(requests.length).toBeGreaterThan(2);
  });
});

describe("a table that is behind, for those who do not insist", () => {
  let stackId: string;
  const behind = new Map<string, Wire>();

  beforeEach(async () => {
    // The first answer to a request stays the answer, unless the request insists on a consistent one.
    tamper = async (request, pass) => {
      const key = JSON.stringify(request);
      const isConsistent = request.ConsistentRead || request.RequestItems?.[stack.tableName]?.ConsistentRead;
      if (!isConsistent && behind.has(key)) return behind.get(key);
      const output = await pass();
      behind.set(key, output);
      return output;
    };
    stackId = await stack.addStack();
    await stack.importAccount({ UserDetailList: [iamUser("bob")] });
  });
  afterEach(() => behind.clear());

  test("shows an old grant to a careless reader: the stand-in does what it is for", async () => {
    const Key = keys.grant(stackId, userArn("bob"));
    const read = async () =>
      (await table.client.send(new GetCommand({ TableName: stack.tableName, Key }))).Item?.Level;
    await stack.grant(stackId, userArn("bob"), { Level: "manage" });
    expect(await read()).toBe("manage");
    await stack.grant(stackId, userArn("bob"), { Level: "deny" });
    expect(await read()).toBe("manage");
  });

  test("shows every level that was set to a decision", async () => {
    for (const Level of ["manage", "deny", "show", "iam_only", "deploy"] as const) {
      await stack.grant(stackId, userArn("bob"), { Level });
      const snapshot = await loadSnapshot(table, { userArns: [userArn("bob")], stackId });
      expect(snapshot.permission(userArn("bob")).Level).toBe(Level);
    }
  });

  test("shows it that a user is somebody else now", async () => {
    await stack.grant(stackId, userArn("bob"), { Level: "manage" });
    const level = async () =>
      (await loadSnapshot(table, { userArns: [userArn("bob")], stackId })).permission(userArn("bob")).Level;
    expect(await level()).toBe("manage");
    await stack.importAccount({ UserDetailList: [iamUser("bob", { id: "AIDABOB2" })] });
    expect(await level()).toBe("iam_only");
  });
});
