import { randomUUID } from "node:crypto";
import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import { Fault } from "../model/fault.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putAlone } from "./write.ts";

/** A signature holds for five minutes around the time it names, so a request can arrive for ten. In seconds, with some to spare. */
const LIFETIME = 15 * 60;

/**
 * Takes an instance's nonce, once and for all; whoever sends a captured request again sends a nonce that is taken.
 * @throws Fault ConflictException
 */
export async function takeNonce(table: Table, instanceId: string, nonce: string, now: Date): Promise<void> {
  const ExpiresAt = Math.floor(now.getTime() / 1000) + LIFETIME;
  const Attempt = randomUUID();
  // It may be sent again when no answer came, and is not in its own way then.
  const isNew = {
    ConditionExpression: "attribute_not_exists(pk) OR Attempt = :own",
    ExpressionAttributeValues: { ":own": Attempt },
  };
  try {
    await putAlone(table, { ...keys.nonce(instanceId, nonce), ExpiresAt, Attempt }, isNew);
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    throw new Fault("ConflictException", "this request was sent before: ask again with another `Nonce`");
  }
}
