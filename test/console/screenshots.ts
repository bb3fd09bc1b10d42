import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { LOCAL_SIGN_IN } from "../../infra/local/sign-in-page.ts";
import { openBrowser } from "../setup/browser.ts";

const FOLDER = fileURLToPath(new URL("../../docs/console", import.meta.url));
const Announced = z.object({
  url: z.string(),
  stacks: z.array(z.object({ StackId: z.string(), Name: z.string() })),
});

/** Photographs each page of the demo account, as its administrator sees it, for the docs. */
async function photograph(url: string, stackId: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const browser = await openBrowser();
  const sizes = { desk: { width: 1000, height: 640 }, phone: { width: 390, height: 760 } };
  for (const { name, path, size = "desk", colorScheme = "light" } of [
    { name: "sign-in", path: undefined },
    { name: "stacks", path: "/console" },
    { name: "permissions", path: `/console/stacks/${stackId}/permissions?show=holders` },
    {
      name: "permissions-dark",
      path: `/console/stacks/${stackId}/permissions?show=holders`,
      colorScheme: "dark",
    },
    { name: "my-settings-phone", path: "/console/my-settings", size: "phone" },
  ] as const) {
    const context = await browser.newContext({ viewport: sizes[size], colorScheme, locale: "en-GB" });
    const page = await context.newPage();
    await page.goto(`${url}${LOCAL_SIGN_IN}`);
    await page.getByRole("button", { name: /\/alice$/ }).click();
    const confirm = page.getByRole("button", { name: "Sign in", exact: true });
    await confirm.waitFor();
    if (path !== undefined) {
      await confirm.click();
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      await page.goto(`${url}${path}`);
    }
    await page.screenshot({ path: `${FOLDER}/${name}.png` });
    await context.close();
  }
  await browser.close();
}

const stack = spawn(process.execPath, ["infra/local/start.ts", "--port", "0", "--json"], {
  cwd: fileURLToPath(new URL("../..", import.meta.url)),
  stdio: ["ignore", "pipe", "inherit"],
});
try {
  const [line] = await once(createInterface(stack.stdout), "line");
  const { url, stacks } = Announced.parse(JSON.parse(String(line)));
  await photograph(url, stacks.find(({ Name }) => Name === "webshop-production")?.StackId ?? "");
} finally {
  stack.kill("SIGINT");
}
