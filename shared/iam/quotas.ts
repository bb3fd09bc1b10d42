/**
 * What IAM takes, in characters without white space.
 * Source: IAM User Guide, "IAM and AWS STS quotas"; inline policies count together.
 */
export const IDENTITY_QUOTAS =
  "managed policy 6,144; inline policies of a user 2,048, group 5,120, role 10,240; session policy 2,048";
export const LARGEST_MANAGED_POLICY = 6144;
export const LARGEST_TRUST_POLICY = 2048;

/** How long IAM counts a document: white space outside texts is free. */
export function lengthToIam(json: string): number {
  let length = 0;
  let isInText = false;
  for (let at = 0; at < json.length; at += 1) {
    const char = json.charAt(at);
    if (isInText || !/\s/.test(char)) length += 1;
    if (char === '"') isInText = !isInText;
    else if (char === "\\") {
      length += 1;
      at += 1;
    }
  }
  return length;
}
