import Chromium from "@sparticuz/chromium";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { consoleToken } from "./console-visitor.ts";
import type { TestStack } from "./test-stack.ts";

/**
 * A real Chromium, which came with `npm ci`; `CHROMIUM` names another. Not with that package's own flags, which are for Lambda: they turn off what
 * keeps one origin from another.
 */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? (await Chromium.executablePath());
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--font-render-hinting=none"] });
}

/** Signs somebody in, step by step as a person does, and shows their first page. */
export async function signIn(context: BrowserContext, stack: TestStack, as: Identity): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${stack.url}/console/sign-in#${await consoleToken(stack, as)}`);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  return page;
}

/** Whether everybody can use the page, as far as axe can tell: in light and in dark, all of its rules but experimental ones. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const found: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] =
      await page.evaluate(`${axe.source}; axe.run().then(({ violations }) => violations)`);
    expect(found.map(({ id, impact, nodes }) => ({ id, impact, nodes, colorScheme }))).toEqual([]);
  }
}
