import * as z from "zod";
import { Tags } from "../model/tag.ts";
import { TaggedArn, taggedHere } from "../model/tagged-arn.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** Gives a stack or a layer tags; those it has under other keys stay. No level includes it: it takes a policy. */
export const TagResource = operation({
  name: "TagResource",
  path: "/TagResource",
  reads: false,
  input: z.strictObject({ ResourceArn: TaggedArn, Tags, ...Changing }),
  output: z.object({}),
  context: ({ Tags: tags }) => [
    ["aws:TagKeys", Object.keys(tags)],
    ...Object.entries(tags).map(([name, value]) => [`aws:RequestTag/${name}`, value] as const),
  ],
  needs: ({ ResourceArn }, place) => ({
    action: "opsworks:TagResource",
    ...taggedHere(ResourceArn, place),
  }),
});
