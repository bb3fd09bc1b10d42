import { IAMClient } from "@aws-sdk/client-iam";
import * as z from "zod";
import type { Operation } from "../shared/contract/operation.ts";
import { signedPost } from "./local/signed-post.ts";

/** A deployment's API. */
export type Api = { readonly url: URL; readonly region: string };

/** Of the local stack, unless it is told another. */
const LOCAL_REGION = "us-east-1";
const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])$/;

/**
 * Where a deployment is, as `--url` and `--region` say it, the address or the environment. Without TLS, what is sent could be read on the
 * way; on the machine itself there is none.
 */
export function readApi(text: string, givenRegion: string | undefined): Api {
  if (text === "") throw new Error("where is it? add `--url <ApiUrl>`, an output of the deployment");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname));
  if (!url || !isSafe) {
    const also = "or, of this machine, with http://";
    throw new Error(`\`--url\` is an address that begins with https:// (${also}), not \`${text}\``);
  }
  const local = LOOPBACK.test(url.hostname) ? LOCAL_REGION : undefined;
  const region =
    givenRegion ?? regionOf(url) ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? local;
  if (region === undefined) throw new Error("in which region is it? add `--region <region>`");
  return { url, region };
}

function regionOf({ hostname }: URL): string | undefined {
  return /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(hostname)?.[1];
}

const Refusal = z.object({ message: z.string() });

/** Asks an operation with the caller's own AWS credentials, found as the AWS CLI finds them. */
export async function signedCall<Input extends z.ZodType, Output extends z.ZodType>(
  { url, region }: Api,
  operation: Operation<Input, Output>,
  input: z.input<Input>,
): Promise<z.output<Output>> {
  const { accessKeyId, secretAccessKey, sessionToken } = await new IAMClient({ region }).config.credentials();
  const credentials = {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
  };
  const address = `${url.origin}${operation.path}`;
  const response = await signedPost(address, region, credentials, JSON.stringify(input)).catch(
    (error: unknown) => {
      throw new Error(`${url.host} cannot be reached: ${reasonOf(error)}`, { cause: error });
    },
  );
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return operation.output.parse(answer);
  const why = Refusal.safeParse(answer).data?.message ?? "no reason";
  const hint = LOOPBACK.test(url.hostname) ? OF_THE_LOCAL_STACK : OF_A_DEPLOYMENT;
  throw new Error(`${url.host} answered ${response.status}, ${why}${why === "Forbidden" ? hint : ""}`);
}

const OF_A_DEPLOYMENT =
  ": attach the policy UserPolicyArn of the deployment to whom the credentials are of, and see that the region is right";
const OF_THE_LOCAL_STACK =
  ": set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a pair that `npm start` printed; its terminal says why";

/** What `fetch` only has in its cause, such as `connect ECONNREFUSED 127.0.0.1:3000`. */
function reasonOf(error: unknown): string {
  const { cause } = error instanceof Error ? error : {};
  const of = cause instanceof Error ? cause : error;
  return of instanceof Error && of.message !== "" ? of.message : "no reason";
}
