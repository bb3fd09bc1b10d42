/** Numbers in JSON with every digit they are written with, which a double would round. */

type RawJson = { rawJSON: (text: string) => object };
type ReviverWithSource = (key: string, value: unknown, context: { source?: string }) => unknown;

export function rawNumber(digits: string): object {
  return (JSON as unknown as RawJson).rawJSON(digits);
}

export function readDocuments(text: string): unknown {
  const keepDigits: ReviverWithSource = (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? rawNumber(source) : value;
  return JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown);
}
