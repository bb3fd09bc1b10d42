const LONGEST = 2048;

/**
 * Keeps what was made of a text for the next time, within bounds that whoever makes up texts cannot pass: when there are
 * too many, all are forgotten.
 */
export function remember<T>(make: (text: string) => T, most = 4096): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const made = make(text);
    if (text.length <= LONGEST) {
      if (known.size >= most) known.clear();
      known.set(text, made);
    }
    return made;
  };
}

/** Keeps only what was made of the last text. */
export function rememberLast<T>(make: (text: string) => T): (text: string) => T {
  let lastText = "";
  let last = make(lastText);
  return (text) => {
    if (text !== lastText) {
      last = make(text);
      lastText = text;
    }
    return last;
  };
}

/** The one text that stands for an equal one everywhere, so that equal names are found by identity and kept once. */
export const intern = remember((text) => text);

/** A name in lower case, {@link intern interned}. */
export const internName = remember((name) => intern(name.toLowerCase()));
