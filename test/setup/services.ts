import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startDynamoDb } from "../../infra/local/dynamodb.ts";
import { packageService } from "../../infra/local/package-service.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the one DynamoDB Local of this run answers. */
    endpoint: string;
    /** The folder with the compiled template and the bundles. */
    packageFolder: string;
  }
}

/** One DynamoDB Local and one package for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const workFolder = await mkdtemp(join(tmpdir(), "stackwarden-test-"));
  const [database, packageFolder] = await Promise.all([startDynamoDb(), packageService(workFolder)]);
  project.provide("endpoint", database.endpoint);
  project.provide("packageFolder", packageFolder);
  return async () => {
    await database.stop();
    await rm(workFolder, { recursive: true, force: true });
  };
}
