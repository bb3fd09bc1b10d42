/** Numbers, dates, addresses and bytes as a policy and a request write them; undefined is what is none. */

/** `units` of 10 to the power of minus `places`. */
type Exact = { units: bigint; places: number };

export function readNumber(text: string): Exact | undefined {
  const [, sign, whole = "", fraction = ""] = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (sign === undefined) return undefined;
  const units = BigInt(whole + fraction);
  return { units: sign === "-" ? -units : units, places: fraction.length };
}

/** Negative, zero or positive, as left is less than, equal to or greater than right. */
export function compareExact(left: Exact, right: Exact): number {
  const difference = left.units * 10n ** BigInt(right.places) - right.units * 10n ** BigInt(left.places);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

const DATE = /^(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?)?)?$/i;

/** Seconds since 1970. */
export function readDate(text: string): Exact | undefined {
  if (/^\d+$/.test(text)) return readNumber(text);
  const parts = DATE.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts.map((part, index) =>
    Number(part ?? (index === 3 ? 1 : 0)),
  ) as [number, number, number, number, number, number, number];
  const fraction = parts[7] ?? "";
  const zone = parts[8] ?? "Z";
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  let seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second;
  if (zone.toUpperCase() !== "Z") {
    if (Number(zone.slice(1, 3)) > 23 || Number(zone.slice(-2)) > 59) return undefined;
    const offset = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(-2)) * 60;
    seconds += zone.startsWith("+") ? -offset : offset;
  }
  return {
    units: BigInt(seconds) * 10n ** BigInt(fraction.length) + BigInt(fraction || "0"),
    places: fraction.length,
  };
}

type Address = { bits: 32 | 128; value: bigint };

function readFour(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined;
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function readSix(text: string): bigint | undefined {
  let hex = text;
  const tail = /[^:]*$/.exec(text)?.[0] ?? "";
  if (tail.includes(".")) {
    const four = readFour(tail);
    if (four === undefined) return undefined;
    hex = `${text.slice(0, -tail.length)}${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`;
  }
  const halves = hex.split("::");
  if (halves.length > 2) return undefined;
  const [left = [], right = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...left, ...Array<string>(missing).fill("0"), ...right];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return groups.reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n);
}

function readAnyAddress(text: string): Address | undefined {
  const four = readFour(text);
  if (four !== undefined) return { bits: 32, value: four };
  const six = readSix(text);
  return six === undefined ? undefined : { bits: 128, value: six };
}

/** A caller's address; `::ffff:192.0.2.1` is 192.0.2.1. */
export function readAddress(text: string): Address | undefined {
  const address = readAnyAddress(text);
  return address && isMapped(address) ? { bits: 32, value: address.value & 0xffff_ffffn } : address;
}

function isMapped({ bits, value }: Address): boolean {
  return bits === 128 && value >> 32n === 0xffffn;
}

export type Range = Address & { prefix: number };

/** A range that is mapped as a whole is the range it maps. */
export function readRange(text: string): Range | undefined {
  const [base = "", length, ...others] = text.split("/");
  const address = readAnyAddress(base);
  if (!address || others.length > 0) return undefined;
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? address.bits : Number(length);
  if (prefix > address.bits) return undefined;
  if (!isMapped(address) || prefix < 96) return { ...address, prefix };
  return { bits: 32, value: address.value & 0xffff_ffffn, prefix: prefix - 96 };
}

export function rangeHolds(range: Range, address: Address): boolean {
  const ignored = BigInt(range.bits - range.prefix);
  return range.bits === address.bits && range.value >> ignored === address.value >> ignored;
}

export function readBytes(text: string): string | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, "base64").toString("hex");
}

export function readBool(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return word === "true" ? true : word === "false" ? false : undefined;
}
