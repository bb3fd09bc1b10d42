import * as z from "zod";

function iamArn(type: string, what: string, longestName: number) {
  const name = `(?:[\\x21-\\x7e]+/)?[\\w+=,.@-]{1,${longestName}}`;
  const pattern = new RegExp(`^arn:aws[a-z-]*:iam::\\d{12}:${type}/${name}$`);
  const error = `must be the ARN of ${what}: \`arn:aws:iam::<account>:${type}/<name>\``;
  return z.string({ error }).max(700, { error }).regex(pattern, { error });
}

export const RoleArn = iamArn("role", "an IAM role", 64);
export const InstanceProfileArn = iamArn("instance-profile", "an instance profile", 128);
