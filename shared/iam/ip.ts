import { isIPv4, isIPv6 } from "node:net";

/** An address by value: 32 bits as a number, 128 as a bigint, so that IPv4 and IPv6 are never equal. */
export type Address = number | bigint;
/** A block of addresses, from the first to the last. */
export type Cidr = { readonly first: Address; readonly last: Address };

const MAPPED_PREFIX = 0xffffn;

/** Reads an IPv4 or IPv6 address; an IPv4-mapped one (`::ffff:192.0.2.1`) is the IPv4 address. */
export function readAddress(text: string): Address | undefined {
  if (isIPv4(text)) return readIPv4(text);
  const bits = readIPv6(text);
  return bits !== undefined && bits >> 32n === MAPPED_PREFIX ? Number(bits & 0xffff_ffffn) : bits;
}

/**
 * Reads `address/length`, or a bare address as a block of one. Bits after the mask are ignored; a block of IPv4-mapped
 * addresses is the IPv4 block.
 */
export function readCidr(text: string): Cidr | undefined {
  // Stryker disable next-line StringLiteral: for the types; there is a first part
  const [host = "", length, ...rest] = text.split("/");
  const width = isIPv4(host) ? 32 : 128;
  const bits = width === 32 ? BigInt(readIPv4(host)) : readIPv6(host);
  if (bits === undefined || rest.length > 0) return undefined;
  if (length !== undefined && (!/^\d{1,3}$/.test(length) || Number(length) > width)) return undefined;
  const ignored = BigInt(width - Number(length ?? width));
  const first = (bits >> ignored) << ignored;
  const last = first + (1n << ignored) - 1n;
  if (width === 32) return { first: Number(first), last: Number(last) };
  // Of a larger block, the last of these bits is 0.
  const isMapped = first >> 32n === MAPPED_PREFIX;
  return isMapped
    ? { first: Number(first & 0xffff_ffffn), last: Number(last & 0xffff_ffffn) }
    : { first, last };
}

/** Whether bits are set that the mask ignores: `10.1.2.3/8`. */
export function hasHostBits(text: string): boolean {
  const cidr = readCidr(text);
  // Stryker disable next-line StringLiteral: as above
  return cidr !== undefined && cidr.first !== readAddress(text.split("/")[0] ?? "");
}

/** Whether the block holds the address; IPv4 and IPv6 never hold each other. */
export function holdsAddress({ first, last }: Cidr, address: Address): boolean {
  return typeof address === typeof first && first <= address && address <= last;
}

function readIPv4(text: string): number {
  let bits = 0;
  let octet = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      bits = bits * 256 + octet;
      octet = 0;
    } else octet = octet * 10 + code - ZERO;
  }
  return bits * 256 + octet;
}

const DOT = ".".charCodeAt(0);
const ZERO = "0".charCodeAt(0);

function readIPv6(text: string): bigint | undefined {
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const dotted = text.slice(text.lastIndexOf(":") + 1);
  const plain = isIPv4(dotted) ? text.slice(0, -dotted.length) + groupsOf(readIPv4(dotted)) : text;
  // Stryker disable next-line ArrayDeclaration: for the types, as above; that without `::` nothing follows is tested
  const [head = [], tail = []] = plain
    .split("::")
    .map((side) => side.split(":").filter((group) => group !== ""));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

function groupsOf(bits: number): string {
  return [bits >>> 16, bits & 0xffff].map((group) => group.toString(16)).join(":");
}
