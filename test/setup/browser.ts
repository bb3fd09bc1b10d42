import Chromium from "@sparticuz/chromium";
import axe from "axe-core";
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
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

/** What pages should never do: open a dialog, be stopped by their own Content-Security-Policy, throw. */
export type Heard = { readonly dialogs: string[]; readonly complaints: string[] };

export const NOTHING_HEARD: Heard = { dialogs: [], complaints: [] };

/** Listens to all pages of a context from now on, and answers with what is heard. */
export function listen(context: BrowserContext, heard: Heard = { dialogs: [], complaints: [] }): Heard {
  context.on("dialog", (dialog) => {
    heard.dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  context.on("console", (message) => {
    if (/Content Security Policy|Trusted/.test(message.text())) heard.complaints.push(message.text());
  });
  context.on("weberror", (error) => heard.complaints.push(String(error.error())));
  return heard;
}

/** A reader in Tokyo, without transitions, and what is heard of their pages. */
export async function openReader(browser: Browser): Promise<{ context: BrowserContext; heard: Heard }> {
  const reader = { timezoneId: "Asia/Tokyo", locale: "en-GB", reducedMotion: "reduce" } as const;
  const context = await browser.newContext(reader);
  return { context, heard: listen(context) };
}

/** The cells of a row after its heading, as they read. */
export async function cellsOf(row: Locator): Promise<string[]> {
  return (await row.getByRole("cell").allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " ").trim());
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
