import sshpk from "sshpk";
import * as z from "zod";

const MAX_KEY = 16_384;
const MIN_RSA_BITS = 2048;
const KINDS = "an ed25519, ECDSA or RSA (2048 bits or more) public key";

/**
 * A public key as it stands in `id_ed25519.pub`: type, base64, and perhaps a comment, on one line. Nothing that means more
 * than that in an authorized_keys file.
 *
 * Source: sshd(8), "AUTHORIZED_KEYS FILE FORMAT".
 */
export const SshPublicKey = keySchema(faultOf);

/** The same, or nothing, which takes a key away. */
export const SshPublicKeyOrNone = keySchema((key) => (key === "" ? undefined : faultOf(key)));

function keySchema(fault: (key: string) => string | undefined) {
  return z
    .string()
    .max(MAX_KEY)
    .transform((text, context) => {
      const key = text.trim();
      const message = fault(key);
      if (message !== undefined) context.issues.push({ code: "custom", message, input: text });
      return key;
    });
}

function faultOf(key: string): string | undefined {
  if (/-----BEGIN .*PRIVATE KEY/.test(key))
    return `must be ${KINDS}; this is a private key, which nobody else should see`;
  if (/[\r\n]/.test(key)) return "must be one line";
  if (/[\p{Cc}\p{Cs}]/u.test(key)) return "must have no control characters";
  if (/^[a-z0-9@.-]+-cert-v01@openssh\.com /.test(key)) return `must be ${KINDS}; this is a certificate`;
  if (!/^(?:ssh|ecdsa)-\S+ [A-Za-z0-9+/]+={0,2}(?: |$)/.test(key)) {
    return `must be ${KINDS}: its type, the key in base64, and perhaps a comment, with no options in front`;
  }
  try {
    const parsed = sshpk.parseKey(key, "ssh");
    const { type, size } = parsed;
    // What is read, written again, must be what was given: no second key hides behind the first.
    if (parsed.toString("ssh").split(" ")[1] !== key.split(" ")[1]) throw new RangeError("more than a key");
    if (type === "rsa" && size < MIN_RSA_BITS) return `must be ${KINDS}; this RSA key has ${size} bits`;
    return type === "rsa" || type === "ecdsa" || type === "ed25519"
      ? undefined
      : `must be ${KINDS}; this is ${type}`;
  } catch {
    return `must be ${KINDS}; this one cannot be read`;
  }
}
