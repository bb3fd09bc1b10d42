import type { Context } from "aws-lambda";
import { startImport } from "../shared/account/start-import.ts";
import { deploymentOf } from "../shared/lambda/environment.ts";
import { inTime } from "../shared/lambda/in-time.ts";
import { Fault } from "../shared/model/fault.ts";

/** Keeps the policies of who is here as IAM has them; adds nobody. A job that is running already does it, or goes first. */
export async function handler(_event: unknown, context: Context): Promise<void> {
  const { table } = deploymentOf(context);
  try {
    await inTime(context, () => startImport(table, { caller: "schedule", OnlyKnown: true }, new Date()));
  } catch (error) {
    if (!(error instanceof Fault && error.name === "ConflictException")) throw error;
  }
}
