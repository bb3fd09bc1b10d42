import { UntagResource } from "../shared/contract/untag-resource.ts";
import { retryConflicts } from "../shared/lambda/retry-conflicts.ts";
import { serve } from "../shared/lambda/serve.ts";
import { changeTags } from "../shared/lambda/tags.ts";
import { removeTags } from "../shared/model/tag.ts";

/** Takes tags from a stack or a layer; one that it does not have is no fault. */
export const handler = serve(UntagResource, async (call) => {
  const { ResourceArn, TagKeys } = call.input;
  return retryConflicts(UntagResource, call, () =>
    changeTags(call, ResourceArn.tagged, (tags) => removeTags(tags, TagKeys)),
  );
});
