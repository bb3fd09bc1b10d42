/** More than a deployment has in use; whoever makes up names by the thousand cannot fill the memory. */
const MOST = 4096;
const LONGEST = 256;

const interned = new Map<string, string>();
const lowered = new Map<string, string>();

/** The one text that stands for an equal one everywhere, so that equal names are found by identity and kept once. */
export function intern(text: string): string {
  return remember(interned, text, () => text);
}

/** A name in lower case, {@link intern interned}. */
export function internName(name: string): string {
  return remember(lowered, name, () => intern(name.toLowerCase()));
}

function remember(known: Map<string, string>, text: string, make: () => string): string {
  const found = known.get(text);
  if (found !== undefined) return found;
  const made = make();
  if (text.length <= LONGEST) {
    if (known.size >= MOST) known.clear();
    known.set(text, made);
  }
  return made;
}
