import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildClient } from "../../infra/build-client.ts";

const TSC = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
const SDK = fileURLToPath(new URL("../../node_modules/@aws-sdk", import.meta.url));

let folder: string;
let installed: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stackwarden-client-"));
  installed = join(folder, "node_modules/stackwarden");
  await buildClient(installed);
  symlinkSync(SDK, join(folder, "node_modules/@aws-sdk"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (file: string, source: string) => {
  writeFileSync(join(folder, file), source);
  return execFileSync(process.execPath, [file], { cwd: folder, encoding: "utf8" });
};

describe("the package of the client", () => {
  test("is small, and depends on nothing", () => {
    expect(statSync(join(installed, "client.mjs")).size).toBeLessThan(10_000);
    expect(JSON.parse(readFileSync(join(installed, "package.json"), "utf8"))).not.toHaveProperty(
      "dependencies",
    );
  });

  test("is imported and required", () => {
    const show = "process.stdout.write([typeof createClient, typeof requirePermission].join())";
    const names = "{ createClient, requirePermission }";
    expect(run("a.mjs", `import ${names} from "stackwarden/client"; ${show}`)).toBe("function,function");
    expect(run("b.cjs", `const ${names} = require("stackwarden/client"); ${show}`)).toBe("function,function");
  });

  test("has types that Amazon's Lambda client fits, for a strict compiler", () => {
    const source = `
      import { Lambda } from "@aws-sdk/client-lambda";
      import { type Check, createClient, requirePermission } from "stackwarden/client";
      const client = createClient({ lambda: new Lambda({}), functionPrefix: "stackwarden-prod-" });
      export const check: Promise<Check> = client.check("arn", { user: "arn", action: "opsworks:DescribeStacks", stackId: "id" });
      export const guard = requirePermission({ client, action: "opsworks:CreateDeployment", stackId: (event) => event.stackId });
      // @ts-expect-error an answer is no yes
      export const yes: true = client.check("arn", { user: "arn", action: "a:B" });
    `;
    for (const file of ["c.mts", "d.cts"]) {
      writeFileSync(join(folder, file), source);
      const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024"];
      const compile = [TSC, ...options, "--skipLibCheck", file];
      expect(spawnSync(process.execPath, compile, { cwd: folder, encoding: "utf8" }).stdout).toBe("");
    }
  });
});
