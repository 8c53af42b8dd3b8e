// SPDX-License-Identifier: GPL-3.0-or-later
// Debian's Chromium, and what a test wants to know of a page.
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { chromium } from "playwright-core";

import { shrink } from "./png.mjs";

const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const PATIENCE_MS = 30000;
export const WIDE = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function launch() {
  const program = process.env.CHROMIUM ?? PROGRAMS.find((name) => fs.existsSync(name));
  if (program === undefined) {
    throw new Error("chromium is missing: run tools/setup --test");
  }
  return chromium.launch({ executablePath: program, args: FLAGS });
}

// A page that notes whatever it should not do: errors, and requests to elsewhere.
export async function open(browser, url, { theme = "light", size = WIDE } = {}) {
  const context = await browser.newContext({ colorScheme: theme, viewport: size,
    timezoneId: "UTC", locale: "en-GB" });
  const page = await context.newPage();
  let home = null; // origin of the first request
  page.faults = [];
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("pageerror", (error) => page.faults.push(`error: ${error.stack}`));
  page.on("console", (message) => {
    const isNetwork = /Failed to load resource|net::ERR/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !isNetwork) {
      page.faults.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    home ??= origin;
    if (origin !== home && protocol !== "data:") {
      page.faults.push(`request to elsewhere: ${request.url()}`);
    }
  });
  await page.goto(url);
  return page;
}

export function expect(condition, what) {
  if (!condition) {
    throw new Error(what);
  }
}

// Waits until the page shows the text; the error has what it shows instead.
export async function see(page, text, where = "body", limit_ms = PATIENCE_MS) {
  const wanted = text instanceof RegExp ? { source: text.source, flags: text.flags } : text;
  try {
    await page.waitForFunction(([selector, want]) => {
      const shown = [...document.querySelectorAll(selector)].map((node) =>
        (node.innerText ?? node.textContent).replace(/\s+/g, " ")).join("\n");
      return typeof want === "string" ? shown.includes(want)
        : new RegExp(want.source, want.flags).test(shown);
    }, [where, wanted], { timeout: limit_ms });
  } catch {
    const shown = await page.locator(where).allInnerTexts();
    throw new Error(`“${text}” does not appear in ${where}, which shows:\n${
      shown.join("\n").slice(0, 3000)}`);
  }
}

export async function vanish(page, text, where, limit_ms = PATIENCE_MS) {
  await page.waitForFunction(([selector, want]) => ![...document.querySelectorAll(selector)]
    .some((node) => node.innerText.includes(want)), [where, text], { timeout: limit_ms });
}

// Findings of axe that are serious or worse, as text.
export async function audit(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    // eslint-disable-next-line no-undef
    axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.slice(0, 5).map((node) =>
      `${node.target.join(" ")}: ${node.failureSummary?.split("\n")[1]?.trim()}`).join("\n  ")}`);
}

// How far the page can be scrolled sideways.
export const overflow = (page) => page.evaluate(() =>
  document.documentElement.scrollWidth - document.documentElement.clientWidth);

// The pictures of the documentation, made small, go to $HOLDFAST_SHOTS; else to build/screenshots.
const seen = path.join(process.env.HOLDFAST_BUILD ?? "build", "screenshots");
const shots = process.env.HOLDFAST_SHOTS ?? seen;
fs.mkdirSync(seen, { recursive: true });

// What the page looked like when a case failed.
export const shootFailure = (page, name) => page.screenshot({
  path: path.join(seen, `failed-${name.slice(0, 40).replace(/\W+/g, "-")}.png`) });

export async function shoot(page, name, height_max = 1500) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const size = page.viewportSize();
  await page.setViewportSize({ width: size.width, height: Math.min(height, height_max) });
  await page.evaluate(() => new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(resolve));
  }));
  const png = await page.screenshot({ animations: "disabled", caret: "hide" });
  fs.writeFileSync(path.join(shots, `${name}.png`),
    process.env.HOLDFAST_SHOTS ? shrink(png) : png);
  await page.setViewportSize(size);
}
