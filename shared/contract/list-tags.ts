import * as z from "zod";
import { TaggedArn, taggedHere } from "../model/tagged-arn.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/** The tags of a stack or a layer. No level includes it: it takes a policy. */
export const ListTags = operation({
  name: "ListTags",
  path: "/ListTags",
  reads: true,
  input: z.strictObject({ ResourceArn: TaggedArn, ...Paging }),
  output: z.object({
    Tags: z.record(z.string(), z.string()),
    Version: z.string(),
    NextToken: z.string().optional(),
  }),
  needs: ({ ResourceArn }, place) => ({ action: "opsworks:ListTags", ...taggedHere(ResourceArn, place) }),
});
