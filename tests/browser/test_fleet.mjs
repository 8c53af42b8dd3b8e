// SPDX-License-Identifier: GPL-3.0-or-later
// The page with 100,000 endpoints and 10,000 backends: planner and API only, nothing is written.
import fs from "node:fs/promises";
import path from "node:path";

import { audit, expect, launch, open, see, shoot, shootFailure } from "./browser.mjs";
import { Installation, ZONE, freePort } from "./installation.mjs";
import { runAll, test, waitFor } from "./tap.mjs";

const ENDPOINTS = 100000;
const POOLS = ["web", "api", "cache", "edge"];
const SITES = ["ams", "bom", "cdg", "fra", "gru", "iad", "lhr", "nrt", "sfo", "syd"];
const EACH = 250; // backends of a pool in a site
const BACKENDS = POOLS.length * SITES.length * EACH + 1;
const SEARCH_MS = 1500; // from the last key to what is found, on a machine that has other work
const PARTS = ["shop", "mail", "pay", "id"];

const isDown = (pool, site, i) => (pool === "api" && site === "fra" ? i % 5 < 3 : i % 83 === 7);

const names = () => POOLS.flatMap((pool) => SITES.flatMap((site) =>
  Array.from({ length: EACH }, (_, i) => ({ pool, site, i, name: `${pool}-${site}-${i + 1}` }))));

async function writeFleet(folder) {
  const rows = names();
  await fs.writeFile(path.join(folder, "states"), rows.map(({ pool, site, i, name }) =>
    `${name} ${isDown(pool, site, i) ? "down" : "up"}\n`).join(""));
  for (const [p, pool] of POOLS.entries()) {
    const own = rows.filter((row) => row.pool === pool);
    await fs.writeFile(path.join(folder, `${pool}.jsonl`), own.map(({ site, i, name }) =>
      `${JSON.stringify({ name, address: `10.${p + 1}.${SITES.indexOf(site)}.${i + 1}`, site })}\n`)
      .join(""));
  }
  await fs.writeFile(path.join(folder, "endpoints.jsonl"), Array.from({ length: ENDPOINTS },
    (_, i) => `${JSON.stringify({ name: `svc-${i}.${PARTS[i % 4]}.${ZONE}`,
      pools: ["base"], ttl: "1h" })}\n`).join(""));
}

const configuration = (dead) => ({ api }) => `installation: fleet
store: sqlite:data/holdfast.db
api: { listen: 127.0.0.1@${api} }
targets:
  far: { type: rfc2136, server: 127.0.0.1@${dead} }
zones:
  ${ZONE}: { target: far }
pools:
${POOLS.map((pool) => `  ${pool}:
    check: { type: file, path: states, stale: 1h, rise: 1, fall: 1 }
    backends_file: ${pool}.jsonl`).join("\n")}
  base:
    check: { type: none }
    backends: [{ name: base-1, address: 192.0.2.1, site: ams }]
endpoints:
${POOLS.map((pool) => `  ${pool}.${ZONE}: { pools: [${pool}], ttl: 1h, answers: { max: 8 } }`)
    .join("\n")}
endpoints_file: endpoints.jsonl
`;

const fleet = await Installation.make(configuration(await freePort()));
await writeFleet(fleet.folder);
await fs.mkdir(path.join(fleet.folder, "data"));
const browser = await launch();
const page = await open(browser, "about:blank");

test("a fleet is shown at a glance", async () => {
  await fleet.start("planner");
  await fleet.start("api");
  await waitFor(async () => {
    const status = await fleet.tryGet("status");
    return status?.endpoints.planned === ENDPOINTS + POOLS.length && status.backends.down > 100;
  }, "the planner has published all of it", 90000);
  await page.goto(fleet.url);
  await see(page, /backends are down/, "section.top");
  await see(page, "No enactor is running", "section.top");
});

test(`a name is found among ${ENDPOINTS} while one types`, async () => {
  const times = [];
  for (const [text, wanted] of [["svc-99999", `svc-99999.id.${ZONE}`], ["zzz", "0 endpoints"],
    ["svc-1234.PAY", `svc-1234.pay.${ZONE}`], ["shop", "25,000 endpoints"]]) {
    await page.keyboard.press("/");
    await page.keyboard.press("Control+a");
    await page.keyboard.type(text);
    const start = Date.now();
    await see(page, wanted, "[role=listbox]");
    times.push(Date.now() - start);
  }
  console.log(`# from the last key to what is found: ${times.join(", ")} ms`);
  expect(Math.max(...times) < SEARCH_MS, `${times} ms`);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await see(page, "shop", "h1");
});

test("the list is filtered, and read page by page", async () => {
  await page.goto(`${fleet.url}#/endpoints?search=svc-12`);
  await see(page, "1,111 endpoints", "h2");
  await page.getByRole("button", { name: /Show more/ }).click();
  await waitFor(async () => await page.locator("tbody tr").count() === 200, "200 rows");
  await page.getByLabel("Part of the name").fill("svc-77777.");
  await see(page, /(^|\n)1 endpoint(\n|$)/, "h2");
  expect(page.url().includes("search=svc-77777."), "the address can be shared");
});

test(`${BACKENDS} backends are drawn, and each can be read`, async () => {
  await page.goto(`${fleet.url}#/backends`);
  await see(page, "10,001 backends", "main");
  const colours = await page.evaluate(() => {
    const canvas = document.querySelector(".heatmap canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  expect(colours > 3, `the map has ${colours} colours`);
  await page.locator(".heatmap canvas").click({ position: { x: 3, y: 50 } });
  await see(page, "Last check", ".one");
  expect(/backend=[a-z]+-ams-\d+/.test(page.url()), page.url());
  await page.getByRole("button", { name: "down", exact: true }).click();
  await see(page, /those in trouble first/, "main");
  await page.getByLabel("Part of the name").fill("api-fra-");
  await see(page, "150 backends", "main");
  await page.goto(`${fleet.url}#/backends`);
  await see(page, "10,001 backends", "main");
  const findings = await audit(page);
  expect(findings.length === 0, findings.join("\n"));
  await shoot(page, "fleet-light", 1000);
  await page.getByRole("button", { name: /^Theme/ }).click();
  await page.getByRole("button", { name: /^Theme/ }).click();
  await see(page, "☾", ".theme");
  await shoot(page, "fleet-dark", 1000);
  expect(page.faults.length === 0, page.faults.join("\n"));
});

await runAll((name) => shootFailure(page, name));
await browser.close();
await fleet.close();
