import { Hash } from "@smithy/hash-node";
import { HttpRequest } from "@smithy/protocol-http";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Identity } from "./sigv4.ts";

export type Signer = Pick<Identity, "accessKeyId" | "secretAccessKey" | "sessionToken">;

/** A POST as a client of the API sends it: JSON, signed for `execute-api`. */
export async function signedPost(
  url: string,
  region: string,
  credentials: Signer,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const { hostname, port, host, pathname } = new URL(url);
  const signer = new SignatureV4({
    service: "execute-api",
    region,
    credentials,
    sha256: Hash.bind(null, "sha256"),
  });
  const request = new HttpRequest({
    method: "POST",
    hostname,
    port: Number(port),
    path: pathname,
    headers: { host, "content-type": "application/json", ...headers },
    body,
  });
  const signed = await signer.sign(request);
  return fetch(url, { method: "POST", headers: signed.headers, body });
}
