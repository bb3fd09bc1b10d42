import * as z from "zod";

const PATH_AND_NAME = "(?:[\\x21-\\x7e]+/)?[\\w+=,.@-]{1,128}";

function iamArn(type: string, what: string) {
  const pattern = new RegExp(`^arn:aws[a-z-]*:iam::\\d{12}:${type}/${PATH_AND_NAME}$`);
  const error = `must be the ARN of ${what}: \`arn:aws:iam::<account>:${type}/<name>\``;
  return z.string({ error }).max(700, { error }).regex(pattern, { error });
}

export const RoleArn = iamArn("role", "an IAM role");
export const InstanceProfileArn = iamArn("instance-profile", "an instance profile");
