import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { memberOf } from "../../shared/contract/member-of.ts";
import { isRoleAction, roleAnswer } from "./iam-roles-endpoint.ts";

/** The JSON shape of `aws iam get-account-authorization-details`; nothing in it is checked, since IAM is whoever asks' to doubt. */
export type IamAccount = {
  UserDetailList?: readonly object[];
  GroupDetailList?: readonly object[];
  RoleDetailList?: readonly object[];
  Policies?: readonly object[];
  /** Instance profiles without a role, which no role's details have. */
  InstanceProfiles?: readonly object[];
};

/** One call, as it came in. */
type IamCall = {
  /** From 1. */
  readonly number: number;
  readonly action: string;
  readonly parameters: URLSearchParams;
};

/** An error of IAM's, or the connection cut. */
export type IamRefusal = { readonly status: number; readonly code: string; readonly message: string } | "cut";

export type IamEndpoint = {
  readonly url: string;
  /** What it serves; may be changed at any time. */
  account: IamAccount;
  /** The most entries of a page. */
  pageSize: number;
  /** Asked before each call is answered; answers with an error, or nothing. */
  before: (call: IamCall) => IamRefusal | undefined | Promise<IamRefusal | undefined>;
  readonly calls: IamCall[];
  readonly close: () => Promise<void>;
};

export const THROTTLED: IamRefusal = { status: 400, code: "Throttling", message: "Rate exceeded" };

/**
 * IAM on this machine, as far as it is asked here: the AWS Query protocol, form-encoded requests and XML answers.
 *
 * Source: IAM API Reference, GetAccountAuthorizationDetails, GetPolicy, GetPolicyVersion, "Common errors"; see also
 * `iam-roles-endpoint.ts`.
 */
export async function startIamEndpoint(account: IamAccount, pageSize = 100): Promise<IamEndpoint> {
  const server = createServer((request, response) => {
    void text(request).then(async (body) => {
      const parameters = new URLSearchParams(body);
      const action = parameters.get("Action") ?? "";
      const call = { number: endpoint.calls.length + 1, action, parameters };
      endpoint.calls.push(call);
      const refusal = await endpoint.before(call);
      if (refusal === "cut") return request.socket.destroy();
      const result = refusal ?? answer(endpoint, call);
      const isRefused = "code" in result;
      response.writeHead(isRefused ? result.status : 200, { "content-type": "text/xml" });
      return response.end(isRefused ? refused(result) : answered(action, result.result));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const endpoint: IamEndpoint = {
    url: `http://127.0.0.1:${port}`,
    account,
    pageSize,
    before: () => undefined,
    calls: [],
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return endpoint;
}

export type Answer = { readonly result: object } | Exclude<IamRefusal, "cut">;

function answer(endpoint: IamEndpoint, { action, parameters }: IamCall): Answer {
  const { account, pageSize } = endpoint;
  if (action === "GetAccountAuthorizationDetails") return { result: listed(account, pageSize, parameters) };
  if (isRoleAction(action)) return roleAnswer(endpoint, action, parameters);
  const arn = parameters.get("PolicyArn") ?? "";
  const policy = account.Policies?.find((candidate) => memberOf(candidate, "Arn") === arn);
  const missing = { status: 404, code: "NoSuchEntity", message: `Policy ${arn} was not found.` };
  if (!policy) return missing;
  if (action === "GetPolicy") {
    const { PolicyVersionList: _versions, ...Policy } = { PolicyVersionList: undefined, ...policy };
    return { result: { Policy } };
  }
  const versions = memberOf(policy, "PolicyVersionList");
  const wanted = parameters.get("VersionId");
  const PolicyVersion = (Array.isArray(versions) ? versions : []).find(
    (version: unknown) => memberOf(version, "VersionId") === wanted,
  );
  return PolicyVersion ? { result: { PolicyVersion } } : missing;
}

/** A page of what the filter lets through; the marker is the place of the next entry. */
function listed(account: IamAccount, pageSize: number, parameters: URLSearchParams): object {
  const filter = new Set(
    [...parameters].filter(([name]) => name.startsWith("Filter.member.")).map(([, value]) => value),
  );
  const isWanted = (kind: string) => filter.size === 0 || filter.has(kind);
  const isAws = (policy: object) => String(memberOf(policy, "Arn")).includes(":iam::aws:");
  const entries = (list: string, of: readonly object[] = [], kind: (entry: object) => string) =>
    of.filter((entry) => isWanted(kind(entry))).map((entry) => ({ list, entry }));
  const all = [
    ...entries("UserDetailList", account.UserDetailList, () => "User"),
    ...entries("GroupDetailList", account.GroupDetailList, () => "Group"),
    ...entries("RoleDetailList", account.RoleDetailList, () => "Role"),
    ...entries("Policies", account.Policies, (policy) =>
      isAws(policy) ? "AWSManagedPolicy" : "LocalManagedPolicy",
    ),
  ];
  const from = Number(Buffer.from(parameters.get("Marker") ?? "", "base64url").toString() || 0);
  const until = from + Math.min(pageSize, Number(parameters.get("MaxItems") ?? 100));
  const page = Object.groupBy(all.slice(from, until), ({ list }) => list);
  const lists = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"].map((list) => [
    list,
    (page[list] ?? []).map(({ entry }) => entry),
  ]);
  const isTruncated = until < all.length;
  const Marker = isTruncated ? { Marker: Buffer.from(String(until)).toString("base64url") } : {};
  return { ...Object.fromEntries(lists), IsTruncated: isTruncated, ...Marker };
}

const XMLNS = "https://iam.amazonaws.com/doc/2010-05-08/";
const METADATA = "<RequestId>00000000-0000-0000-0000-000000000000</RequestId>";

function answered(action: string, result: object): string {
  return `<${action}Response xmlns="${XMLNS}"><${action}Result>${xmlOf(result)}</${action}Result><ResponseMetadata>${METADATA}</ResponseMetadata></${action}Response>`;
}

function refused({ status, code, message }: Exclude<IamRefusal, "cut">): string {
  const Error = { Type: status < 500 ? "Sender" : "Receiver", Code: code, Message: message };
  return `<ErrorResponse xmlns="${XMLNS}">${xmlOf({ Error })}${METADATA}</ErrorResponse>`;
}

const DOCUMENTS = new Set(["PolicyDocument", "Document", "AssumeRolePolicyDocument"]);

/** An object's members as elements, a list's entries as `member`s. */
function xmlOf(value: unknown): string {
  if (Array.isArray(value)) return value.map((entry) => `<member>${xmlOf(entry)}</member>`).join("");
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return escapeXml(typeof value === "string" ? value : JSON.stringify(value));
  if (JSON.isRawJSON(value)) return escapeXml(value.rawJSON);
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => {
      const content = DOCUMENTS.has(name) ? encodeDocument(member) : member;
      return `<${name}>${xmlOf(content)}</${name}>`;
    })
    .join("");
}

/** As IAM sends it: URL-encoded by RFC 3986; one that is encoded already stays. */
function encodeDocument(document: unknown): string {
  const json = typeof document === "string" ? document : JSON.stringify(document);
  if (!json.trimStart().startsWith("{")) return json;
  return encodeURIComponent(json).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign).replaceAll("\r", "&#13;");
}
