import { constants, createPublicKey, type KeyObject, publicEncrypt, randomInt } from "node:crypto";
import * as z from "zod";

/** How many temporary logins an instance may have at a time. */
export const MAX_LOGINS = 20;

const MIN_BITS = 2048;
const MAX_BITS = 8192;

const part = "must be base64";
/** Aborts, so that no arithmetic is done with a number of a hundred thousand digits. */
const Part = (pattern: RegExp) => z.string({ error: part }).regex(pattern, { error: part, abort: true });

/** An RSA public key in the two numbers that every system can tell of it; as it is kept. */
export const StoredKey = z.object({
  Modulus: Part(/^[A-Za-z0-9+/]{4,1400}={0,2}$/),
  Exponent: Part(/^[A-Za-z0-9+/]{2,12}={0,2}$/),
});

export const InstanceKey = StoredKey.strict().refine((key) => keyOf(key) !== undefined, {
  error: `must be an RSA key of ${MIN_BITS} to ${MAX_BITS} bits`,
});
export type InstanceKey = z.infer<typeof StoredKey>;

function keyOf({ Modulus, Exponent }: InstanceKey): KeyObject | undefined {
  const url = (text: string) => Buffer.from(text, "base64").toString("base64url");
  try {
    const jwk = { kty: "RSA", n: url(Modulus), e: url(Exponent) };
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
    const isStrong = modulusLength >= MIN_BITS && modulusLength <= MAX_BITS && publicExponent >= 65_537n;
    return isStrong ? key : undefined;
  } catch {
    return undefined;
  }
}

/** A temporary login as it is kept: the password for nobody but the instance. */
export const InstanceLogin = z.object({
  LoginId: z.string(),
  Username: z.string(),
  EncryptedPassword: z.string(),
  Administrator: z.boolean(),
  /** Who asked for it, and as which profile. */
  IamUserArn: z.string(),
  ProfileId: z.string(),
  /** In seconds; what has expired counts no more, whether it is deleted or not. */
  ExpiresAt: z.number(),
});
export type InstanceLogin = z.infer<typeof InstanceLogin>;

/** What an instance is told of it. */
export const ToldLogin = z.object({
  username: z.string(),
  encrypted_password: z.string(),
  administrator_privileges: z.boolean(),
  expires_at: z.string(),
});

const CLASSES = ["ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "-_.+=@"];
const LENGTH = 28;

/** Random, of every class that Windows asks for, and without characters that look alike. 28 of 61 are 166 bits. */
export function newPassword(): string {
  const all = CLASSES.join("");
  const draw = (from: string) => from.charAt(randomInt(from.length));
  for (;;) {
    const password = Array.from({ length: LENGTH }, () => draw(all)).join("");
    if (CLASSES.every((characters) => Array.from(password).some((one) => characters.includes(one))))
      return password;
  }
}

/** For the holder of the private key alone: RSA-OAEP with SHA-256, in base64. */
export function encryptFor(key: InstanceKey, password: string): string {
  const publicKey = keyOf(key);
  if (!publicKey) throw new RangeError("a key that was kept is none");
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const encrypted = publicEncrypt({ key: publicKey, padding, oaepHash: "sha256" }, Buffer.from(password));
  return encrypted.toString("base64");
}
