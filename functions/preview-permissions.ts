import { PreviewPermissions } from "../shared/contract/preview-permissions.ts";
import { entriesOf } from "../shared/lambda/entries-of.ts";
import { previewPermissions } from "../shared/lambda/preview-permissions.ts";
import { serve } from "../shared/lambda/serve.ts";

/** What SetPermissions would come to: who gains and loses which actions. */
export const handler = serve(PreviewPermissions, async (call) => {
  const { users, groups } = entriesOf(call.input);
  return previewPermissions(call, call.input.StackId, users, groups);
});
