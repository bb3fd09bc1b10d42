import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const END = "<!-- to here -->";

/** Puts a report into a page of the docs, in place of the last one: between the line that names its command and the next end. */
export async function writeBetweenMarkers(file: URL, command: string, text: string): Promise<void> {
  const begin = `<!-- ${command} -- --write: from here -->`;
  const before = await readFile(file, "utf8");
  const [head, ...rest] = before.split(begin);
  const after = rest.join(begin);
  const end = after.indexOf(END);
  if (head === undefined || end < 0) throw new Error(`${fileURLToPath(file)} lacks its markers`);
  await writeFile(file, `${head}${begin}\n\n${text}\n${after.slice(end)}`);
}
