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

const ABOUT_INSTANCES = new Set([
  "RegisterInstance",
  "DeregisterInstance",
  "DescribeInstanceAccess",
  "GrantAccess",
  "SetPermission",
  "DescribePermissions",
]);

const COMES_AND_GOES = new Set(["CreateUserProfile", "DeleteUserProfile"]);

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
      const run = await runLoad(world, load(faults, { operations: 200 }));
      const { violations, figures } = judge(run);
      expect(violations).toEqual([]);
      expect([...world.proxy.done.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(3);
      expect(figures.done).toBeGreaterThan(20);
      expect(figures.events).toBeGreaterThan(5);
      expect(figures.reads).toBeGreaterThan(5);
      expect(figures.imports).toBeGreaterThan(0);
    },
  );

  test("do all of that, on instances that are registered, asked for and gone, and with tokens and versions", async () => {
    const { violations, figures } = judge(
      await runLoad(world, load(FAULTS, { operations: 500, only: ABOUT_INSTANCES, tokens: 0.7 })),
    );
    expect(violations).toEqual([]);
    const { feeds, logins, askedAgain, atVersion } = figures;
    expect(
      Object.entries({ feeds, logins, askedAgain, atVersion }).filter(([, count]) => count === 0),
    ).toEqual([]);
  });
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
      // Of those that always have one.
      if (!items.some((item) => isEvent(item) && /^(Create|Update)/.test(item.Put.Item.Operation.S)))
        return body;
      writes += 1;
      return writes % 4 === 0 ? { ...body, TransactItems: items.filter((item) => !isEvent(item)) } : body;
    });
    expect(await found(rewrite, [])).toContain("acknowledged, and there is no event");
  });

  test("writes a permission whoever changed it meanwhile", async () => {
    const only = new Set(["SetPermission", "DescribePermissions"]);
    const violations = await found(withoutCondition(/^GRANT#/), ["delay"], {
      share: 0.3,
      isCrowded: true,
      only,
    });
    expect(violations).toContain("a permission was changed as it was not");
  });

  test("writes a stack whoever changed it meanwhile", async () => {
    const only = new Set(["UpdateStack", "TagResource", "DescribeStacks"]);
    const violations = await found(withoutCondition(/^STACK$/), ["delay"], {
      share: 0.3,
      isCrowded: true,
      only,
    });
    expect(violations).toContain("a stack was changed as it was not");
  });

  test("writes a profile whoever changed it meanwhile", async () => {
    const only = new Set([...COMES_AND_GOES, "UpdateUserProfile", "UpdateMyUserProfile"]);
    const violations = await found(withoutCondition(/^USER$/), ["delay"], {
      share: 0.3,
      isCrowded: true,
      only,
    });
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
    expect(await found(rewrite, [], { tokens: 1 })).toMatch(
      /a token was answered otherwise|done, and there are 2 events/,
    );
  });

  test("does not look at versions", async () => {
    const asked: World = {
      ...world,
      call: (caller, operation, { IfVersion: _version, ...input }: Wire, userAgent) =>
        world.call(caller, operation, input, userAgent),
    };
    const violations = await found((_operation, body) => body, [], { isCrowded: true }, asked);
    expect(violations).toMatch(/something was changed (that was another version|twice at one version)/);
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

  test("keeps what IAM says of somebody whoever made them meanwhile", async () => {
    const keepsFacts = (items: Wire[]) =>
      items.some(({ Put }) => Put?.Item.sk.S === "IAM") && !items.some((item) => item.Delete);
    const rewrite = inTransactions((items, body) => ({
      ...body,
      TransactItems: keepsFacts(items) ? items.filter((item) => !item.ConditionCheck) : items,
    }));
    const violations = await found(rewrite, ["delay"], { operations: 400, share: 0.3, only: COMES_AND_GOES });
    expect(violations).toContain("an import changed what was not so");
  });

  test("gives logins with more than the user had", async () => {
    const rewrite = inTransactions((items, body) => {
      for (const { Put } of items) {
        const shown = isEvent({ Put }) ? Put.Item.After?.M : Put?.Item;
        if (shown?.Administrator) shown.Administrator.BOOL = !shown.Administrator.BOOL;
      }
      return body;
    });
    const violations = await found(rewrite, [], { operations: 600, only: ABOUT_INSTANCES });
    expect(violations).toContain("a login that nobody might have");
  });

  test("writes a level above the one that was asked for", async () => {
    let writes = 0;
    const rewrite = inTransactions((items, body) => {
      const grants = items.filter((item) => isOf(item.Put, /^GRANT#/));
      if (grants.length === 0 || (writes += 1) % 3 !== 0) return body;
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
