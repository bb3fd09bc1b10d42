import Chromium from "@sparticuz/chromium";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import type { TestStack } from "./test-stack.ts";

/**
 * A real Chromium, which came with `npm ci`; `CHROMIUM` names another. Not with that package's own flags, which are for Lambda: they turn off what
 * keeps one origin from another.
 */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? (await Chromium.executablePath());
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--font-render-hinting=none"] });
}

/** A token for the console, as the command asks for it with somebody's own credentials. */
export async function consoleToken(stack: TestStack, as: Identity): Promise<string> {
  const { status, body } = await stack.post(as, "/CreateConsoleToken", {});
  expect(status).toBe(200);
  return body.Token;
}

/** Signs somebody in, step by step as a person does, and shows their first page. */
export async function signIn(context: BrowserContext, stack: TestStack, as: Identity): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${stack.url}/console/sign-in#${await consoleToken(stack, as)}`);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  return page;
}
