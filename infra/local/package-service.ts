import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Packages the service as a deployment would, without network or credentials, and returns the folder with the template
 * and one archive a function. `workFolder` is an empty folder: osls and serverless-esbuild write to fixed places in the
 * service's folder, so two runs there would destroy each other's files; each run works behind links of its own.
 * With `templateOnly` there are no archives.
 */
export async function packageService(
  workFolder: string,
  { templateOnly = false }: { templateOnly?: boolean } = {},
): Promise<string> {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const [from, to] = [join(root, entry.name), join(workFolder, entry.name)];
    if (entry.name.startsWith(".")) continue;
    // osls refuses a configuration file that is a link.
    if (entry.isFile()) copyFileSync(from, to);
    else symlinkSync(from, to, "junction");
  }
  const osls = createRequire(import.meta.url).resolve("osls/bin/serverless.js");
  const child = spawn(process.execPath, [osls, "package"], {
    cwd: workFolder,
    env: { ...process.env, ...(templateOnly ? { TEMPLATE_ONLY: "1" } : {}) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`osls package failed:\n${output.trim().split("\n").slice(-20).join("\n")}`);
  return join(workFolder, ".serverless");
}
