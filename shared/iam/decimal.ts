/** A decimal number, exactly: a small whole one as such, any other as `digits` divided by ten to the power of `scale`. */
export type Decimal = number | Exact;
type Exact = { readonly digits: bigint; readonly scale: number };

const SMALL = /^\d{1,15}$/;
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** Reads an integer or decimal, by value and without rounding: `9007199254740993` is not `...992`, `1e3` is no number. */
export function readDecimal(text: string): Decimal | undefined {
  if (SMALL.test(text)) return Number(text);
  const [, sign, whole, fraction = ""] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const magnitude = BigInt(whole + fraction);
  return { digits: sign === "-" ? -magnitude : magnitude, scale: fraction.length };
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [left, right] = [exact(a), exact(b)];
  const scale = Math.max(left.scale, right.scale);
  const difference =
    left.digits * 10n ** BigInt(scale - left.scale) - right.digits * 10n ** BigInt(scale - right.scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function exact(decimal: Decimal): Exact {
  return typeof decimal === "number" ? { digits: BigInt(decimal), scale: 0 } : decimal;
}
