import { parseArgs } from "node:util";
import { DescribeEvents } from "../shared/contract/describe-events.ts";
import { DescribePermissionsAt } from "../shared/contract/describe-permissions-at.ts";
import type { Event } from "../shared/model/event.ts";
import { Level } from "../shared/model/level.ts";
import { writeLine } from "./json-lines.ts";
import { type Api, readApi, signedCall } from "./signed-call.ts";

const HELP = `Answers an auditor's questions from the audit trail of a deployment.

  npm run -s audit -- who-can --stack <StackId> --level <level> [--at <time>]
      who had that level or a higher one there, users and groups: since when, by whom and why
  npm run -s audit -- changes --since <time> [--until <time>] [--stack <StackId> | --user <IamUserArn>]
      what was changed, the newest first; without a stack or a user, in the whole account
  npm run -s audit -- user <IamUserArn> [--at <time>]
      what that user had on every stack

  --url <ApiUrl>      the output of the deployment; or STACKWARDEN_URL
  --region <region>   of the deployment, where the address does not say it
  --json              one JSON object a line, as the API has it

A <time> is such as 2026-03-01T09:00:00Z or 2026-03-01, or how long ago: 90m, 12h, 7d. Credentials are found as the AWS CLI finds them, and
decide what may be asked: Manage on the stack, or a policy. It is about levels: what IAM policies and administrators may do, and who was in
which group, is not in it.
Exit code: 0, or 2 when there was no answer.
`;

const PAGE = 200;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      url: { type: "string", default: process.env.STACKWARDEN_URL ?? "" },
      region: { type: "string" },
      stack: { type: "string" },
      user: { type: "string" },
      level: { type: "string" },
      at: { type: "string" },
      since: { type: "string" },
      until: { type: "string" },
      json: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  const [question, arn, ...others] = positionals;
  if (values.help || question === undefined || others.length > 0) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  const { stack: StackId, user: IamUserArn } = values;
  const At = values.at === undefined ? {} : { At: readTime("--at", values.at) };
  const say = values.json ? writeLine : (_row: unknown, sentence: string) => writeText(sentence);
  const api = () => readApi(values.url, values.region);

  if (question === "who-can" && arn === undefined) {
    if (StackId === undefined) throw new Error("on which stack? add `--stack <StackId>`");
    const level = Level.safeParse(values.level).data;
    if (level === undefined)
      throw new Error(`which level? add \`--level\`, one of ${Level.options.join(", ")}`);
    await whoCan(api(), { StackId, ...At }, level, say);
  } else if (question === "changes" && arn === undefined) {
    if (values.since === undefined) throw new Error("since when? add `--since <time>`");
    await changes(
      api(),
      {
        StartTime: readTime("--since", values.since),
        ...(values.until === undefined ? {} : { EndTime: readTime("--until", values.until) }),
        ...(StackId === undefined ? {} : { StackId }),
        ...(IamUserArn === undefined ? {} : { IamUserArn }),
      },
      say,
    );
  } else if (question === "user" && arn !== undefined) {
    await ofUser(api(), { IamUserArn: arn, ...At }, say);
  } else {
    throw new Error("ask `who-can`, `changes` or `user <IamUserArn>`; `--help` says how");
  }
  return 0;
}

type Say = (row: unknown, sentence: string) => Promise<void>;

async function whoCan(api: Api, of: { StackId: string; At?: string }, level: Level, say: Say): Promise<void> {
  const isEnough = (row: { Level: Level }) => includes(row.Level, level);
  let NextToken: string | undefined;
  let isFirst = true;
  let count = 0;
  let at = of.At;
  do {
    const page: Paged = NextToken === undefined ? {} : { NextToken };
    const time = at === undefined ? {} : { At: at };
    const answer = await signedCall(api, DescribePermissionsAt, {
      ...of,
      ...time,
      MaxResults: PAGE,
      ...page,
    });
    // Every page is of the same moment.
    at = answer.At;
    const groups = isFirst ? (answer.GroupPermissions ?? []) : [];
    for (const row of groups.filter(isEnough)) await say(row, `group ${row.GroupName}: ${originOf(row)}`);
    for (const row of answer.Permissions.filter(isEnough))
      await say(row, `${row.IamUserArn}: ${originOf(row)}`);
    count += groups.filter(isEnough).length + answer.Permissions.filter(isEnough).length;
    isFirst = false;
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  if (count === 0) process.stderr.write(`nobody had ${level} there at ${at}\n`);
}

async function changes(api: Api, of: object, say: Say): Promise<void> {
  let NextToken: string | undefined;
  do {
    const page: Paged = NextToken === undefined ? {} : { NextToken };
    const answer = await signedCall(api, DescribeEvents, { ...of, MaxResults: PAGE, ...page });
    for (const event of answer.Events) await say(event, sentenceOf(event));
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
}

async function ofUser(api: Api, of: { IamUserArn: string; At?: string }, say: Say): Promise<void> {
  const { Permissions, At } = await signedCall(api, DescribePermissionsAt, of);
  for (const row of Permissions) {
    const login = row.AllowSudo ? ", SSH/RDP and sudo/admin" : row.AllowSsh ? ", SSH/RDP" : "";
    await say(row, `stack ${row.StackId}: ${originOf(row, login)}`);
  }
  if (Permissions.length === 0) process.stderr.write(`${of.IamUserArn} had nothing at ${At}\n`);
}

type Paged = { readonly NextToken?: string };
type Origin = { Level: Level; Since: string; By: string; Reason?: string | undefined };

/** A Deny includes nothing. */
function includes(had: Level, level: Level): boolean {
  if (had === "deny" || level === "deny") return had === level;
  return Level.options.indexOf(had) >= Level.options.indexOf(level);
}

function originOf({ Level: level, Since, By, Reason }: Origin, more = ""): string {
  return `${level}${more} since ${Since}, by ${By}${Reason === undefined ? "" : `: ${Reason}`}`;
}

function sentenceOf({
  Time,
  Operation,
  Caller,
  Reason,
  StackId,
  IamUserArn,
  GroupName,
  ...event
}: Event): string {
  const about = [
    ...(StackId === undefined ? [] : [`stack ${StackId}`]),
    ...(IamUserArn === undefined ? [] : [IamUserArn]),
    ...(GroupName === undefined ? [] : [`group ${GroupName}`]),
  ];
  const [before, after] = [event.Before, event.After].map(short);
  const change = before === undefined ? after : `${before} -> ${after ?? "gone"}`;
  const why = Reason === undefined ? "" : `: ${Reason}`;
  return `${Time} ${Operation} by ${Caller}, ${about.join(", ")}${change === undefined ? "" : ` (${change})`}${why}`;
}

const MOST = 200;

function short(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value);
  return text.length <= MOST ? text : `${text.slice(0, MOST)}...`;
}

/** What is in the trail came from callers; a terminal is to show it, not to obey it. */
async function writeText(sentence: string): Promise<void> {
  process.stdout.write(`${sentence.replaceAll(/[\p{Cc}\p{Cf}]/gu, "?")}\n`);
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function readTime(option: string, text: string): string {
  const [, count, unit = ""] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const ago = UNITS[unit];
  if (count !== undefined && ago !== undefined)
    return new Date(Date.now() - Number(count) * ago).toISOString();
  const isTime = /^\d{4}-\d\d-\d\d(?:T.*(?:Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(Date.parse(text));
  if (!isTime) throw new Error(`\`${option}\` is a time, such as 2026-03-01T09:00:00Z, or how long ago: 7d`);
  return new Date(text).toISOString();
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`audit: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
