import { OpsWorksClient } from "@aws-sdk/client-opsworks";
import type { Identity } from "../../infra/local/sigv4.ts";
import { REGION } from "../setup/test-stack.ts";

/** Amazon's own client, unmodified, signed in as somebody. */
export function opsWorksClient(endpoint: string, { accessKeyId, secretAccessKey, sessionToken }: Identity) {
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
  return new OpsWorksClient({ endpoint, region: REGION, credentials, maxAttempts: 1 });
}
