import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { readTemplate } from "../../infra/local/template.ts";
import { databaseEndpoint } from "../setup/test-stack.ts";
import { judge } from "./model.ts";
import { FAULTS, type Fault, type Rewrite } from "./proxy.ts";
import { type Load, runLoad } from "./workload.ts";
import { openWorld, type Wire, type World } from "./world.ts";

const SEED = 20_131_218;
const load = (faults: readonly Fault[], rest: Partial<Load> = {}): Load => ({
  operations: 250,
  seed: SEED,
  faults,
  share: 0.15,
  callers: 12,
  ...rest,
});

let world: World;

beforeAll(async () => {
  world = await openWorld({
    endpoint: databaseEndpoint(),
    template: await readTemplate(inject("packageFolder")),
    timeoutMs: 400,
    functionMs: 8000,
  });
});
afterAll(() => world.close());
afterEach(() => {
  world.proxy.rewrite = (_operation, body) => body;
  world.proxy.done.clear();
});

describe("nothing is lost, nothing is done twice and nobody gains by it, when requests to the table", () => {
  const named: Record<Fault, string> = {
    delay: "are delayed, or arrive when nobody waits for them",
    drop: "are dropped, before or after they were done",
    cut: "are cut in the middle of their answer",
    repeat: "arrive twice",
    throttle: "are throttled, or keys of them left unprocessed",
    error: "fail with 500 or 503, done or not, or are answered by half",
    conflict: "are in each other's way",
  };
  test.for([...FAULTS.map((fault) => [named[fault], [fault]] as const), ["do all of that", FAULTS] as const])(
    "%s",
    async ([, faults]) => {
      const run = await runLoad(world, load(faults, { operations: 150 }));
      const { violations, figures } = judge(run);
      expect(violations).toEqual([]);
      expect([...world.proxy.done.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10);
      expect(figures.done).toBeGreaterThan(20);
      expect(figures.events).toBeGreaterThan(5);
      expect(figures.reads).toBeGreaterThan(5);
    },
  );
});

/** The proof is worth what it finds: here, in a service that would send its requests otherwise. */
describe("it is found, in a service that", () => {
  const inTransactions =
    (change: (items: Wire[], body: Wire) => Wire): Rewrite =>
    (operation, body) =>
      operation === "TransactWriteItems" ? change(body.TransactItems, body) : body;
  const isEvent = ({ Put }: Wire) => Put?.Item.pk.S.startsWith("EVENTS#");
  const isOf = (write: Wire, sort: RegExp) => sort.test(write?.Item?.sk.S ?? write?.Key?.sk.S ?? "");
  const unconditional = ({
    ConditionExpression: _condition,
    ExpressionAttributeValues: _values,
    ...rest
  }: Wire) => rest;

  const withoutCondition = (sort: RegExp) =>
    inTransactions((items, body) => ({
      ...body,
      TransactItems: items.flatMap((item) => {
        if (isOf(item.ConditionCheck, sort)) return [];
        if (isOf(item.Put, sort)) return [{ Put: unconditional(item.Put) }];
        if (isOf(item.Delete, sort)) return [{ Delete: unconditional(item.Delete) }];
        return [item];
      }),
    }));

  const found = async (
    rewrite: Rewrite,
    faults: readonly Fault[],
    rest: Partial<Load> = {},
    asked: World = world,
  ) => {
    world.proxy.rewrite = rewrite;
    return judge(await runLoad(asked, load(faults, rest))).violations.join("\n");
  };

  test("writes no event", async () => {
    const rewrite = inTransactions((items, body) => ({
      ...body,
      TransactItems: items.filter((item) => !isEvent(item)),
    }));
    expect(await found(rewrite, [])).toContain("acknowledged, and there is no event");
  });

  test("writes no event now and then", async () => {
    let writes = 0;
    const rewrite = inTransactions((items, body) => {
      writes += 1;
      return writes % 20 === 0 ? { ...body, TransactItems: items.filter((item) => !isEvent(item)) } : body;
    });
    expect(await found(rewrite, [])).toContain("acknowledged, and there is no event");
  });

  test("writes a permission whoever changed it meanwhile", async () => {
    const violations = await found(withoutCondition(/^GRANT#/), ["delay"], { share: 0.3, isCrowded: true });
    expect(violations).toContain("a permission was changed as it was not");
  });

  test("writes a stack whoever changed it meanwhile", async () => {
    const violations = await found(withoutCondition(/^STACK$/), ["delay"], { share: 0.3, isCrowded: true });
    expect(violations).toContain("a stack was changed as it was not");
  });

  test("writes a profile whoever changed it meanwhile", async () => {
    const violations = await found(withoutCondition(/^USER$/), ["delay"], { share: 0.3, isCrowded: true });
    expect(violations).toContain("a profile was changed as it was not");
  });

  test("sends a write again under another token", async () => {
    let sent = 0;
    const rewrite = inTransactions((_items, body) => ({ ...body, ClientRequestToken: `${(sent += 1)}` }));
    const violations = await found(rewrite, ["drop"], { operations: 300, share: 0.3 });
    expect(violations).toMatch(/(refused|done), and there are \d events/);
  });

  test("keeps no token", async () => {
    const rewrite = inTransactions((items, body) => ({
      ...body,
      TransactItems: items.filter(({ Put }) => Put?.Item.sk.S !== "TOKEN"),
    }));
    expect(await found(rewrite, [])).toMatch(/a token was answered otherwise|done, and there are 2 events/);
  });

  test("does not look at versions", async () => {
    const asked: World = {
      ...world,
      call: (caller, operation, { IfVersion: _version, ...input }: Wire, userAgent) =>
        world.call(caller, operation, input, userAgent),
    };
    const violations = await found((_operation, body) => body, [], { isCrowded: true }, asked);
    expect(violations).toContain("something was changed that was another version");
  });

  test("writes the half of several permissions", async () => {
    const rewrite = inTransactions((items, body) => {
      const of = items.filter(({ Put }) => isOf(Put, /^GRANT#/)).map(({ Put }) => Put.Item.IamUserArn.S);
      const left = of.length > 1 ? of[0] : undefined;
      return {
        ...body,
        TransactItems: items.filter(({ Put }) => Put?.Item.IamUserArn?.S !== left || left === undefined),
      };
    });
    expect(await found(rewrite, [])).toContain("nothing was done");
  });

  test("writes a level above the one that was asked for", async () => {
    let writes = 0;
    const rewrite = inTransactions((items, body) => {
      writes += 1;
      if (writes % 10 !== 0) return body;
      const grants = items.filter((item) => isOf(item.Put, /^GRANT#/));
      for (const { Put } of grants) Put.Item.Level = { S: "manage" };
      return body;
    });
    expect(await found(rewrite, [])).toMatch(
      /a permission (is not as it should be|was changed as it was not)/,
    );
  });

  test("reads what was, not what is", async () => {
    const seen = new Map<string, Wire>();
    world.proxy.reread = (text, answer) => {
      const first = seen.get(text) ?? answer;
      seen.set(text, first);
      return first;
    };
    const violations = await found((_operation, body) => body, []);
    world.proxy.reread = (_text, answer) => answer;
    expect(violations).toMatch(/a level counted that no moment had|a permission was shown that nobody had/);
  });
});
