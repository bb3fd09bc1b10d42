import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import * as z from "zod";
import { LOCAL_SIGN_IN } from "../../infra/local/sign-in-page.ts";
import { openBrowser } from "../setup/browser.ts";

const HELP = `Photographs the console's pages for docs/console: the demo account's, on a local stack of its own that ends with it.

  npm run -s screenshots

Exit code: 0, or another when a page could not be photographed.
`;

const FOLDER = fileURLToPath(new URL("../../docs/console", import.meta.url));
type Photograph = {
  readonly name: string;
  readonly path?: string;
  /** What is done on the page first. */
  readonly go?: (page: Page) => Promise<void>;
  readonly size?: "desk" | "phone";
  readonly colorScheme?: "light" | "dark";
};
const Announced = z.object({
  url: z.string(),
  stacks: z.array(z.object({ StackId: z.string(), Name: z.string() })),
});

/** What a change comes to, before it is saved: other levels for two users. */
async function toPreview(page: Page): Promise<void> {
  const levels = page.getByRole("combobox", { name: /^Level of (?!the )/ });
  const [first, second] = [levels.nth(0), levels.nth(1)];
  for (const level of [first, second])
    await level.selectOption((await level.inputValue()) === "deploy" ? "show" : "deploy");
  await page.getByRole("button", { name: "Preview the changes" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).waitFor();
}

/** A history has something in it once somebody has saved something. */
async function toHistory(page: Page): Promise<void> {
  await toPreview(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("The changes were saved").waitFor();
  await page.getByRole("link", { name: "History" }).click();
  await page.getByText("What was changed, the newest first").waitFor();
}

/** Photographs each page of the demo account, as its administrator sees it, for the docs. */
async function photograph(url: string, stackId: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const browser = await openBrowser();
  const sizes = { desk: { width: 1000, height: 640 }, phone: { width: 390, height: 760 } };
  const edit = `/console/stacks/${stackId}/permissions?edit=yes&show=holders`;
  const photographs: readonly Photograph[] = [
    { name: "sign-in" },
    { name: "stacks", path: "/console" },
    { name: "permissions", path: `/console/stacks/${stackId}/permissions?show=holders` },
    {
      name: "permissions-dark",
      path: `/console/stacks/${stackId}/permissions?show=holders`,
      colorScheme: "dark",
    },
    { name: "my-settings-phone", path: "/console/my-settings", size: "phone" },
    { name: "preview", path: edit, go: toPreview },
    { name: "preview-phone", path: edit, go: toPreview, size: "phone" },
    { name: "history", path: edit, go: toHistory },
    { name: "history-phone", path: `/console/stacks/${stackId}/history`, size: "phone" },
  ];
  for (const { name, path, go, size = "desk", colorScheme = "light" } of photographs) {
    const context = await browser.newContext({
      viewport: sizes[size],
      colorScheme,
      locale: "en-GB",
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    await page.goto(`${url}${LOCAL_SIGN_IN}`);
    await page.getByRole("button", { name: /\/alice$/ }).click();
    const confirm = page.getByRole("button", { name: "Sign in", exact: true });
    await confirm.waitFor();
    if (path !== undefined) {
      await confirm.click();
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      await page.goto(`${url}${path}`);
      await go?.(page);
    }
    await page.screenshot({ path: `${FOLDER}/${name}.png` });
    await context.close();
  }
  await browser.close();
}

async function main(): Promise<void> {
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
}

const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" } } });
if (values.help) process.stdout.write(HELP);
else await main();
