import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { actionNames } from "../../shared/decision/levels.ts";
import type { DocumentKind } from "../../shared/iam/document.ts";
import { ERROR_CODES } from "../../shared/iam/finding.ts";
import { InvalidPolicy } from "../../shared/iam/invalid-policy.ts";
import { MAX_POLICY_LENGTH, parsePolicy } from "../../shared/iam/policy.ts";
import { lengthToIam } from "../../shared/iam/quotas.ts";
import { validatePolicy } from "../../shared/iam/validate.ts";
import { WARNING_CODES } from "../../shared/iam/warnings.ts";

const catalogue = actionNames();
const validate = (text: string, kind: DocumentKind = "identity") => validatePolicy(text, kind, { catalogue });
const briefly = (text: string, kind?: DocumentKind) =>
  validate(text, kind).map(({ code, path }) => `${code} ${path}`);

const document = (elements: string) => `{"Version": "2012-10-17", "Statement": {${elements}}}`;
const allow = (rest: string) => document(`"Effect": "Allow", ${rest}`);
const when = (condition: string, action = "s3:*") =>
  allow(`"Action": "${action}", "Resource": "*", "Condition": ${condition}`);
const trust = (rest: string) => allow(`"Action": "sts:AssumeRole", ${rest}`);
const STATEMENT = `{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}`;
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const STACK = "arn:aws:opsworks:us-east-1:123456789012:stack/2f18b4cb";

/** Of so many characters, as IAM counts them. */
function sized(length: number, rest: string): string {
  const text = (sid: string) => allow(`"Sid": "${sid}", ${rest}`);
  return text("a".repeat(length - lengthToIam(text(""))));
}

type Row = readonly [text: string, ...found: string[]];

const ERRORS: readonly Row[] = [
  ["", "not-json $"],
  [`{"Statement": ${STATEMENT},}`, "not-json $"],
  [allow(`"Action": "s3:*", "Resource": "*"`).padEnd(MAX_POLICY_LENGTH + 1), "too-long $"],
  [allow(`"Action": "${"a".repeat(10_000_000)}"`), "too-long $"],
  [nested(25), "too-deep $"],
  [nested(10_000), "too-deep $"],
  [nested(100_000), "too-deep $"],
  [`null`, "wrong-type $"],
  [`[${STATEMENT}]`, "wrong-type $"],
  [`"jane"`, "wrong-type $"],
  [JSON.stringify(` ${document("")}`), "wrong-type $"],
  [`{"Version": "2012-10-17"}`, "missing-element $"],
  [`{"Version": "2012-10-17", "Statement": []}`, "empty-list $.Statement"],
  [`{"Version": "2012-10-17", "Statement": null}`, "wrong-type $.Statement"],
  [
    `{"Version": "2012-10-17", "Statement": [1, ${STATEMENT}, null]}`,
    "wrong-type $.Statement[0]",
    "wrong-type $.Statement[2]",
  ],
  [`{"Version": "2012-10-18", "Statement": ${STATEMENT}}`, "unknown-version $.Version"],
  [`{"Version": "2012-10-17", "Id": 1, "Statement": ${STATEMENT}}`, "wrong-type $.Id"],
  [
    `{"Version": "2012-10-17", "statement": ${STATEMENT}}`,
    "unknown-element $.statement",
    "missing-element $",
  ],
  [
    `{"Version": "2012-10-17", "Statement": [${`${STATEMENT},`.repeat(1000)}${STATEMENT}]}`,
    "too-many-statements $.Statement",
    "over-identity-quota $",
  ],
  [allow(`"Action": "s3:*", "Resource": "*", "Comment": ""`), "unknown-element $.Statement.Comment"],
  [allow(`"Action": "s3:*", "Resource": "*", "Principal": "*"`), "misplaced-element $.Statement.Principal"],
  [
    allow(`"Action": "s3:*", "Resource": "*", "NotPrincipal": "*"`),
    "misplaced-element $.Statement.NotPrincipal",
  ],
  [document(`"Action": "s3:*", "Resource": "*"`), "missing-element $.Statement.Effect"],
  [document(`"Effect": "allow", "Action": "s3:*", "Resource": "*"`), "invalid-effect $.Statement.Effect"],
  [document(`"Effect": ["Deny"], "Action": "s3:*", "Resource": "*"`), "invalid-effect $.Statement.Effect"],
  [allow(`"Effect": "Deny", "Action": "s3:*", "Resource": "*"`), "duplicate-key $.Statement.Effect"],
  [
    document(`"Effect": "Deny", "Effect": "Deny", "Effect": "Deny", "Action": "s3:*", "Resource": "*"`),
    "duplicate-key $.Statement.Effect",
  ],
  [allow(`"Sid": "a-b", "Action": "s3:*", "Resource": "*"`), "invalid-sid $.Statement.Sid"],
  [
    `{"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}, {"Sid": "A", "Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}`,
    "duplicate-sid $.Statement[1].Sid",
  ],
  [allow(`"Resource": "*"`), "missing-element $.Statement"],
  [allow(`"Action": "s3:*"`), "missing-element $.Statement"],
  [
    allow(`"Resource": "*", "Condition": {"Null": {"aws:TokenIssueTime": "true"}}`),
    "missing-element $.Statement",
  ],
  [allow(`"Action": "s3:*", "NotAction": "s3:*", "Resource": "*"`), "conflicting-elements $.Statement"],
  [allow(`"Action": "s3:*", "NotResource": "*", "Resource": "*"`), "conflicting-elements $.Statement"],
  [allow(`"Action": [], "Resource": []`), "empty-list $.Statement.Action", "empty-list $.Statement.Resource"],
  [
    allow(`"Action": ["s3:*", 1], "Resource": null`),
    "wrong-type $.Statement.Action[1]",
    "wrong-type $.Statement.Resource",
  ],
  [
    allow(`"Action": ["s3:*", "s3", "ops*:*", "s3:\u0100"], "Resource": "*"`),
    "invalid-character $.Statement.Action[3]",
    "invalid-action $.Statement.Action[1]",
    "service-wildcard $.Statement.Action[2]",
  ],
  [
    allow(`"Action": ["s3:Get*:Object", "s3:@", "*:Get", "s*x:Get", "opsworks:@"], "Resource": "*"`),
    "invalid-action $.Statement.Action[0]",
    "invalid-action $.Statement.Action[1]",
    "service-wildcard $.Statement.Action[2]",
    "service-wildcard $.Statement.Action[3]",
    "invalid-action $.Statement.Action[4]",
    "unknown-action $.Statement.Action[4]",
  ],
  [
    allow(`"Action": "iam:PassRole", "Resource": ["bucket", "arn:aws:iam"]`),
    "invalid-arn $.Statement.Resource[0]",
    "short-arn $.Statement.Resource[1]",
  ],
  [
    allow(
      `"Action": "s3:*", "Resource": ["bucket", "arn:aws:s3", "arn:aws:iam:eu-west-1::role/a", "arn:aws:s3:::\${a"]`,
    ),
    "invalid-arn $.Statement.Resource[0]",
    "short-arn $.Statement.Resource[1]",
    "region-in-iam-arn $.Statement.Resource[2]",
    "invalid-variable $.Statement.Resource[3]",
  ],
  [when(`null`), "wrong-type $.Statement.Condition"],
  [when(`{"Bool": null}`), "wrong-type $.Statement.Condition.Bool"],
  [
    when(`{"StringEqual": {"s3:a": "b"}, "bool": {"s3:a": null}}`),
    "unknown-operator $.Statement.Condition.StringEqual",
    "unknown-operator $.Statement.Condition.bool",
    `wrong-type $.Statement.Condition.bool["s3:a"]`,
  ],
  [when(`{"NullIfExists": {"s3:a": "true"}}`), "null-if-exists $.Statement.Condition.NullIfExists"],
  [when(`{"Bool": {"s3:a": "true"}, "Bool": {"s3:a": "true"}}`), "duplicate-key $.Statement.Condition.Bool"],
  [when(`{"Bool": {"s3:a": "true", "s3:a": "false"}}`), `duplicate-key $.Statement.Condition.Bool["s3:a"]`],
  [when(`{"Bool": {"s3:a": "true", "s3:A": "false"}}`), `duplicate-key $.Statement.Condition.Bool["s3:A"]`],
  [when(`{"Bool": {"": "true"}}`), `empty-key $.Statement.Condition.Bool[""]`],
  [
    when(`{"Bool": {"s3:a": [], "s3:b": null, "s3:c": ["true", {}]}}`),
    `empty-list $.Statement.Condition.Bool["s3:a"]`,
    `wrong-type $.Statement.Condition.Bool["s3:b"]`,
    `wrong-type $.Statement.Condition.Bool["s3:c"][1]`,
  ],
  [
    `{"Version": "2012-10-17", "__proto__": {"Statement": []}, "Statement": ${STATEMENT}}`,
    "unsafe-key $.__proto__",
  ],
  [
    when(`{"Bool": {"__proto__": "true", "constructor": ["a"]}}`),
    "unsafe-key $.Statement.Condition.Bool.__proto__",
    "unsafe-key $.Statement.Condition.Bool.constructor",
  ],
  [
    when(`{"StringLike": {"s3:a": ["\${aws:username", "\${}"]}}`),
    `invalid-variable $.Statement.Condition.StringLike["s3:a"][0]`,
    `invalid-variable $.Statement.Condition.StringLike["s3:a"][1]`,
  ],
  ...["Bool", "NumericEquals", "DateLessThan", "IpAddress", "BinaryEquals", "Null"].map(
    (operator): Row => [
      when(`{"${operator}": {"s3:a": "\${aws:username}"}}`),
      `variable-not-allowed $.Statement.Condition.${operator}["s3:a"]`,
    ],
  ),
  [
    when(`{"NumericEquals": {"s3:a": ["1e3", 1e3, "3600abc", "1"]}}`),
    ...[0, 1, 2].map((at) => `invalid-number $.Statement.Condition.NumericEquals["s3:a"][${at}]`),
  ],
  [
    when(`{"DateLessThan": {"s3:a": ["tomorrow", "2024-02-30", "2024-05-26T25:00:00Z"]}}`),
    ...[0, 1, 2].map((at) => `invalid-date $.Statement.Condition.DateLessThan["s3:a"][${at}]`),
  ],
  [
    when(`{"Bool": {"s3:a": "yes"}, "Null": {"s3:a": 1}}`),
    `invalid-boolean $.Statement.Condition.Bool["s3:a"]`,
    `invalid-boolean $.Statement.Condition.Null["s3:a"]`,
  ],
  [when(`{"BinaryEquals": {"s3:a": "a"}}`), `invalid-binary $.Statement.Condition.BinaryEquals["s3:a"]`],
  [
    when(`{"IpAddress": {"s3:a": ["10.0.0.0/99", "10.0.0", "::g"]}}`),
    ...[0, 1, 2].map((at) => `invalid-ip $.Statement.Condition.IpAddress["s3:a"][${at}]`),
  ],
  [
    when(
      `{"ArnLike": {"s3:a": ["jane", "arn:aws:iam", "*barn:aws:s3:::b", "*:aws:s3:::b", "arn:aws:iam:*x::user/a", "arn\${aws:username}:aws:s3:::b"]}}`,
    ),
    `invalid-arn $.Statement.Condition.ArnLike["s3:a"][0]`,
    `short-arn $.Statement.Condition.ArnLike["s3:a"][1]`,
    `invalid-arn $.Statement.Condition.ArnLike["s3:a"][2]`,
    `invalid-arn $.Statement.Condition.ArnLike["s3:a"][3]`,
    `region-in-iam-arn $.Statement.Condition.ArnLike["s3:a"][4]`,
    `invalid-arn $.Statement.Condition.ArnLike["s3:a"][5]`,
  ],
  [
    when(`{"ArnEquals": {"s3:a": "arn:aws:iam:us-east-1:123456789012:user/a"}}`),
    `region-in-iam-arn $.Statement.Condition.ArnEquals["s3:a"]`,
  ],
  [
    allow(`"Action": [${Array(1001).fill("1").join(",")}], "Resource": "*"`),
    ...Array.from({ length: 1000 }, (_, at) => `wrong-type $.Statement.Action[${at}]`),
    "too-many-errors $",
  ],
];

const TRUST_ERRORS: readonly Row[] = [
  [
    trust(`"Principal": {"Service": "ec2.amazonaws.com"}, "Resource": "*"`),
    "misplaced-element $.Statement.Resource",
  ],
  [trust(`"Principal": "*", "NotResource": "*"`), "misplaced-element $.Statement.NotResource"],
  [trust(`"Sid": ""`), "missing-element $.Statement"],
  [trust(`"Principal": "*", "NotPrincipal": "*"`), "conflicting-elements $.Statement"],
  ...[`"jane"`, `["*"]`, `null`].map(
    (principal): Row => [trust(`"Principal": ${principal}`), "wrong-type $.Statement.Principal"],
  ),
  [trust(`"Principal": {}`), "empty-list $.Statement.Principal"],
  [trust(`"Principal": {"constructor": "*"}`), "unsafe-key $.Statement.Principal.constructor"],
  [
    trust(`"Principal": {"Service": [], "User": "a"}`),
    "unknown-element $.Statement.Principal.User",
    "empty-list $.Statement.Principal.Service",
  ],
  [
    trust(`"Principal": {"AWS": ["jane", "arn:aws:iam::123456789012:user/*", "1234"], "Service": "*"}`),
    ...[0, 1, 2].map((at) => `invalid-principal $.Statement.Principal.AWS[${at}]`),
    "invalid-principal $.Statement.Principal.Service",
  ],
  [
    trust(
      `"Principal": {"AWS": ["A", "aidacexample00000000", "arn:aws:iam::cloudfront:user/*"], "Service": ["*.amazonaws.com", "ec2.*"]}`,
    ),
    ...[0, 1, 2].map((at) => `invalid-principal $.Statement.Principal.AWS[${at}]`),
    ...[0, 1].map((at) => `invalid-principal $.Statement.Principal.Service[${at}]`),
  ],
  [
    trust(`"Principal": "*", "Condition": {"Bool": {"s3:a": "yes"}}`),
    `invalid-boolean $.Statement.Condition.Bool["s3:a"]`,
  ],
  [
    trust(`"Principal": {"AWS": [${Array(200).fill(`"arn:aws:iam::123456789012:user/somebody"`).join()}]}`),
    "over-trust-quota $",
  ],
];

const WARNINGS: readonly Row[] = [
  [`{"Statement": ${STATEMENT}}`, "no-version $"],
  [allow(`"Action": [${Array(1000).fill(`"s3:*"`).join()}], "Resource": "*"`), "over-identity-quota $"],
  [when(`{}`), "empty-condition $.Statement.Condition"],
  [when(`{"Bool": {}}`), "empty-condition $.Statement.Condition.Bool"],
  [
    when(`{"StringEquals": {"aws:Unheard": "b", "aws:PrincipalTag": "c"}}`),
    `unknown-aws-key $.Statement.Condition.StringEquals["aws:Unheard"]`,
    `unknown-aws-key $.Statement.Condition.StringEquals["aws:PrincipalTag"]`,
  ],
  [
    when(`{"StringEquals": {"aws:": "b", " aws:Unheard": "c"}}`),
    `blank $.Statement.Condition.StringEquals[" aws:Unheard"]`,
    `unknown-aws-key $.Statement.Condition.StringEquals["aws:"]`,
    `unknown-aws-key $.Statement.Condition.StringEquals[" aws:Unheard"]`,
  ],
  [when(`{"StringEquals": {"username": "jane"}}`), "unknown-key $.Statement.Condition.StringEquals.username"],
  [
    when(`{"ForAnyValue:StringEquals": {"aws:username": "jane"}}`),
    `set-operator-on-single-value $.Statement.Condition["ForAnyValue:StringEquals"]["aws:username"]`,
  ],
  [
    when(`{"ForAllValues:StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}`, "iam:PassRole"),
    `set-operator-on-single-value $.Statement.Condition["ForAllValues:StringEquals"]["iam:PassedToService"]`,
  ],
  [
    when(`{"StringEquals": {"aws:TagKeys": "a"}}`),
    `no-set-operator $.Statement.Condition.StringEquals["aws:TagKeys"]`,
  ],
  [
    when(`{"DateLessThan": {"aws:CurrentTime": ["2024-05-26T12:00:00", "2024-05-26"]}}`),
    ...[0, 1].map((at) => `date-without-zone $.Statement.Condition.DateLessThan["aws:CurrentTime"][${at}]`),
  ],
  [
    when(`{"DateLessThan": {"aws:CurrentTime": ["2030", 1716724800]}}`),
    `year-as-seconds $.Statement.Condition.DateLessThan["aws:CurrentTime"][0]`,
  ],
  [
    when(`{"NotIpAddress": {"aws:SourceIp": ["10.1.2.3/8", "2001:db8::1/64"]}}`),
    ...[0, 1].map((at) => `host-bits $.Statement.Condition.NotIpAddress["aws:SourceIp"][${at}]`),
  ],
  ...[
    `"Action": "opsworks:*"`,
    `"Action": "*"`,
    `"Action": "*:*"`,
    `"Action": ["s3:*", "OpsWorks:DescribeStacks"]`,
    `"NotAction": "s3:*"`,
    `"NotAction": "opsworks:*Stack"`,
  ].map(
    (action): Row => [
      allow(`${action}, "Resource": "*", "Condition": {"Null": {"aws:TokenIssueTime": "true"}}`),
      `token-issue-time $.Statement.Condition.Null["aws:TokenIssueTime"]`,
    ],
  ),
  [
    when(`{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}`, "ec2:*"),
    `passed-to-service $.Statement.Condition.StringEquals["iam:PassedToService"]`,
  ],
  [
    allow(
      `"Action": ["iam:PassRole", "ec2:*"], "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}`,
    ),
    `passed-to-service $.Statement.Condition.StringEquals["iam:PassedToService"]`,
  ],
  [
    allow(`"Action": "iam:PassRole", "Resource": ["${STACK}/", "arn:aws:iam::123456789012:role/a"]`),
    "pass-role-on-no-role $.Statement.Resource[0]",
  ],
  [
    allow(
      `"Action": "iam:PassRole", "Resource": ["arn:aws:iam::123456789012:role", "arn:aws:iam::123456789012:rule*", "arn:aws:i::123456789012:role/a", "arn:aws:s3:::role/a"]`,
    ),
    ...[0, 1, 2, 3].map((at) => `pass-role-on-no-role $.Statement.Resource[${at}]`),
  ],
  [
    allow(`"Action": ["iam:passrole", "opsworks:*"], "Resource": "${STACK}/"`),
    "pass-role-on-no-role $.Statement.Resource",
  ],
  [
    allow(
      `"Action": "opsworks:*", "Resource": ["${STACK}", "${STACK}/", "arn:aws:opsworks:*:*:stack/*", "arn:aws:opsworks:*:*:stack/"]`,
    ),
    ...[0, 3].map((at) => `stack-arn-without-slash $.Statement.Resource[${at}]`),
  ],
  [
    allow(
      `"Action": ["opsworks:LaunchRocket", "OPSWORKS:describe*", "opsworks:Descrobe*", "stackwarden:Fly", "s3:Fly"], "Resource": "*"`,
    ),
    ...[0, 2, 3].map((at) => `unknown-action $.Statement.Action[${at}]`),
  ],
  [
    document(
      `"Effect": "Deny", "Action": ["iam:PassRole ", "s3:Get Object", "s3:*", "opsworks:DescribeStacks "], "Resource": ["*", "arn:aws:s3:::a b\\t"]`,
    ),
    ...[0, 1, 3].map((at) => `blank $.Statement.Action[${at}]`),
    "blank $.Statement.Resource[1]",
  ],
  [
    when(`{"StringEquals": {" s3:prefix": "a", "aws:username ": "b", "aws:ResourceTag/Cost Center": "c"}}`),
    `blank $.Statement.Condition.StringEquals[" s3:prefix"]`,
    `blank $.Statement.Condition.StringEquals["aws:username "]`,
  ],
];

const TRUST_WARNINGS: readonly Row[] = [
  [
    allow(`"Action": ["s3:GetObject", "sts:AssumeRole", "STS:*", "*"], "Principal": "*"`),
    "action-not-of-sts $.Statement.Action[0]",
  ],
];

const MESSAGES: readonly (readonly [text: string, said: string, kind?: DocumentKind])[] = [
  [`\ufeff{}`, "begins with a byte order mark (U+FEFF), so remove it"],
  [`{"Version":\u00a01}`, "U+00A0"],
  [`{"a":\u200b1}`, "U+200B"],
  [`{"a":\r\n\t x}`, `"{"a": x}"`],
  [JSON.stringify(` ${document("")}`), "encoded twice"],
  [`"jane"`, "must be an object"],
  [`{"statement": []}`, "is not known here, so write it `Statement`"],
  [allow(`"Action": "s3:*", "Resources": "*"`), "is not known here, so write it `Resource`"],
  [allow(`"Action ": "s3:*"`), "is not known here, so write it `Action`"],
  [allow(`"Action": "s3:*", "Principal": "*"`), "must be removed: it belongs in a role's trust policy"],
  [trust(`"Resource": "*"`), "must be removed: it belongs in an identity policy", "trust"],
  [allow(`"Action": "s3:*", "Comment": "*"`), "is not known here, so use one of the elements Sid, Effect"],
  [allow(`"Action": "s3:*"`), "has neither `Resource` nor `NotResource`, so add one"],
  [allow(`"Action": "*", "NotAction": "*"`), "has both `Action` and `NotAction`, so remove one"],
  [allow(`"Action": "s3:\u200bGet"`), "has U+200B as character 4, so replace it"],
  [allow(`"Action": "\u{1f600}"`), "has U+1F600 as character 1, so replace it"],
  [allow(`"Action": "*", "Resource": "bucket"`), "must be `*` or an ARN: `bucket`"],
  [allow(`"Action": "*", "Resource": "arn*:a"`), "must be `*` or an ARN: `arn*:a`"],
  [allow(`"Action": "*", "Resource": "arn\${a}:aws:s3:::b"`), "must be `*` or an ARN: `arn${a}:aws:s3:::b`"],
  [when(`{"ArnLike": {"aws:PrincipalArn": "bob"}}`), "must begin with `arn:`: `bob`"],
  [when(`{"ArnLike": {"aws:PrincipalArn": "arn:aws"}}`), "or end in `*`: `arn:aws`"],
  [when(`{"stringequal": {}}`), "`stringequal` is no condition operator, so write it `StringEquals`"],
  [when(`{"forAnyValues:StringLikeifExist": {}}`), "so write it `ForAnyValue:StringLikeIfExists`"],
  [when(`{" ForAllValue:stringlike": {}}`), "so write it `ForAllValues:StringLike`"],
  [when(`{"ForAllValues:null": {}}`), "so write it `ForAllValues:Null`"],
  [when(`{"ForAnyValue:NullIfExist": {}}`), "is no condition operator, so use one of IAM's"],
  [when(`{"StringMatches": {}}`), "`StringMatches` is no condition operator, so use one of IAM's"],
  [allow(`"Action": "OPSWORKS:Fly", "Resource": "*"`), "`OPSWORKS:Fly` is no action of `opsworks`, so"],
  [
    allow(`"Action": "s3:Get", "Principal": "*"`),
    "`s3:Get` is no action of `sts`, and IAM takes no other in a trust policy, so name one such as `sts:AssumeRole`",
    "trust",
  ],
  [
    trust(`"Principal": {"AWS": "jane"}`),
    "must be `*`, an account's 12 digits, or an ARN of IAM or STS: `jane`",
    "trust",
  ],
  [trust(`"Principal": {"Service": "*"}`), "must be a service's name: `*`", "trust"],
  [
    sized(6_145, `"Action": "s3:*", "Resource": "*"`),
    "has 6145 characters without white space, so split it before IAM gets it (its quotas: managed policy 6,144; inline policies of a user 2,048, group 5,120, role 10,240; session policy 2,048)",
  ],
  [
    sized(2_049, `"Action": "sts:AssumeRole", "Principal": "*"`),
    "has 2049 characters without white space, so shorten it to 2048",
    "trust",
  ],
];

const QUIET: readonly string[] = [
  allow(`"Action": "iam:PassRole", "Resource": ["arn:*", "arn:aw*", "arn:aws:iam::*"]`),
  allow(
    `"Action": "iam:PassRole", "Resource": ["arn:aws:i*:*:*:role/*", "arn:aws:iam::123456789012:ro*", "arn:aws:iam::123456789012:role/\${aws:username}"]`,
  ),
  allow(`"Action": "iam:*", "Resource": "${STACK}/"`),
  allow(`"Action": "s3:*", "Resource": "arn:aws:s3:::logs/${STACK}"`),
  allow(`"Action": ["opsworks:*", "iam:PassRole"], "Resource": "*"`),
  allow(
    `"Action": "iam:PassRole", "Resource": ["*", "arn:aws:iam::*:role/*", "arn:aws:iam::123456789012:*"]`,
  ),
  allow(
    `"Action": ["ec2:*", "iam:PassRole"], "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:iam::*:role/a"]`,
  ),
  when(`{"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}`, "iam:PassRole"),
  when(`{"Null": {"iam:PassedToService": "false"}}`, "ec2:*"),
  when(`{"StringEqualsIfExists": {"iam:PassedToService": "ec2.amazonaws.com"}}`, "iam:*"),
  when(
    `{"ForAllValues:StringEquals": {"aws:TagKeys": "a", "ec2:Anything": "b"}, "Null": {"aws:TagKeys": "false"}}`,
  ),
  when(
    `{"DateLessThan": {"aws:CurrentTime": ["2024-05-26T12:00:00Z", "2024-05-26T12:00:00+02:00", 1716724800]}}`,
  ),
  when(
    `{"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "::ffff:10.0.0.0/104"]}}`,
  ),
  when(`{"StringEquals": {"laws:key": ["2030", "2024-05-26", "10.1.2.3/8"]}}`),
  when(`{"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-a1b2c3d4e5/*"}}`),
  ...[`"Action": "s3:*"`, `"NotAction": "opsworks:*"`, `"NotAction": ["s3:*", "OpsWorks:**"]`].map((action) =>
    allow(
      `${action}, "Resource": "*", "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2024-05-26T12:00:00Z"}}`,
    ),
  ),
  when(`{"StringEquals": {"aws:username": "jane"}}`, "opsworks:*"),
  when(`{"StringEquals": {"aws:ResourceTag/team": "\${aws:PrincipalTag/team, ''}", "AWS:userid": "a"}}`),
];

describe("everything that is to be said of a document", () => {
  const rows = (list: readonly Row[]) =>
    list.map(([text, ...found]) => ({ name: text.slice(0, 160), text, found }));

  test.each(rows(ERRORS))("an identity policy is refused: $name", ({ text, found }) => {
    expect(briefly(text)).toEqual(found);
  });

  test.each(rows(TRUST_ERRORS))("a trust policy is refused: $name", ({ text, found }) => {
    expect(briefly(text, "trust")).toEqual(found);
  });

  test.each(rows(WARNINGS))("a warning refuses nothing: $name", ({ text, found }) => {
    expect(briefly(text)).toEqual(found);
    expect(validate(text).map(({ severity }) => severity)).toEqual(found.map(() => "warning"));
    expect(() => parsePolicy(text)).not.toThrow();
  });

  test.each(rows(TRUST_WARNINGS))("a warning refuses no trust policy: $name", ({ text, found }) => {
    expect(briefly(text, "trust")).toEqual(found);
    expect(validate(text, "trust").map(({ severity }) => severity)).toEqual(found.map(() => "warning"));
  });

  test.each(MESSAGES.map(([text, said, kind]) => ({ text, said, kind })))(
    "a message says what is meant: $text",
    ({ text, said, kind }) => {
      expect(validate(text, kind).map(({ message }) => message)).toContainEqual(
        expect.stringContaining(said),
      );
    },
  );

  test.each(QUIET)("nothing is said of %s", (text) => {
    expect(validate(text)).toEqual([]);
  });

  test.each([
    trust(
      `"Principal": {"Service": "ec2.amazonaws.com", "AWS": ["123456789012", "arn:aws:iam::123456789012:root", "*"]}`,
    ),
    trust(
      `"NotPrincipal": {"AWS": "arn:aws:sts::123456789012:assumed-role/a/b", "Federated": "cognito-identity.amazonaws.com"}`,
    ),
    `{"Version": "2008-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Principal": {"Service": "opsworks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`,
    trust(
      `"Principal": {"AWS": ["AIDACKCEVSQ6C2EXAMPLE", "arn:aws-cn:iam::cloudfront:user/CloudFront E1"], "CanonicalUser": "79a59df900b949e5"}`,
    ),
    sized(2_048, `"Action": "sts:AssumeRole", "Principal": "*"`),
  ])("nothing is said of the trust policy %s", (text) => {
    expect(validate(text, "trust")).toEqual([]);
  });

  test("faults all over a document come at once, and warnings with them", () => {
    const text = `{"Statement": [{"Effect": "deny", "Sid": "a b", "Action": "s3", "Resource": "x", "Condition": {"Bool": {"s3:a": 3}}},
      {"Effect": "Allow", "NotAction": "*", "Resource": "*", "Condition": {}}]}`;
    expect(briefly(text)).toEqual([
      "invalid-effect $.Statement[0].Effect",
      "invalid-sid $.Statement[0].Sid",
      "invalid-action $.Statement[0].Action",
      "invalid-arn $.Statement[0].Resource",
      `invalid-boolean $.Statement[0].Condition.Bool["s3:a"]`,
      "no-version $",
      "empty-condition $.Statement[1].Condition",
    ]);
  });

  test.each(ERRORS.map(([text]) => ({ name: text.slice(0, 160), text })))(
    "the evaluator refuses it with the first of them: $name",
    ({ text }) => {
      const errors = validate(text).filter(({ severity }) => severity === "error");
      const thrown = refusalOf(text);
      const [first] = errors.map(({ code, path, message }) => `${code} ${path}: ${message}`);
      expect(first).toBe(`${thrown?.code} ${thrown?.message}`);
    },
  );

  test("a policy that IAM has accepted is measured by nothing but what can be evaluated", () => {
    const [large] = TRUST_ERRORS.at(-1) ?? [""];
    const odd = trust(`"Principal": {"AWS": "arn:aws:iam::123456789012:user/*"}`);
    for (const text of [large, odd]) expect(validatePolicy(text, "trust", { isAccepted: true })).toEqual([]);
    const [long] = WARNINGS[1] ?? [""];
    expect(validatePolicy(long, "identity", { isAccepted: true })).toEqual([]);
  });

  test.each([
    [`{}`, 2],
    [` {\t}\r\n`, 2],
    [`{ "a b": " " }`, 11],
    [`[ "\\" ", "\\\\" , "" ]`, 15],
  ])("white space outside texts is not counted: %j", (text, length) => {
    expect(lengthToIam(text)).toBe(length);
  });

  test("as many characters as IAM takes are not too many, and white space between them is none", () => {
    expect(validate(sized(6_144, `"Action": "s3:*",${" ".repeat(99)}\n"Resource": "*"`))).toEqual([]);
  });

  test("a message and a path are bounded, whatever the document quotes", () => {
    const long = "x".repeat(5_000);
    for (const condition of [
      `{"${long}": {"s3:a": "b"}}`,
      `{"Bool": {"${long}": "b"}}`,
      `{"Bool": {"aws:${long}": "b"}}`,
      `{"Bool": {"s3:a": "${long}"}}`,
      `{"StringLike": {"s3:a": "\${${long}"}}`,
    ]) {
      for (const { path, message } of validate(when(condition))) {
        expect(path.length).toBeLessThan(200);
        expect(message.length).toBeLessThan(250);
      }
      expect(refusalOf(when(condition))?.message.length).toBeLessThan(400);
    }
    for (const [name, quoted, member] of [
      ["x".repeat(80), "x".repeat(80), `.${"x".repeat(80)}`],
      ["x".repeat(81), `${"x".repeat(80)}…`, `["${"x".repeat(80)}…"]`],
    ] as const) {
      const [finding] = validate(when(`{"StringEquals": {"${name}": "b"}}`));
      expect(finding?.path).toBe(`$.Statement.Condition.StringEquals${member}`);
      expect(finding?.message).toContain(`\`${quoted}\` is no condition key`);
    }
    const sid = `{"Sid": "${long}", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}`;
    expect(refusalOf(`{"Statement": [${sid}, ${sid}]}`)?.message.length).toBeLessThan(400);
  });

  test("an error that nobody foresaw is no finding", () => {
    const options = {
      get catalogue(): never {
        throw new TypeError("unforeseen");
      },
    };
    expect(() => validatePolicy(allow(`"Action": "s3:*", "Resource": "*"`), "identity", options)).toThrow(
      "unforeseen",
    );
  });

  test("every message is one sentence that begins small and ends without a stop", () => {
    for (const [text] of [...ERRORS, ...WARNINGS, [`{"a":\n x}`]]) {
      for (const { message } of validate(text)) {
        expect(message).toMatch(/^[a-z`]/);
        expect(message).not.toMatch(/\.$|\. [A-Z]|\n/);
      }
    }
  });
});

describe("the table of codes", () => {
  const table = [
    ...readFileSync(new URL("../../docs/policy-findings.md", import.meta.url), "utf8").matchAll(
      /^\| `([a-z-]+)`(?: \*)? \| (error|warning) \|/gm,
    ),
  ].map(([, code, severity]) => `${severity} ${code}`);

  test("is that of the code", () => {
    const coded = [
      ...ERROR_CODES.map((code) => `error ${code}`),
      ...WARNING_CODES.map((code) => `warning ${code}`),
    ];
    expect(table).toEqual(coded);
  });

  test("has an example here of each", () => {
    const shown = [...ERRORS, ...TRUST_ERRORS, ...WARNINGS, ...TRUST_WARNINGS].flatMap(([, ...found]) =>
      found.map((finding) => finding.split(" ")[0]),
    );
    expect(new Set(shown)).toEqual(new Set([...ERROR_CODES, ...WARNING_CODES]));
  });
});

function refusalOf(text: string): InvalidPolicy | undefined {
  try {
    parsePolicy(text);
    return undefined;
  } catch (error) {
    if (error instanceof InvalidPolicy) return error;
    throw error;
  }
}
