import { TagResource } from "../shared/contract/tag-resource.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { changeTags } from "../shared/lambda/tags.ts";
import { addTags } from "../shared/model/tag.ts";

/** Gives a stack or a layer tags. A stack's are what `aws:ResourceTag` in policies asks about, from the next check on. */
export const handler = serve(TagResource, async (call) => {
  const { ResourceArn, Tags } = call.input;
  return retryConflicts(TagResource, call, () =>
    changeTags(call, ResourceArn.tagged, (tags) => addTags(tags, Tags)),
  );
});
