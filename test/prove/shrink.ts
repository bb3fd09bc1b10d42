/** Takes parts of a value away, one after the other, for as long as the fault stays. */
export function shrink<Value>(value: Value, isFaulty: (value: Value) => boolean): Value {
  let smallest = value;
  for (;;) {
    const smaller = smallerThan(smallest).find((candidate) => isFaulty(candidate as Value));
    if (smaller === undefined) return smallest;
    smallest = smaller as Value;
  }
}

/** Everything that is a step smaller; the larger steps first. */
function smallerThan(value: unknown): unknown[] {
  if (Array.isArray(value)) {
    const without = value.map((_, index) => value.toSpliced(index, 1));
    const within = value.flatMap((item, index) =>
      smallerThan(item).map((smaller) => value.with(index, smaller)),
    );
    return [...without, ...(value.length === 1 ? [value[0]] : []), ...within];
  }
  if (typeof value === "string") {
    const letters = Array.from(value);
    if (letters.length > 60) return [];
    return letters.map((_, index) => letters.toSpliced(index, 1).join(""));
  }
  if (typeof value !== "object" || value === null || "rawJSON" in value) return [];
  const members = Object.entries(value);
  const without = members.map((_, index) => Object.fromEntries(members.toSpliced(index, 1)));
  const within = members.flatMap(([name, member], index) =>
    smallerThan(member).map((smaller) => Object.fromEntries(members.with(index, [name, smaller]))),
  );
  return [...without, ...within];
}
