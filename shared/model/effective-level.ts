import { Level } from "./level.ts";

/** A level and where it comes from: `user`, `group/<name>` or, for a person of Identity Center, `role/<name>`. */
export type SourcedLevel = { readonly Level: Level; readonly LevelFrom: string };

/** What counts of several levels: `deny` wins, else the strongest; of equals, the first. */
export function effectiveLevel(own: Level, others: readonly SourcedLevel[]): SourcedLevel {
  let effective: SourcedLevel = { Level: own, LevelFrom: "user" };
  for (const other of others) if (beats(other.Level, effective.Level)) effective = other;
  return effective;
}

function beats(level: Level, than: Level): boolean {
  if (level === "deny" || than === "deny") return level === "deny" && than !== "deny";
  return rankOf(level) > rankOf(than);
}

/** They are listed from least to most. */
function rankOf(level: Level): number {
  return Level.options.indexOf(level);
}
