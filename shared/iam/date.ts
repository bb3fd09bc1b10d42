const EPOCH_SECONDS = /^\d{1,12}$/;
const W3C =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([Zz]|[+-]\d{2}:?\d{2})?)?)?)?$/;

/**
 * Reads a date as nanoseconds since 1970: ISO 8601 as the W3C profiles it, or epoch seconds (digits alone). Without a
 * zone it is UTC.
 *
 * Source: IAM User Guide, "Date condition operators"; https://www.w3.org/TR/NOTE-datetime
 */
export function readDate(text: string): bigint | undefined {
  if (EPOCH_SECONDS.test(text)) return BigInt(text) * 1_000_000_000n;
  const match = W3C.exec(text);
  if (!match) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((field) => (field === undefined ? undefined : Number(field)));
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  const isCalendarDay = time.getUTCMonth() === month - 1 && time.getUTCDate() === day;
  if (!isCalendarDay || hour > 23 || minute > 59 || second > 59) return undefined;
  const offset = readOffset(match[8]);
  if (offset === undefined) return undefined;
  const seconds = time.getTime() / 1000 + hour * 3600 + minute * 60 + second - offset;
  return BigInt(seconds) * 1_000_000_000n + BigInt((match[7] ?? "").padEnd(9, "0"));
}

/** Whether it is a date that leaves its zone open. */
export function lacksZone(text: string): boolean {
  return !EPOCH_SECONDS.test(text) && W3C.exec(text)?.[8] === undefined && readDate(text) !== undefined;
}

/** A zone's offset from UTC in seconds. */
function readOffset(zone: string | undefined): number | undefined {
  if (zone === undefined || /^z$/i.test(zone)) return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60);
}
