/** Patterns, spelled out one sign at a time: what a text of a policy becomes once its variables have their values. */

export type Sign = { kind: "any" } | { kind: "one" } | { kind: "letter"; letter: string };

export type Reading = { version: string | undefined; context: ReadonlyMap<string, string | string[]> };

/** The signs of a text, or undefined when a variable in it has no value. A substituted letter is never a wildcard. */
export function signsOf(text: string, wildcards: boolean, reading: Reading): Sign[] | undefined {
  const signs: Sign[] = [];
  let rest = text;
  while (rest !== "") {
    if (reading.version === "2012-10-17" && rest.startsWith("${")) {
      const end = rest.indexOf("}");
      const value = valueOfVariable(rest.slice(2, end), reading);
      if (value === undefined) return undefined;
      for (const letter of value) signs.push({ kind: "letter", letter });
      rest = rest.slice(end + 1);
      continue;
    }
    const [letter = ""] = rest;
    if (wildcards && letter === "*") signs.push({ kind: "any" });
    else if (wildcards && letter === "?") signs.push({ kind: "one" });
    else signs.push({ kind: "letter", letter });
    rest = rest.slice(letter.length);
  }
  return signs;
}

function valueOfVariable(inside: string, reading: Reading): string | undefined {
  if (inside === "*" || inside === "?" || inside === "$") return inside;
  const comma = inside.indexOf(",");
  const key = (comma === -1 ? inside : inside.slice(0, comma)).trim();
  const value = reading.context.get(key.toLowerCase());
  if (typeof value === "string" && !isMultivalued(key)) return value;
  if (comma === -1) return undefined;
  return inside
    .slice(comma + 1)
    .trim()
    .slice(1, -1);
}

export function isMultivalued(key: string): boolean {
  return [
    "aws:tagkeys",
    "aws:calledvia",
    "aws:principalorgpaths",
    "aws:principalservicenameslist",
    "aws:resourceorgpaths",
  ].includes(key.toLowerCase());
}

/** Follows every place in the text that the signs so far can reach. */
export function globCovers(signs: readonly Sign[], text: string): boolean {
  const letters = Array.from(text);
  let places = [0];
  for (const sign of signs) {
    const [first] = places;
    if (first === undefined) return false;
    if (sign.kind === "any") {
      places = Array.from({ length: letters.length + 1 - first }, (_, step) => first + step);
    } else {
      places = places
        .filter((place) => (sign.kind === "one" ? place < letters.length : letters[place] === sign.letter))
        .map((place) => place + 1);
    }
  }
  return places.includes(letters.length);
}

/** An ARN's six fields; the sixth keeps its colons. */
export function arnFields(arn: string): string[] {
  const parts = arn.split(":");
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(":")];
}

/** The same for signs. */
function signFields(signs: readonly Sign[]): Sign[][] {
  const fields: Sign[][] = [[]];
  for (const sign of signs) {
    if (sign.kind === "letter" && sign.letter === ":" && fields.length < 6) fields.push([]);
    else fields.at(-1)?.push(sign);
  }
  return fields;
}

/** Field by field; of fewer than six that end in `*` the last spans all that follow. */
export function arnCovers(signs: readonly Sign[], arn: string): boolean {
  if (signs.length > 0 && signs.every((sign) => sign.kind === "any")) return true;
  const patterns = signFields(signs);
  const fields = arnFields(arn);
  if (fields.length < 6) return false;
  if (patterns.length < 6 && signs.at(-1)?.kind !== "any") return false;
  const last = patterns.length - 1;
  return patterns.every((pattern, index) =>
    globCovers(pattern, index < last ? (fields[index] ?? "") : fields.slice(last).join(":")),
  );
}
