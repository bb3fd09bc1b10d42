import { describe, expect, test } from "vitest";
import { SshPublicKey } from "../../shared/model/ssh-public-key.ts";
import keys from "./data/ssh-public-keys.json" with { type: "json" };

const reasonFor = (text: string) => SshPublicKey.safeParse(text).error?.issues[0]?.message;
const ED25519 = keys.ed25519;
const [TYPE = "", BASE64 = ""] = ED25519.split(" ");

describe("a public key", () => {
  test.for(["ed25519", "ecdsa-256", "ecdsa-384", "ecdsa-521", "rsa-2048", "rsa-4096"] as const)(
    "of %s is taken as it is",
    (name) => {
      expect(SshPublicKey.parse(keys[name])).toBe(keys[name]);
    },
  );

  test("may do without a comment, and loses the line end that came with it", () => {
    expect(SshPublicKey.parse(`${TYPE} ${BASE64}`)).toBe(`${TYPE} ${BASE64}`);
    expect(SshPublicKey.parse(`${ED25519}\n`)).toBe(ED25519);
  });

  test("may have letters of any language in its comment", () => {
    expect(SshPublicKey.parse(`${TYPE} ${BASE64} Zoë 鍵`)).toContain("Zoë 鍵");
  });

  test.for([
    [
      "is a private key",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
      "private key",
    ],
    ["is a certificate", keys.certificate, "certificate"],
    ["is RSA of 1024 bits", keys["rsa-1024"], "1024 bits"],
    ["is DSA", keys.dsa, "dsa"],
    ["has options in front", `command="rm -rf /" ${ED25519}`, "no options in front"],
    ["has environment options in front", `environment="A=b",no-pty ${ED25519}`, "no options in front"],
    ["has a second line", `${ED25519}\n${ED25519}`, "one line"],
    ["has a second line after a carriage return", `${ED25519}\r${ED25519}`, "one line"],
    ["has a control character", `${ED25519}\u0000`, "control characters"],
    ["has an escape sequence in its comment", `${TYPE} ${BASE64} \u001b[2J`, "control characters"],
    ["is cut short", `${TYPE} ${BASE64.slice(0, 30)}`, "cannot be read"],
    ["is of another type than it says", `ssh-rsa ${BASE64}`, "cannot be read"],
    ["has more behind it than a key", `${TYPE} ${BASE64}AAAA`, "cannot be read"],
    ["is no base64", `${TYPE} not!base64`, "base64"],
    ["is the key alone", BASE64, "base64"],
    ["is empty", "", "base64"],
    ["is of a type nobody knows", `ssh-rot13 ${BASE64}`, "cannot be read"],
  ] as const)("that %s is refused with the reason", ([, text, reason]) => {
    expect(reasonFor(text)).toContain(reason);
  });

  test("that is longer than any key is refused", () => {
    expect(SshPublicKey.safeParse(`${TYPE} ${"A".repeat(20_000)}`).success).toBe(false);
  });
});
