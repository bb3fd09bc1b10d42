import { createHash, timingSafeEqual } from "node:crypto";
import { Hash } from "@smithy/hash-node";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";

/** Whose an access key is: what API Gateway learns from IAM about the signer. */
export type Identity = {
  accessKeyId: string;
  secretAccessKey: string;
  /** Only temporary credentials have one, and then it must come with the request. */
  sessionToken?: string;
  accountId: string;
  userArn: string;
  userId: string;
};

/** A request as it arrived: path and query still encoded, header names in lower case with every value they came with. */
export type ReceivedRequest = {
  method: string;
  path: string;
  query: string;
  headers: ReadonlyMap<string, readonly string[]>;
  body: Uint8Array;
};

export type Verification = { ok: true; identity: Identity } | { ok: false; why: string };

const maximalSkewMs = 5 * 60 * 1000;

const authorizationFormat =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request, ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/;

const dateFormat = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** These decide who is asking, so they must mean one thing only. */
const neverTwice = ["authorization", "host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];

/**
 * Verifies an AWS Signature Version 4 in the Authorization header by signing the request again with the secret of the
 * key it names (IAM user guide, "AWS Signature Version 4 for API requests"). Presigned URLs are not accepted.
 */
export async function verifySignature(
  request: ReceivedRequest,
  against: {
    credentials: (accessKeyId: string) => Identity | undefined;
    region: string;
    services: readonly string[];
    now: Date;
  },
): Promise<Verification> {
  const { headers, body } = request;
  const header = (name: string) => headers.get(name)?.[0];

  const twice = neverTwice.find((name) => (headers.get(name)?.length ?? 0) > 1);
  if (twice !== undefined) return refused(`header \`${twice}\` came more than once`);

  const authorization = header("authorization");
  if (authorization === undefined) return refused("the request is not signed");
  const parts = authorizationFormat.exec(authorization);
  if (parts === null) return refused("the authorization header is malformed");
  const [, accessKeyId = "", scopeDate = "", region = "", service = "", signedList = "", signature = ""] =
    parts;

  if (region !== against.region) return refused(`signed for region \`${region}\`, not \`${against.region}\``);
  if (!against.services.includes(service)) {
    return refused(`signed for service \`${service}\`, not \`${against.services.join("` or `")}\``);
  }

  const signedHeaders = signedList.split(";");
  for (const name of ["host", "x-amz-date"]) {
    if (!signedHeaders.includes(name)) return refused(`header \`${name}\` is not signed`);
  }
  const absent = signedHeaders.find((name) => !headers.has(name));
  if (absent !== undefined) return refused(`signed header \`${absent}\` is missing`);

  const date = header("x-amz-date") ?? "";
  const signedAt = new Date(date.replace(dateFormat, "$1-$2-$3T$4:$5:$6Z"));
  if (!dateFormat.test(date) || Number.isNaN(signedAt.getTime())) return refused(`\`${date}\` is no date`);
  if (!date.startsWith(scopeDate)) return refused("x-amz-date is not on the day of the credential scope");
  if (Math.abs(signedAt.getTime() - against.now.getTime()) > maximalSkewMs) {
    return refused(`signed at ${date}, more than 5 minutes from now`);
  }

  const bodyHash = createHash("sha256").update(body).digest("hex");
  const claimedHash = header("x-amz-content-sha256");
  if (claimedHash !== undefined && claimedHash !== bodyHash) {
    return refused("x-amz-content-sha256 is not the hash of the body");
  }

  const identity = against.credentials(accessKeyId);
  if (identity === undefined) return refused(`access key \`${accessKeyId}\` is unknown`);
  if (!sameText(header("x-amz-security-token") ?? "", identity.sessionToken ?? "")) {
    return refused("the session token does not belong to the access key");
  }

  const query = parseQuery(request.query);
  if (query === undefined) return refused("the query string is malformed");

  const signer = new SignatureV4({
    credentials: { accessKeyId, secretAccessKey: identity.secretAccessKey },
    region,
    service,
    sha256: Hash.bind(null, "sha256"),
    applyChecksum: false,
  });
  const signedAgain = await signer.sign(
    new HttpRequest({
      method: request.method,
      path: request.path,
      query,
      headers: Object.fromEntries(signedHeaders.map((name) => [name, (headers.get(name) ?? []).join(",")])),
      body,
    }),
    { signingDate: signedAt, signableHeaders: new Set(signedHeaders) },
  );
  // The whole header, not the signature alone: the signer leaves out headers it will not sign, and the list shows it.
  const expected = signedAgain.headers["authorization"] ?? "";
  const claimed = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scopeDate}/${region}/${service}/aws4_request, SignedHeaders=${signedList}, Signature=${signature}`;
  return sameText(claimed, expected) ? { ok: true, identity } : refused("the signature does not match");
}

function refused(why: string): Verification {
  return { ok: false, why };
}

function sameText(a: string, b: string): boolean {
  const [bytesOfA, bytesOfB] = [Buffer.from(a), Buffer.from(b)];
  return bytesOfA.length === bytesOfB.length && timingSafeEqual(bytesOfA, bytesOfB);
}

/** Not URLSearchParams: it reads `+` as a space, which Signature Version 4 does not. */
function parseQuery(query: string): Record<string, string[]> | undefined {
  const values = new Map<string, string[]>();
  try {
    for (const pair of query.split("&").filter((part) => part !== "")) {
      const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
      const decoded = decodeURIComponent(name);
      values.set(decoded, [...(values.get(decoded) ?? []), decodeURIComponent(value)]);
    }
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
  return Object.fromEntries(values);
}
