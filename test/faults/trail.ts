import type { Entry } from "./workload.ts";
import type { Wire } from "./world.ts";

/** Of what there is nothing, whoever asks. */
export const NO_VERSION = "none";

/** The operations that set permissions. */
export const SETS = new Set(["SetPermission", "SetPermissions"]);

/** What a request sets, one after the other: of whom, or of which group. */
export function partsOf({ operation, input }: Entry): Wire[] {
  if (operation !== "SetPermissions") return [input];
  const { StackId, Permissions = [], GroupPermissions = [] } = input;
  return [...Permissions, ...GroupPermissions].map((part) => ({ StackId, ...part }));
}

export function partOf(entry: Entry | undefined, event: Wire): Wire {
  if (!entry) return {};
  return entry.operation === "SetPermissions"
    ? (partsOf(entry).find((part) => isAbout(event, part)) ?? {})
    : entry.input;
}

export function isAbout(event: Wire, part: Wire): boolean {
  return event.IamUserArn === part.IamUserArn && event.GroupName === part.GroupName;
}

export function isEvent({ pk }: Wire): boolean {
  return pk.startsWith("EVENTS#");
}

/** An event of what an import wrote. */
export function isImport({ Operation }: Wire): boolean {
  return Operation === "ImportUsers";
}

/** An event of what was copied with a stack. */
export function isCopy({ Operation, IamUserArn, GroupName }: Wire): boolean {
  return Operation === "CloneStack" && (IamUserArn !== undefined || GroupName !== undefined);
}

/** An event of the Unix id that somebody is given with their first SSH, by itself. */
export function isUnixId({ Operation, StackId, After }: Wire): boolean {
  return SETS.has(Operation) && StackId === undefined && After?.UnixId !== undefined;
}

/** When a layer of a copy was made, which only its own later events tell. */
export function layerAtFirst(events: readonly Wire[], layerId: string): string | undefined {
  return events.find(({ Before }) => Before?.LayerId === layerId && Before.CreatedAt)?.Before.CreatedAt;
}
