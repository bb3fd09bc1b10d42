import { describe, expect, test } from "vitest";
import { splitArn } from "../../shared/iam/arn.ts";
import { Context } from "../../shared/iam/context.ts";
import { readDocument } from "../../shared/iam/document.ts";
import { readJson } from "../../shared/iam/json.ts";
import { compileDocument } from "../../shared/iam/policy.ts";
import { mayAssume, namesOnlyServices, namesService } from "../../shared/iam/trust.ts";

const EC2 = "ec2.amazonaws.com";
const OPSWORKS = "opsworks.amazonaws.com";

/** With a Version, so that the seeds' documents can be told apart from these. */
function trust(statement: string): string {
  return `{"Version": "2012-10-17", "Statement": [${statement}]}`;
}

function names(text: string, service: string): boolean {
  return namesService(readJson(text, 100_000), [service]);
}

function assume(principal: string, rest = `"Effect": "Allow", "Action": "sts:AssumeRole"`): string {
  return trust(`{${rest}, "Principal": ${principal}}`);
}

describe("a role's trust policy names a service", () => {
  test.each([
    [
      "the instance profile of the User Guide",
      `{"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`,
      [EC2],
    ],
    [
      "the instance profile of seed 000, with the name it lost",
      `{ "Version": "2008-10-17", "Statement": [ { "Sid": "", "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" } ] }`,
      [EC2],
    ],
    [
      "the instance profile of seed 000 as it is printed, which names nobody",
      `{ "Version": "2008-10-17", "Statement": [ { "Sid": "", "Effect": "Allow", "Principal": { "Service": "" }, "Action": "sts:AssumeRole" } ] }`,
      [],
    ],
    [
      "the CloudFormation example of seed 000, without a Version and with lists",
      `{ "Statement": [ { "Effect": "Allow", "Principal": { "Service": [ "ec2.amazonaws.com" ] }, "Action": [ "sts:AssumeRole" ] } ] }`,
      [EC2],
    ],
    [
      "the CloudFormation example of seed 000 as it is printed",
      `{ "Statement": [ { "Effect": "Allow", "Principal": { "Service": [ "" ] }, "Action": [ "sts:AssumeRole" ] } ] }`,
      [],
    ],
    [
      "the service role of the User Guide",
      `{"Version": "2012-10-17", "Statement": [{"Sid": "StsAssumeRole", "Effect": "Allow", "Principal": {"Service": "opsworks.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`,
      [OPSWORKS],
    ],
    [
      "the confused-deputy example for a region",
      `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "opsworks.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnEquals": {"aws:SourceArn": "arn:aws:opsworks:us-east-2:123456789012:stack/*"}}}]}`,
      [OPSWORKS],
    ],
    [
      "the confused-deputy example for two stacks",
      `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "opsworks.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnEquals": {"aws:SourceArn": ["arn:aws:opsworks:us-east-2:123456789012:stack/unique_ID1", "arn:aws:opsworks:us-east-2:123456789012:stack/unique_ID2"]}}}]}`,
      [OPSWORKS],
    ],
    ["several services", assume(`{"Service": ["${OPSWORKS}", "${EC2}"]}`), [EC2, OPSWORKS]],
    ["everybody", assume(`"*"`), [EC2, OPSWORKS]],
    ["everybody, as AWS", assume(`{"AWS": "*"}`), [EC2, OPSWORKS]],
    ["everybody beside an account", assume(`{"AWS": ["123456789012", "*"]}`), [EC2, OPSWORKS]],
    ["any provider", assume(`{"Federated": "*"}`), []],
    ["an account", assume(`{"AWS": "123456789012"}`), []],
    ["an account of that name", assume(`{"AWS": "${EC2}"}`), []],
    ["a provider of that name", assume(`{"Federated": "${EC2}"}`), []],
    ["an account beside a service", assume(`{"AWS": "123456789012", "Service": "${EC2}"}`), [EC2]],
    ["a name in another case", assume(`{"Service": "EC2.amazonaws.com"}`), []],
    ["a Deny", assume(`{"Service": "${EC2}"}`, `"Effect": "Deny", "Action": "sts:AssumeRole"`), []],
    ["another action", assume(`{"Service": "${EC2}"}`, `"Effect": "Allow", "Action": "sts:TagSession"`), []],
    [
      "an action pattern",
      assume(`{"Service": "${EC2}"}`, `"Effect": "Allow", "Action": ["sts:TagSession", "STS:Assume*"]`),
      [EC2],
    ],
    [
      "any action but that",
      assume(`{"Service": "${EC2}"}`, `"Effect": "Allow", "NotAction": "sts:AssumeRole"`),
      [],
    ],
    [
      "any action but another",
      assume(`{"Service": "${EC2}"}`, `"Effect": "Allow", "NotAction": "sts:TagSession"`),
      [EC2],
    ],
    [
      "everybody but a service",
      trust(`{"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"Service": "${EC2}"}}`),
      [OPSWORKS],
    ],
    [
      "everybody but a service and an account",
      trust(
        `{"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"AWS": "123456789012", "Service": "${EC2}"}}`,
      ),
      [OPSWORKS],
    ],
    [
      "nobody in one statement, a service in another",
      `{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}, {"Effect": "Allow", "Principal": {"Service": "${EC2}"}, "Action": "sts:AssumeRole"}]}`,
      [EC2],
    ],
  ])("%s", (_name, text, services) => {
    expect([EC2, OPSWORKS].filter((service) => names(text, service))).toEqual(services);
  });
});

describe("a role's trust policy lets a service assume it", () => {
  const allow = `{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "${EC2}"}}`;
  const when = (effect: string, condition: string) =>
    `${allow.replace("Allow", effect).slice(0, -1)}, "Condition": {"StringEquals": ${condition}}}`;
  const here = `{"aws:SourceAccount": "123456789012"}`;
  const elsewhere = `{"aws:SourceAccount": "210987654321"}`;
  const itself = when("Allow", `{"aws:PrincipalTag/self": "\${aws:SourceAccount}"}`);
  const context = new Context([
    ["aws:SourceAccount", "123456789012"],
    ["aws:PrincipalTag/self", "123456789012"],
    ["aws:PrincipalTag/text", `\${aws:SourceAccount}`],
  ]);

  test.each([
    ["when an Allow matches", trust(allow), "allowed"],
    ["when its condition holds", trust(when("Allow", here)), "allowed"],
    ["but not when it does not", trust(when("Allow", elsewhere)), "implicitDeny"],
    ["but not when a Deny matches too", trust(`${allow}, ${when("Deny", here)}`), "explicitDeny"],
    ["even when a Deny does not", trust(`${allow}, ${when("Deny", elsewhere)}`), "allowed"],
    ["but not when nothing names it", trust(allow.replace(EC2, OPSWORKS)), "implicitDeny"],
    ["with variables in Version 2012-10-17", trust(itself), "allowed"],
    [
      "without variables before it",
      trust(itself).replace(`"Version": "2012-10-17"`, `"Version": "2008-10-17"`),
      "implicitDeny",
    ],
    [
      "with what looks like one, before it",
      trust(itself.replace("/self", "/text")).replace(`"Version": "2012-10-17", `, ""),
      "allowed",
    ],
  ])("%s", (_name, text, answer) => {
    const { Allow, Deny } = mayAssume(readJson(text, 100_000), [EC2], context);
    expect(Deny === "yes" ? "explicitDeny" : Allow === "yes" ? "allowed" : "implicitDeny").toBe(answer);
  });

  test.each([
    [
      "an Allow under a key that is not known",
      [["Allow", "aws:SourceOrgID"]],
      { Allow: "depends", Deny: "no" },
    ],
    [
      "a Deny, whatever the Allow hangs on",
      [["Allow", "aws:SourceOrgID"], ["Deny"]],
      { Allow: "depends", Deny: "yes" },
    ],
    [
      "an Allow, and a Deny under a key that is not known",
      [["Allow"], ["Deny", "aws:SourceOrgID"]],
      { Allow: "yes", Deny: "depends" },
    ],
    [
      "an Allow that cannot hold, whatever else it asks",
      [["Allow", "aws:SourceOrgID", "aws:SourceAccount"]],
      { Allow: "no", Deny: "no" },
    ],
  ] as const)("or not: %s", (_name, statements, answer) => {
    const text = statements.map(([Effect, ...keys]) =>
      JSON.stringify({
        Effect,
        Principal: { Service: EC2 },
        Action: "sts:AssumeRole",
        ...(keys.length === 0
          ? {}
          : { Condition: { StringEquals: Object.fromEntries(keys.map((key) => [key, "x"])) } }),
      }),
    );
    const known = new Context([["aws:SourceAccount", "123456789012"]]);
    expect(mayAssume(readJson(trust(text.join()), 100_000), [EC2], known)).toEqual(answer);
  });
});

describe("a trust policy is refused", () => {
  test.each([
    [
      "with a Resource",
      assume(`"*"`, `"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"`),
      "$.Statement[0].Resource",
    ],
    [
      "without a Principal",
      trust(`{"Effect": "Allow", "Action": "sts:AssumeRole"}`),
      "$.Statement[0]: has neither `Principal` nor `NotPrincipal`",
    ],
    [
      "with Principal and NotPrincipal",
      trust(`{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*", "NotPrincipal": "*"}`),
      "$.Statement[0]: has both `Principal` and `NotPrincipal`",
    ],
    ["with a principal that is another text", assume(`"${EC2}"`), "$.Statement[0].Principal"],
    ["with a principal of no kind", assume(`{}`), "$.Statement[0].Principal: is empty"],
    ["with a principal of an unknown kind", assume(`{"Svc": "${EC2}"}`), "$.Statement[0].Principal.Svc"],
    [
      "with a list of no principals",
      assume(`{"Service": []}`),
      "$.Statement[0].Principal.Service: is an empty list",
    ],
    ["with a principal that is null", assume(`{"Service": null}`), "$.Statement[0].Principal.Service"],
    [
      "with an action that is none",
      assume(`"*"`, `"Effect": "Allow", "Action": "AssumeRole"`),
      "$.Statement[0].Action",
    ],
    [
      "with an unknown operator",
      assume(
        `"*"`,
        `"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": {"StringIs": {"sts:ExternalId": "1"}}`,
      ),
      "$.Statement[0].Condition.StringIs",
    ],
    [
      "with the confused-deputy example whose key is missing",
      assume(
        `{"Service": "${OPSWORKS}"}`,
        `"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": {"ArnEquals": {"arn:aws:opsworks:us-east-2:123456789012:stack/EXAMPLEd-5699-40a3-80c3-22c32EXAMPLE/"}}`,
      ),
      "$: is not JSON",
    ],
  ])("%s", (_name, text, message) => {
    expect(() => names(text, EC2)).toThrow(message);
  });
});

test("a trust policy is about no resource, were it ever evaluated", () => {
  const document = readDocument(readJson(assume(`"*"`), 100_000), "trust");
  const [statement] = compileDocument(document).statements;
  expect(statement?.isAboutResource(splitArn("*"), new Context([]))).toBe(false);
});

describe("a role's trust policy names services and nobody else", () => {
  const onlyEc2 = (text: string) => namesOnlyServices(readJson(text, 100_000), [EC2, `${EC2}.cn`]);
  const statement = (principal: string, rest = `"Effect": "Allow", "Action": "sts:AssumeRole"`) =>
    `{${rest}, "Principal": ${principal}}`;
  const ec2 = statement(`{"Service": "${EC2}"}`);

  test.each([
    ["one service", ec2],
    ["both of the services, in a list", statement(`{"Service": ["${EC2}", "${EC2}.cn"]}`)],
    ["the service twice", `${ec2}, ${ec2}`],
    [
      "the service, and a Deny of everybody",
      `${ec2}, ${statement('"*"', '"Effect": "Deny", "Action": "*"')}`,
    ],
  ])("%s: yes", (_name, text) => expect(onlyEc2(trust(text))).toBe(true));

  test.each([
    ["another service", statement(`{"Service": "${OPSWORKS}"}`)],
    ["the service and another", statement(`{"Service": ["${EC2}", "${OPSWORKS}"]}`)],
    ["an account beside it", statement(`{"Service": "${EC2}", "AWS": "123456789012"}`)],
    ["an account in another statement", `${ec2}, ${statement('{"AWS": "123456789012"}')}`],
    ["everybody", statement('"*"')],
    [
      "everybody but it",
      `{"Effect": "Allow", "Action": "sts:AssumeRole", "NotPrincipal": {"Service": "${EC2}"}}`,
    ],
    [
      "somebody who may do something else",
      `${ec2}, ${statement('{"AWS": "123456789012"}', '"Effect": "Allow", "Action": "sts:AssumeRoleWithSAML"')}`,
    ],
    ["a Deny alone", statement(`{"Service": "${EC2}"}`, '"Effect": "Deny", "Action": "sts:AssumeRole"')],
  ])("%s: no", (_name, text) => expect(onlyEc2(trust(text))).toBe(false));
});
