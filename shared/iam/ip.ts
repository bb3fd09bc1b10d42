import { isIPv4, isIPv6 } from "node:net";

/** An address by value; `width` is 32 or 128. */
export type Address = { readonly width: 32 | 128; readonly bits: bigint };
/** A block of addresses: the first `length` bits of `bits` count. */
export type Cidr = Address & { readonly length: number };

const MAPPED_PREFIX = 0xffffn;

/** Reads an IPv4 or IPv6 address; an IPv4-mapped one (`::ffff:192.0.2.1`) is the IPv4 address. */
export function readAddress(text: string): Address | undefined {
  const cidr = text.includes("/") ? undefined : readCidr(text);
  return cidr && { width: cidr.width, bits: cidr.bits };
}

/**
 * Reads `address/length`, or a bare address as a block of one. Bits after the mask are ignored; a block of IPv4-mapped
 * addresses is the IPv4 block.
 */
export function readCidr(text: string): Cidr | undefined {
  const [host = "", length, ...rest] = text.split("/");
  const address = readExactly(host);
  if (!address || rest.length > 0) return undefined;
  const bits = length ?? String(address.width);
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > address.width) return undefined;
  return unmapped({ ...address, length: Number(bits) });
}

function unmapped(cidr: Cidr): Cidr {
  const isMapped = cidr.width === 128 && cidr.bits >> 32n === MAPPED_PREFIX && cidr.length >= 96;
  return isMapped ? { width: 32, bits: cidr.bits & 0xffff_ffffn, length: cidr.length - 96 } : cidr;
}

/** Whether bits are set that the mask ignores: `10.1.2.3/8`. */
export function hasHostBits(text: string): boolean {
  const cidr = readCidr(text);
  return cidr !== undefined && (cidr.bits & ((1n << BigInt(cidr.width - cidr.length)) - 1n)) !== 0n;
}

/** Whether the block holds the address; IPv4 and IPv6 never hold each other. */
export function holdsAddress(cidr: Cidr, address: Address): boolean {
  const ignored = BigInt(cidr.width - cidr.length);
  return cidr.width === address.width && cidr.bits >> ignored === address.bits >> ignored;
}

function readExactly(text: string): Address | undefined {
  if (isIPv4(text)) return { width: 32, bits: readIPv4(text) };
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const dotted = text.slice(text.lastIndexOf(":") + 1);
  const plain = isIPv4(dotted)
    ? text.slice(0, -dotted.length) + [readIPv4(dotted) >> 16n, readIPv4(dotted) & 0xffffn].map(hex).join(":")
    : text;
  const [head = [], tail = []] = plain
    .split("::")
    .map((side) => side.split(":").filter((group) => group !== ""));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return { width: 128, bits: groups.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n) };
}

function readIPv4(text: string): bigint {
  return text.split(".").reduce((bits, octet) => (bits << 8n) | BigInt(octet), 0n);
}

function hex(value: bigint): string {
  return value.toString(16);
}
