/**
 * Counts the characters that a run looks at through the methods of strings and regular expressions, whichever it uses:
 * a comparison costs the length of what is looked for, a search the distance it goes, a copy its length. Reading `text[i]`
 * and `===` cannot be seen; a regular expression counts as one pass.
 */
export function countWork<Result>(run: () => Result): { work: number; result: Result } {
  let work = 0;
  const restore = [...Object.getOwnPropertyNames(String.prototype), Symbol.iterator].flatMap((name) => {
    const method: unknown = Reflect.get(String.prototype, name);
    if (name === "constructor" || typeof method !== "function") return [];
    return [
      replaced(String.prototype, name, function counted(this: unknown, ...given: unknown[]) {
        const result: unknown = Reflect.apply(method, this, given);
        work += costOf(String(name), lengthOf(this), given, result);
        return result;
      }),
    ];
  });
  const exec: unknown = Reflect.get(RegExp.prototype, "exec");
  restore.push(
    replaced(RegExp.prototype, "exec", function counted(this: unknown, ...given: unknown[]) {
      work += lengthOf(given[0]) + 1;
      return typeof exec === "function" ? Reflect.apply(exec, this, given) : undefined;
    }),
  );
  try {
    const result = run();
    return { work, result };
  } finally {
    for (const undo of restore) undo();
  }
}

function replaced(
  target: object,
  name: string | symbol,
  method: (...given: unknown[]) => unknown,
): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name) ?? {};
  Object.defineProperty(target, name, { ...before, value: method });
  return () => Object.defineProperty(target, name, before);
}

function costOf(name: string, length: number, given: readonly unknown[], result: unknown): number {
  const needle = lengthOf(given[0]);
  switch (name) {
    case "charAt":
    case "charCodeAt":
    case "codePointAt":
    case "at":
    case "toString":
    case "valueOf":
      return 1;
    case "startsWith":
    case "endsWith":
      return needle + 1;
    case "indexOf": {
      const from = typeof given[1] === "number" ? given[1] : 0;
      return (typeof result === "number" && result >= 0 ? result : length) - from + needle + 1;
    }
    case "slice":
    case "substring":
    case "substr":
      return lengthOf(result) + 1;
    default:
      return length + given.reduce<number>((sum, one) => sum + lengthOf(one), 0) + lengthOf(result) + 1;
  }
}

/** Without a method of strings, which are counted. */
function lengthOf(value: unknown): number {
  return typeof value === "string" ? value.length : 0;
}
