import * as z from "zod";
import { Level } from "../model/level.ts";
import { type Content, html, type Html, name } from "./html.ts";
import { level } from "./words.ts";

/** What an event's members are called, in the order in which they are shown; the others follow, by their own names. */
const CALLED: Readonly<Record<string, string>> = {
  Level: "Level",
  AllowSsh: "SSH/RDP",
  AllowSudo: "sudo/admin",
  AllowSelfManagement: "Self-management",
  SshUsername: "SSH user name",
  SshPublicKey: "SSH key",
  UnixId: "Unix id",
};

/** What only tells one state from another. */
const NOT_SHOWN = new Set(["ProfileId", "Revision", "Version"]);
/** A longer value is folded. */
const SHORT = 120;

const Members = z.record(z.string(), z.unknown()).catch({});

/** What an event changed, member by member, before and after; what stayed the same is left out. */
export function changes(before: unknown, after: unknown): Html {
  const [had, has] = [Members.parse(before), Members.parse(after)];
  const members = new Set([...Object.keys(CALLED), ...Object.keys(had), ...Object.keys(has)]);
  const changed = [...members].filter(
    (member) => !NOT_SHOWN.has(member) && JSON.stringify(had[member]) !== JSON.stringify(has[member]),
  );
  if (changed.length === 0) return html`<span class="no">nothing of it</span>`;
  return html`<ul class="plain">${changed.map(
    (member) =>
      html`<li>${name(CALLED[member] ?? member)}: ${before !== undefined && html`${value(member, had[member])} → `}${value(member, has[member])}</li>`,
  )}</ul>`;
}

function value(member: string, of: unknown): Content {
  if (of === undefined || of === "") return "none";
  if (typeof of === "boolean") return of ? "on" : "off";
  const asLevel = member === "Level" ? Level.safeParse(of).data : undefined;
  if (asLevel) return level(asLevel);
  const text = typeof of === "string" ? of : JSON.stringify(of);
  if (text.length <= SHORT) return html`<span class="key">${name(text)}</span>`;
  return html`<details><summary>${name(`${text.slice(0, 40).toWellFormed()} …`)}</summary><span class="key">${name(text)}</span></details>`;
}
