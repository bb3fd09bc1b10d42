import * as z from "zod";
import { TagKey } from "../model/tag.ts";
import { TaggedArn, taggedHere } from "../model/tagged-arn.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** Takes tags from a stack or a layer. No level includes it: it takes a policy. */
export const UntagResource = operation({
  name: "UntagResource",
  path: "/UntagResource",
  reads: false,
  input: z.strictObject({
    ResourceArn: TaggedArn,
    TagKeys: z
      .array(TagKey)
      .min(1, { error: "must name a tag" })
      .max(40, { error: "must name at most 40 tags" }),
    ...Changing,
  }),
  output: z.object({}),
  context: ({ TagKeys }) => [["aws:TagKeys", [...TagKeys]]],
  needs: ({ ResourceArn }, place) => ({
    action: "opsworks:UntagResource",
    ...taggedHere(ResourceArn, place),
  }),
});
