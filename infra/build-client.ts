import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import manifest from "../package.json" with { type: "json" };

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SOURCE = join(ROOT, "shared/contract/stackwarden-client.ts");

/**
 * Builds what other Lambda functions install: `stackwarden/client`, as ESM and CommonJS with types, and not one dependency.
 * Publish it with `npm publish dist/client`.
 */
export async function buildClient(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const shared = { entryPoints: [SOURCE], bundle: true, target: "node20", platform: "node" as const };
  await build({ ...shared, format: "esm", outfile: join(folder, "client.mjs") });
  await build({ ...shared, format: "cjs", outfile: join(folder, "client.cjs") });
  await writeTypes(folder);
  await copyFile(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  const { name, version, description, license } = manifest;
  const entry = {
    import: { types: "./types/stackwarden-client.d.mts", default: "./client.mjs" },
    require: { types: "./types/stackwarden-client.d.cts", default: "./client.cjs" },
  };
  await writeFile(
    join(folder, "package.json"),
    JSON.stringify(
      { name, version, description, license, engines: { node: ">=20" }, exports: { "./client": entry } },
      null,
      2,
    ),
  );
}

async function writeTypes(folder: string): Promise<void> {
  const types = join(folder, "types");
  const options = ["--declaration", "--emitDeclarationOnly", "--noEmit", "false", "--outDir", types];
  const compiler = [
    "--ignoreConfig",
    "--target",
    "es2024",
    "--module",
    "nodenext",
    "--types",
    "node",
    "--strict",
  ];
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [
    tsc,
    SOURCE,
    ...compiler,
    "--allowImportingTsExtensions",
    "--skipLibCheck",
    ...options,
  ]);
  // The compiler leaves `./client.ts` in declarations; a consumer has neither that file nor the right to import it.
  for (const file of await readdir(types)) {
    const text = await readFile(join(types, file), "utf8");
    for (const kind of ["mts", "cts"]) {
      const target = file.replace(/\.ts$/, `.${kind}`);
      await writeFile(
        join(types, target),
        text.replaceAll(/(\.\/[\w-]+)\.ts"/g, `$1.${kind.replace("ts", "js")}"`),
      );
    }
    await rm(join(types, file));
  }
}

if (import.meta.main) {
  const folder = resolve(ROOT, "dist/client");
  await buildClient(folder);
  process.stdout.write(`built ${folder}: publish it with \`npm publish dist/client\`\n`);
}
