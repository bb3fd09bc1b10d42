import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startDynamoDb } from "../../infra/local/dynamodb.ts";
import { packageService } from "../../infra/local/package-service.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the DynamoDB Locals of this run answer, one a worker: each does one thing at a time. */
    endpoints: string[];
    /** The folder with the compiled template and the bundles. */
    packageFolder: string;
  }
}

const WORKERS = 2;

/** A DynamoDB Local for each worker, and one package, for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const workFolder = await mkdtemp(join(tmpdir(), "stackwarden-test-"));
  const [databases, packageFolder] = await Promise.all([
    Promise.all(Array.from({ length: WORKERS }, () => startDynamoDb())),
    packageService(workFolder),
  ]);
  project.provide(
    "endpoints",
    databases.map(({ endpoint }) => endpoint),
  );
  project.provide("packageFolder", packageFolder);
  return async () => {
    await Promise.all(databases.map((database) => database.stop()));
    await rm(workFolder, { recursive: true, force: true });
  };
}
