import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCursor, writeCursor } from "../../shared/table/list.ts";
import { listStacks } from "../../shared/table/stacks.ts";
import { listUsers } from "../../shared/table/users.ts";
import { iamUser, openTestStack, type TestStack } from "../setup/test-stack.ts";

const names = ["zebra", "a#z", "a", "Apple", "ünï", "a", "a#"];

let stack: TestStack;

beforeAll(async () => {
  stack = await openTestStack();
  for (const name of names) await stack.addStack(name);
  await stack.importAccount({ UserDetailList: ["carol", "alice", "bob"].map((name) => iamUser(name)) });
});
afterAll(() => stack.close());

async function all<T>(
  page: (token: string | undefined) => Promise<{ rows: T[]; next?: string | undefined }>,
) {
  const pages: T[][] = [];
  let token: string | undefined;
  do {
    const { rows, next } = await page(token);
    pages.push(rows);
    token = next;
  } while (token !== undefined);
  return pages;
}

describe("a list", () => {
  test.for([1, 2, 3, 7, 100])(
    "of stacks comes whole in pages of %i, names with a # included",
    async (limit) => {
      const pages = await all(async (token) => {
        const { page: stacks, ...rest } = await listStacks(stack.table, limit, token);
        return { rows: stacks, ...rest };
      });
      const stacks = pages.flat();
      expect(new Set(stacks.map(({ StackId }) => StackId)).size).toBe(names.length);
      expect(stacks.map(({ Name }) => Name)).toEqual(["Apple", "a#", "a", "a", "a#z", "zebra", "ünï"]);
      for (const page of pages) expect(page.length).toBeLessThanOrEqual(limit);
    },
  );

  test("of users is in the order of their ARNs", async () => {
    const pages = await all(async (token) => {
      const { page: users, ...rest } = await listUsers(stack.table, 1, token);
      return { rows: users, ...rest };
    });
    expect(pages.flat().map(({ Name }) => Name)).toEqual(["alice", "bob", "carol"]);
  });

  test("opens with the token of no other list", async () => {
    const { next } = await listStacks(stack.table, 1, undefined);
    await expect(listUsers(stack.table, 1, next)).rejects.toMatchObject({
      name: "ValidationException",
      message: "`NextToken` is not a token of this list",
    });
  });
});

describe("a token", () => {
  test.for(["name#id", "ünï 😀", "x".repeat(1024)])("holds a place, whatever it is called", (position) => {
    expect(readCursor("stacks", writeCursor("stacks", position))).toBe(position);
  });

  test.for(["", "e30", "bm90IGpzb24", '["stacks","a"]', "W10", "bnVsbA", "%00"])(
    "that is not ours is refused: %j",
    (token) => {
      expect(() => readCursor("stacks", token)).toThrow("`NextToken` is not a token of this list");
    },
  );

  test.for(["", "x".repeat(1025), "ü".repeat(513)])("for no place in the index is refused", (position) => {
    expect(() => readCursor("stacks", writeCursor("stacks", position))).toThrow("`NextToken`");
  });
});
