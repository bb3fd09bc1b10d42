import * as z from "zod";
import { Fault } from "./fault.ts";
import type { Place } from "./stack-arn.ts";

/** What can have tags: a stack, or a layer. */
export type Tagged = { readonly stackId: string } | { readonly layerId: string };

const ID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const PATTERN = new RegExp(`^arn:(aws[a-z-]*):opsworks:([a-z0-9-]+):(\\d{12}):(stack|layer)/(${ID})/?$`);
const error =
  "must be the ARN of a stack or a layer: `arn:aws:opsworks:<region>:<account>:stack/<id>/`, or `layer/<id>/`";

/** The ARN of what has tags, anywhere. */
export const TaggedArn = z
  .string({ error })
  .regex(PATTERN, { error })
  .transform((arn) => {
    const [, partition = "", region = "", accountId = "", type, id = ""] = PATTERN.exec(arn) ?? [];
    const tagged: Tagged = type === "stack" ? { stackId: id.toLowerCase() } : { layerId: id.toLowerCase() };
    return { partition, region, accountId, tagged };
  });
export type TaggedArn = z.infer<typeof TaggedArn>;

/** @throws Fault ValidationException for what is in another account or region */
export function taggedHere({ tagged, ...given }: TaggedArn, { partition, region, accountId }: Place): Tagged {
  const isHere = given.partition === partition && given.region === region && given.accountId === accountId;
  if (isHere) return tagged;
  throw new Fault(
    "ValidationException",
    `\`ResourceArn\` must be in the region \`${region}\` of the account \`${accountId}\`: each has its own deployment`,
  );
}
