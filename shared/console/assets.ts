import { createHash } from "node:crypto";
import type { WebAnswer } from "../lambda/web-request.ts";
import { ICON } from "./assets/icon.ts";
import { SCRIPT } from "./assets/script.ts";
import { STYLE } from "./assets/style.ts";

const FOLDER = "/console/assets/";

/** Each under a name that has its hash, so that a browser may keep it for ever. */
const SERVED = new Map<string, { readonly type: string; readonly text: string }>();

export const STYLE_PATH = add("style.css", "text/css; charset=utf-8", STYLE);
export const SCRIPT_PATH = add("script.js", "text/javascript; charset=utf-8", SCRIPT);
export const ICON_PATH = add("icon.svg", "image/svg+xml", ICON);

/** What the path names, if it names one of them as it is now. */
export function assetAt(path: string): WebAnswer | undefined {
  const asset = SERVED.get(path);
  return (
    asset && {
      status: 200,
      headers: {
        "content-type": asset.type,
        "cache-control": "public, max-age=31536000, immutable",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "same-origin",
      },
      body: asset.text,
    }
  );
}

export function isAssetPath(path: string): boolean {
  return path.startsWith(FOLDER);
}

function add(fileName: string, type: string, text: string): string {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const path = `${FOLDER}${hash}-${fileName}`;
  SERVED.set(path, { type, text });
  return path;
}
