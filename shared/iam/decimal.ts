/** A decimal number, exactly, in its one shortest form: `whole` has no zero in front, `fraction` none behind. */
export type Decimal = { readonly negative: boolean; readonly whole: string; readonly fraction: string };

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d+))?$/;

/** Reads an integer or decimal, by value and without rounding: `9007199254740993` is not `...992`, `1e3` is no number. */
export function readDecimal(text: string): Decimal | undefined {
  // Stryker disable next-line ArrayDeclaration: the first place is read by nobody
  const [, sign, digits, decimals = ""] = DECIMAL.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const whole = withoutZerosBefore(digits);
  const fraction = withoutZerosBehind(decimals);
  return { negative: sign === "-" && whole + fraction !== "", whole, fraction };
}

/** Negative, zero or positive, as `a` is less than, equal to or greater than `b`; no dearer than the shorter of the two. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.negative !== b.negative) return a.negative ? -1 : 1;
  const order =
    a.whole.length - b.whole.length || compareTexts(a.whole, b.whole) || compareTexts(a.fraction, b.fraction);
  return a.negative ? -order : order;
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function withoutZerosBefore(digits: string): string {
  let start = 0;
  while (digits[start] === "0") start += 1;
  return digits.slice(start);
}

function withoutZerosBehind(digits: string): string {
  let end = digits.length;
  while (digits.endsWith("0", end)) end -= 1;
  return digits.slice(0, end);
}
