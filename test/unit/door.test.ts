import { describe, expect, test } from "vitest";
import { splitArn } from "../../shared/iam/arn.ts";
import { Context } from "../../shared/iam/context.ts";
import { InvalidPolicy } from "../../shared/iam/invalid-policy.ts";
import { InvalidRequest } from "../../shared/iam/invalid-request.ts";
import { InvalidValue } from "../../shared/iam/invalid-value.ts";
import { readJson } from "../../shared/iam/json.ts";
import { compileEntries, Place } from "../../shared/iam/place.ts";
import { MAX_POLICY_LENGTH, parsePolicy } from "../../shared/iam/policy.ts";
import { readRequest } from "../../shared/iam/request.ts";

/** A document of one statement, whose elements are given as text, so that it can have faults that objects cannot. */
function document(elements: string, head = `"Version": "2012-10-17", `): string {
  return `{${head}"Statement": [{${elements}}]}`;
}

function allow(rest: string): string {
  return document(`"Effect": "Allow", ${rest}`);
}

function when(condition: string): string {
  return allow(`"Action": "*", "Resource": "*", "Condition": ${condition}`);
}

const STATEMENT = `{"Effect": "Allow", "Action": "*", "Resource": "*"}`;
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

describe("refused at the door, with the path to the fault", () => {
  const cases: Record<string, readonly (readonly [name: string, text: string, path: string])[]> = {
    "what is no JSON": [
      ["an empty text", ``, "$"],
      ["a text that stops", `{"Statement": [`, "$"],
      ["two documents", `{"Statement": []}{"Statement": []}`, "$"],
      ["a comment", `{"Statement": [] /* none */}`, "$"],
      ["a comma too many", `{"Statement": [${STATEMENT}],}`, "$"],
      ["single quotes", `{'Statement': []}`, "$"],
      ["a byte order mark", `\ufeff{"Statement": ${STATEMENT}}`, "$"],
    ],
    "what is no document": [
      ["null", `null`, "$"],
      ["a text", `"Statement"`, "$"],
      ["a number", `12`, "$"],
      ["a list", `[${STATEMENT}]`, "$"],
      ["an object without statements", `{}`, "$"],
      ["an unknown element", `{"Statement": ${STATEMENT}, "Comment": ""}`, "$.Comment"],
      ["an element in another case", `{"statement": ${STATEMENT}}`, "$.statement"],
      ["a version there never was", `{"Version": "2012-10-18", "Statement": ${STATEMENT}}`, "$.Version"],
      ["a version that is null", `{"Version": null, "Statement": ${STATEMENT}}`, "$.Version"],
      ["a version in a list", `{"Version": ["2012-10-17"], "Statement": ${STATEMENT}}`, "$.Version"],
      ["an Id that is no text", `{"Id": 1, "Statement": ${STATEMENT}}`, "$.Id"],
    ],
    "what is no statement": [
      ["none", `{"Statement": []}`, "$.Statement"],
      ["null", `{"Statement": null}`, "$.Statement"],
      ["a text", `{"Statement": "Allow"}`, "$.Statement"],
      ["a number in a list", `{"Statement": [1]}`, "$.Statement[0]"],
      ["null in a list", `{"Statement": [${STATEMENT}, null]}`, "$.Statement[1]"],
      ["a list in a list", `{"Statement": [[${STATEMENT}]]}`, "$.Statement[0]"],
      [
        "an unknown element",
        allow(`"Action": "*", "Resource": "*", "Comment": ""`),
        "$.Statement[0].Comment",
      ],
      ["an element in another case", allow(`"Action": "*", "resource": "*"`), "$.Statement[0].resource"],
      ["an element in the plural", allow(`"Action": "*", "Resources": "*"`), "$.Statement[0].Resources"],
      ["an element with a blank", allow(`"Action": "*", "Resource ": "*"`), `$.Statement[0]["Resource "]`],
      ["a Principal", allow(`"Action": "*", "Resource": "*", "Principal": "*"`), "$.Statement[0].Principal"],
      [
        "a NotPrincipal",
        allow(`"Action": "*", "Resource": "*", "NotPrincipal": "*"`),
        "$.Statement[0].NotPrincipal",
      ],
      [
        "a name that every object has",
        allow(`"Action": "*", "Resource": "*", "toString": "*"`),
        "$.Statement[0].toString",
      ],
    ],
    "an Effect that": [
      ["is missing", document(`"Action": "*", "Resource": "*"`), "$.Statement[0].Effect"],
      [
        "has the wrong case",
        document(`"Effect": "deny", "Action": "*", "Resource": "*"`),
        "$.Statement[0].Effect",
      ],
      [
        "has the wrong case: Allow",
        document(`"Effect": "allow", "Action": "*", "Resource": "*"`),
        "$.Statement[0].Effect",
      ],
      [
        "is in capitals",
        document(`"Effect": "DENY", "Action": "*", "Resource": "*"`),
        "$.Statement[0].Effect",
      ],
      ["has a blank", document(`"Effect": "Deny ", "Action": "*", "Resource": "*"`), "$.Statement[0].Effect"],
      ["is null", document(`"Effect": null, "Action": "*", "Resource": "*"`), "$.Statement[0].Effect"],
      ["is a list", document(`"Effect": ["Deny"], "Action": "*", "Resource": "*"`), "$.Statement[0].Effect"],
    ],
    "a Sid that": [
      ["has a dash", allow(`"Sid": "a-b", "Action": "*", "Resource": "*"`), "$.Statement[0].Sid"],
      ["has a blank", allow(`"Sid": "a b", "Action": "*", "Resource": "*"`), "$.Statement[0].Sid"],
      [
        "has a letter with an accent",
        allow(`"Sid": "é", "Action": "*", "Resource": "*"`),
        "$.Statement[0].Sid",
      ],
      ["ends in a line break", allow(`"Sid": "a\\n", "Action": "*", "Resource": "*"`), "$.Statement[0].Sid"],
      ["is a number", allow(`"Sid": 1, "Action": "*", "Resource": "*"`), "$.Statement[0].Sid"],
      ["is null", allow(`"Sid": null, "Action": "*", "Resource": "*"`), "$.Statement[0].Sid"],
      [
        "is there twice",
        `{"Statement": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}, ${STATEMENT}, {"Sid": "A", "Effect": "Deny", "Action": "*", "Resource": "*"}]}`,
        "$.Statement[2].Sid",
      ],
    ],
    "actions and resources that": [
      ["are missing: no action", allow(`"Resource": "*"`), "$.Statement[0]"],
      ["are missing: no resource", allow(`"Action": "*"`), "$.Statement[0]"],
      [
        "are two: Action and NotAction",
        allow(`"Action": "*", "NotAction": "*", "Resource": "*"`),
        "$.Statement[0]",
      ],
      [
        "are two: Resource and NotResource",
        allow(`"Action": "*", "Resource": "*", "NotResource": "*"`),
        "$.Statement[0]",
      ],
      ["are null: Action", allow(`"Action": null, "Resource": "*"`), "$.Statement[0].Action"],
      ["are null: Resource", allow(`"Action": "*", "Resource": null`), "$.Statement[0].Resource"],
      [
        "are null beside another: NotAction",
        allow(`"Action": "*", "NotAction": null, "Resource": "*"`),
        "$.Statement[0]",
      ],
      ["are empty: Action", allow(`"Action": [], "Resource": "*"`), "$.Statement[0].Action"],
      ["are empty: NotAction", allow(`"NotAction": [], "Resource": "*"`), "$.Statement[0].NotAction"],
      ["are empty: Resource", allow(`"Action": "*", "Resource": []`), "$.Statement[0].Resource"],
      ["are empty: NotResource", allow(`"Action": "*", "NotResource": []`), "$.Statement[0].NotResource"],
      ["are no text: a number", allow(`"Action": 1, "Resource": "*"`), "$.Statement[0].Action"],
      ["are no text: a boolean", allow(`"Action": "*", "Resource": true`), "$.Statement[0].Resource"],
      [
        "are no text: an object",
        allow(`"Action": {"opsworks": "*"}, "Resource": "*"`),
        "$.Statement[0].Action",
      ],
      [
        "are no text: null in a list",
        allow(`"Action": ["*", null], "Resource": "*"`),
        "$.Statement[0].Action[1]",
      ],
      [
        "are no text: a list in a list",
        allow(`"Action": "*", "Resource": [["*"]]`),
        "$.Statement[0].Resource[0]",
      ],
      [
        "have a service wildcard",
        allow(`"Action": ["s3:*", "ops*:*"], "Resource": "*"`),
        "$.Statement[0].Action[1]",
      ],
      [
        "have a service wildcard, not in a list",
        allow(`"Action": "ops*:*", "Resource": "*"`),
        "$.Statement[0].Action",
      ],
      [
        "are no ARN, not in a list",
        `{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "stack"}}`,
        "$.Statement.Resource",
      ],
      [
        "are an ARN cut short",
        allow(`"Action": "*", "NotResource": ["*", "arn:aws:s3"]`),
        "$.Statement[0].NotResource[1]",
      ],
    ],
    "a Condition that": [
      ["is null", when(`null`), "$.Statement[0].Condition"],
      ["is a list", when(`[]`), "$.Statement[0].Condition"],
      ["is a text", when(`"Bool"`), "$.Statement[0].Condition"],
      ["has an operator that is null", when(`{"Bool": null}`), "$.Statement[0].Condition.Bool"],
      ["has an operator that is a list", when(`{"Bool": []}`), "$.Statement[0].Condition.Bool"],
      ["has an operator that is a text", when(`{"Bool": "true"}`), "$.Statement[0].Condition.Bool"],
      [
        "has an unknown operator",
        when(`{"StringEqual": {"a": "b"}}`),
        "$.Statement[0].Condition.StringEqual",
      ],
      [
        "has an unknown operator and no key",
        when(`{"StringEqual": {}}`),
        "$.Statement[0].Condition.StringEqual",
      ],
      ["has an operator in another case", when(`{"bool": {"a": "true"}}`), "$.Statement[0].Condition.bool"],
      [
        "has an unknown qualifier",
        when(`{"ForSomeValue:Bool": {"a": "true"}}`),
        `$.Statement[0].Condition["ForSomeValue:Bool"]`,
      ],
      [
        "has Null with IfExists",
        when(`{"NullIfExists": {"a": "true"}}`),
        "$.Statement[0].Condition.NullIfExists",
      ],
      ["has no values", when(`{"Bool": {"a": []}}`), "$.Statement[0].Condition.Bool.a"],
      ["has a value that is null", when(`{"Bool": {"a": null}}`), "$.Statement[0].Condition.Bool.a"],
      ["has a value that is an object", when(`{"Bool": {"a": {}}}`), "$.Statement[0].Condition.Bool.a"],
      [
        "has null among its values",
        when(`{"Bool": {"a": ["true", null]}}`),
        "$.Statement[0].Condition.Bool.a[1]",
      ],
      [
        "has a list among its values",
        when(`{"Bool": {"a": [["true"]]}}`),
        "$.Statement[0].Condition.Bool.a[0]",
      ],
      ["has a key without a name", when(`{"Bool": {"": "true"}}`), `$.Statement[0].Condition.Bool[""]`],
      [
        "has a key twice, in different case",
        when(`{"Bool": {"a:b": "true", "A:B": "false"}}`),
        `$.Statement[0].Condition.Bool["A:B"]`,
      ],
      [
        "has a number that is none",
        when(`{"NumericEquals": {"a": "1e3"}}`),
        "$.Statement[0].Condition.NumericEquals.a",
      ],
      [
        "has a date that is none",
        when(`{"DateLessThan": {"a": "tomorrow"}}`),
        "$.Statement[0].Condition.DateLessThan.a",
      ],
      [
        "has a block that is none",
        when(`{"IpAddress": {"a": "10.0.0.0/99"}}`),
        "$.Statement[0].Condition.IpAddress.a",
      ],
      ["has an ARN that is none", when(`{"ArnLike": {"a": "jane"}}`), "$.Statement[0].Condition.ArnLike.a"],
      [
        "has a variable that is not closed",
        when(`{"StringLike": {"a": "\${aws:username"}}`),
        "$.Statement[0].Condition.StringLike.a",
      ],
      [
        "has a variable where there can be none",
        when(`{"Bool": {"a": "\${aws:username}"}}`),
        "$.Statement[0].Condition.Bool.a",
      ],
    ],
    "characters outside the allowed ones in": [
      ["an Id", `{"Id": "\u0100", "Statement": ${STATEMENT}}`, "$.Id"],
      ["a resource", allow(`"Action": "*", "Resource": "arn:aws:s3:::\u2028"`), "$.Statement[0].Resource"],
      [
        "a resource, as an escape",
        allow(`"Action": "*", "Resource": "arn:aws:s3:::\\u0000"`),
        "$.Statement[0].Resource",
      ],
      ["an action", allow(`"Action": ["*", "s3:\u0100"], "Resource": "*"`), "$.Statement[0].Action[1]"],
      [
        "a condition value",
        when(`{"StringEquals": {"a": ["b", "😀"]}}`),
        "$.Statement[0].Condition.StringEquals.a[1]",
      ],
      [
        "a condition key",
        when(`{"StringEquals": {"a\\u001f": "b"}}`),
        `$.Statement[0].Condition.StringEquals["a\\u001f"]`,
      ],
    ],
    "a key that is there twice": [
      [
        "Version",
        `{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": ${STATEMENT}}`,
        "$.Version",
      ],
      [
        "Statement",
        `{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}, "Statement": ${STATEMENT}}`,
        "$.Statement",
      ],
      ["Effect", allow(`"Effect": "Deny", "Action": "*", "Resource": "*"`), "$.Statement[0].Effect"],
      ["Action", allow(`"Action": "*", "Resource": "*", "Action": "s3:*"`), "$.Statement[0].Action"],
      [
        "a key that is written differently",
        allow(`"\\u0045ffect": "Deny", "Action": "*", "Resource": "*"`),
        "$.Statement[0].Effect",
      ],
      [
        "Condition",
        allow(`"Action": "*", "Condition": {}, "Resource": "*", "Condition": {}`),
        "$.Statement[0].Condition",
      ],
      [
        "an operator",
        when(`{"Bool": {"a": "true"}, "Bool": {"b": "true"}}`),
        "$.Statement[0].Condition.Bool",
      ],
      ["a condition key", when(`{"Bool": {"a": "true", "a": "false"}}`), "$.Statement[0].Condition.Bool.a"],
      [
        "in the second statement",
        `{"Statement": [${STATEMENT}, {"Effect": "Deny", "Effect": "Allow"}]}`,
        "$.Statement[1].Effect",
      ],
      [
        "where nothing may be at all",
        `{"Statement": ${STATEMENT}, "Comment": [{"a": {"b": 1, "b": 2}}]}`,
        "$.Comment[0].a.b",
      ],
    ],
    "a key that is no name": [
      ["__proto__ in the document", `{"__proto__": {}, "Statement": ${STATEMENT}}`, "$.__proto__"],
      [
        "__proto__ in a statement",
        allow(`"Action": "*", "Resource": "*", "__proto__": {"Effect": "Deny"}`),
        "$.Statement[0].__proto__",
      ],
      ["__proto__ as an operator", when(`{"__proto__": {}}`), "$.Statement[0].Condition.__proto__"],
      [
        "__proto__ as a condition key",
        when(`{"Bool": {"__proto__": "true"}}`),
        "$.Statement[0].Condition.Bool.__proto__",
      ],
      [
        "__proto__, written with an escape",
        `{"\\u005f_proto__": {}, "Statement": ${STATEMENT}}`,
        "$.__proto__",
      ],
      ["constructor", `{"constructor": {}, "Statement": ${STATEMENT}}`, "$.constructor"],
      ["prototype", allow(`"prototype": {}`), "$.Statement[0].prototype"],
    ],
    "more than is read": [
      ["25 lists in each other", `{"Statement": ${nested(25)}}`, "$"],
      ["100,000 lists in each other", nested(50_000), "$"],
      ["100,000 open lists", "[".repeat(100_000), "$"],
      ["ten megabytes", allow(`"Action": "${"a".repeat(10_000_000)}", "Resource": "*"`), "$"],
      ["1,001 statements", `{"Statement": [${`${STATEMENT},`.repeat(1000)}${STATEMENT}]}`, "$.Statement"],
      ["20,000 statements", `{"Statement": [${`${STATEMENT},`.repeat(19_999)}${STATEMENT}]}`, "$"],
      [
        "one character more than the limit",
        allow(`"Action": "*", "Resource": "*"`).padEnd(MAX_POLICY_LENGTH + 1),
        "$",
      ],
    ],
  };

  for (const [group, faults] of Object.entries(cases)) {
    test.each(faults)(`${group}: %s`, (_name, text, path) => {
      const error = faultOf(text);
      expect(error).toBeInstanceOf(InvalidPolicy);
      expect(error?.path).toBe(path);
      expect(error?.message.startsWith(`${path}: `)).toBe(true);
    });
  }

  test("a refusal quotes no more than a line of what it refuses", () => {
    const long = "x".repeat(5_000);
    for (const condition of [`{"NumericEquals": {"a": "${long}"}}`, `{"ArnLike": {"a": "${long}"}}`]) {
      expect(faultOf(when(condition))?.message.length).toBeLessThan(400);
    }
    expect(faultOf(allow(`"Action": "${long}", "Resource": "*"`))?.message.length).toBeLessThan(400);
  });
});

describe("what goes wrong has a name of its own, which a log has", () => {
  test.each([
    [new InvalidPolicy("empty-list", "$.Statement", "is empty"), "InvalidPolicy: $.Statement: is empty"],
    [new InvalidRequest("action", "is missing"), "InvalidRequest: `action` is missing"],
    [new InvalidValue("invalid-ip", "must be an address"), "InvalidValue: must be an address"],
  ])("%s", (error, text) => {
    expect(String(error)).toBe(text);
  });
});

describe("what cannot be compiled", () => {
  const told: string[] = [];
  const place = new Place((code, path, fault) => void told.push(`${code} ${path}: ${fault}`)).at("Action");
  const compile = (text: string) => {
    if (text === "") throw new TypeError("unforeseen");
    if (text === "s3") throw new InvalidValue("invalid-action", "is none");
    return text;
  };
  const entries = (...texts: string[]) => texts.map((text, index) => ({ text, place: place.at(index) }));

  test("is reported where it stands, and left out", () => {
    expect(compileEntries(entries("s3:a", "s3", "s3:b"), compile)).toEqual(["s3:a", "s3:b"]);
    expect(told).toEqual(["invalid-action $.Action[1]: is none"]);
  });

  test("for a reason that nobody foresaw is no fault of the document", () => {
    expect(() => compileEntries(entries("s3:a", ""), compile)).toThrow("unforeseen");
  });
});

describe("accepted at the door", () => {
  test.each([
    ["the shortest document", `{"Statement": ${STATEMENT}}`, 1],
    ["Version 2008-10-17", `{"Version": "2008-10-17", "Statement": ${STATEMENT}}`, 1],
    ["an Id", `{"Version": "2012-10-17", "Id": "cd3ad3d9-2776-4ef1", "Statement": [${STATEMENT}]}`, 1],
    [
      "statements without a Sid, or with an empty one",
      `{"Statement": [${STATEMENT}, ${STATEMENT}, {"Sid": "", "Effect": "Deny", "Action": "*", "Resource": "*"}, {"Sid": "", "Effect": "Deny", "Action": "*", "Resource": "*"}]}`,
      4,
    ],
    [
      "Sids that differ in case",
      `{"Statement": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}, {"Sid": "a", "Effect": "Allow", "Action": "*", "Resource": "*"}]}`,
      2,
    ],
    [
      "elements in any order",
      document(`"Resource": "*", "Condition": {}, "NotAction": ["s3:*"], "Effect": "Deny", "Sid": "a1"`),
      1,
    ],
    ["tab, line ends and Latin-1", allow(`"Action": "*", "Resource": "arn:aws:s3:::a\\t\\r\\n\u00ff"`), 1],
    ["an empty Condition", when(`{}`), 1],
    ["an empty text as a value", when(`{"StringEquals": {"a": ""}}`), 1],
    [
      "unquoted values",
      when(
        `{"Bool": {"a": true}, "NumericEquals": {"b": [1, -1.5, "2"]}, "DateLessThan": {"c": 1716724800}}`,
      ),
      1,
    ],
    ["one key under two operators", when(`{"StringLike": {"a": "b"}, "StringNotEquals": {"A": "c"}}`), 1],
    ["two keys that are one in capitals only", when(`{"StringEquals": {"s3:ß": "b", "s3:SS": "c"}}`), 1],
    ["an unknown key of AWS", when(`{"StringEquals": {"aws:Unheard": "b"}}`), 1],
    ["aws:TokenIssueTime", when(`{"DateLessThan": {"aws:TokenIssueTime": "2024-05-26T12:00:00Z"}}`), 1],
    [
      "a set operator on a single-valued key",
      when(`{"ForAnyValue:StringEquals": {"aws:username": "jane"}}`),
      1,
    ],
    ["a multivalued key without a set operator", when(`{"StringEquals": {"aws:TagKeys": "a"}}`), 1],
    ["a date without a zone", when(`{"DateLessThan": {"aws:CurrentTime": "2024-05-26T12:00:00"}}`), 1],
    ["host bits in a block", when(`{"IpAddress": {"aws:SourceIp": "10.1.2.3/8"}}`), 1],
    [
      "iam:PassedToService on what never carries it",
      allow(
        `"Action": "ec2:*", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}`,
      ),
      1,
    ],
    [
      "PassRole on what is no role",
      allow(`"Action": "iam:PassRole", "Resource": "arn:aws:opsworks::123456789012:stack/*/"`),
      1,
    ],
    [
      "a stack ARN without its slash",
      allow(`"Action": "opsworks:*", "Resource": "arn:aws:opsworks:us-east-1:123456789012:stack/2f18b4cb"`),
      1,
    ],
    ["an action nobody knows", allow(`"Action": "opsworks:LaunchRocket", "Resource": "*"`), 1],
    [
      "what looks like a variable in a document without a Version",
      `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::\${"}}`,
      1,
    ],
    ["blanks up to the limit", `{"Statement": ${STATEMENT}}`.padEnd(MAX_POLICY_LENGTH), 1],
    ["1,000 statements", `{"Statement": [${`${STATEMENT},`.repeat(999)}${STATEMENT}]}`, 1000],
  ])("%s", (_name, text, statements) => {
    expect(parsePolicy(text).statements).toHaveLength(statements);
  });

  test("a bare value and a list of one are the same", () => {
    const bare = JSON.stringify({ Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" } });
    const listed = JSON.stringify({ Statement: [{ Effect: "Allow", Action: ["s3:*"], Resource: ["*"] }] });
    expect(shapeOf(bare)).toEqual(shapeOf(listed));
  });
});

describe("reading JSON", () => {
  test.each(["9007199254740993", "-0", "1.10", "1e3", "0.1000000000000000055511151231257827"])(
    "keeps the digits of %s",
    (number) => {
      const text = `{"a":${number},"b":[${number}]}`;
      expect(JSON.stringify(readJson(text, 1_000))).toBe(text);
    },
  );

  test("reads a number of any size", () => {
    const text = `[1e400,${"9".repeat(10_000)}]`;
    expect(JSON.stringify(readJson(text, 20_000))).toBe(text);
  });

  test.each([
    `{"a":{"b":[1,"c",true,false,null,{}]},"d":[[],[[]]]}`,
    `"\\u00e9\\ud83d\\ude00\\n\\"\\\\"`,
    ` [ ] `,
    `{"a:b/c":"","":0}`,
    `null`,
    `{"toString":1,"hasOwnProperty":2}`,
  ])("reads %s as JSON.parse does", (text) => {
    expect(JSON.stringify(readJson(text, 1_000))).toBe(JSON.stringify(JSON.parse(text)));
  });

  test("never makes an object with another prototype", () => {
    const value = readJson(`{"a": {"b": []}}`, 100);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(() => readJson(`{"a": [{"__proto__": null}]}`, 100)).toThrow("$.a[0].__proto__");
  });

  test("reads as many lists in each other as it says, and no more", () => {
    expect(() => readJson(nested(24), 1_000)).not.toThrow();
    expect(() => readJson(nested(25), 1_000)).toThrow("is nested deeper than 24");
  });

  test("finds a repeated key among 100,000 others", () => {
    const members = Array.from({ length: 100_000 }, (_, index) => `"key${index}":1`).join(",");
    expect(() => readJson(`{${members}}`, 10_000_000)).not.toThrow();
    expect(() => readJson(`{${members},"key5":2}`, 10_000_000)).toThrow("$.key5: is there twice");
  });

  test("counts characters, and takes as many as it is told", () => {
    expect(readJson(`"abc"`, 5)).toBe("abc");
    expect(() => readJson(`"abcd"`, 5)).toThrow("$: is longer than 5 characters");
  });
});

describe("a request is refused", () => {
  test.each(["", "s3", "s3:", ":GetObject", "s3:*", "s 3:Get", " s3:Get", "s3:Get ", "a:b:c"])(
    "whose action is %j",
    (action) => {
      expect(() => readRequest(action, "*", new Context([]))).toThrow("must be `service:Name`");
    },
  );

  test.each(["", "bucket", "arn:aws:s3", "arn:*", "xarn:aws:s3:::a", ":aws:s3:::a"])(
    "whose resource is %j",
    (resource) => {
      expect(() => readRequest("s3:GetObject", resource, new Context([]))).toThrow("must be `*` or an ARN");
    },
  );
});

function faultOf(text: string): InvalidPolicy | undefined {
  try {
    parsePolicy(text);
  } catch (error) {
    if (error instanceof InvalidPolicy) return error;
    throw error;
  }
  return undefined;
}

function shapeOf(text: string) {
  const anything = splitArn("*");
  return parsePolicy(text).statements.map(({ effect, index, action, isAboutResource }) => ({
    effect,
    index,
    actions: action.patterns.length,
    isAboutAll: isAboutResource(anything, new Context([])),
  }));
}
