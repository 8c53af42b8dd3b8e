// SPDX-License-Identifier: GPL-3.0-or-later
// What an operator sees and does, on a live `holdfast run` with a real knotd.
import { setTimeout as pause } from "node:timers/promises";

import { PHONE, audit, expect, launch, open, overflow, see, shoot, shootFailure, vanish }
  from "./browser.mjs";
import { Installation, TOKEN, ZONE } from "./installation.mjs";
import { runAll, test, waitFor } from "./tap.mjs";

const TOP = "section.top";
const API = `api.${ZONE}`;
const ROUNDS = 5;
const ODD_WORDS = `<img src=x onerror="document.title='broken'"> & "ünï" 日本 \u202e`;
const VIEWS = [["now", ""], ["endpoints", "endpoints"], ["endpoint", `endpoints/${API}.`],
  ["backends", "backends"], ["plans", "plans"], ["incidents", "incidents"]];

// Pictures show commands as they are where Holdfast is installed.
const INSTALLED = { who: "anonymous", role: "read",
  command: "holdfast -c /etc/holdfast/holdfast.yaml" };

const prod = await Installation.make();
const browser = await launch();
const page = await open(browser, "about:blank");

const at = (hash) => `${prod.url}#/${hash}`;
const go = async (hash, other = page) => {
  await other.goto(at(hash));
  await other.waitForLoadState();
};

// Gives an operator's token in the way that a link does.
async function become(other, role) {
  await other.evaluate(() => sessionStorage.clear());
  await other.goto("about:blank");
  await other.goto(role === "operator" ? `${prod.url}#token=${TOKEN}` : prod.url);
  await other.waitForFunction(() => document.querySelector("main h1") !== null);
}

// Fills in the dialog that is open and sends it.
async function confirm(word, why, other = page) {
  const dialog = other.locator("dialog[open]");
  const button = dialog.locator("button.primary");
  expect(await button.isDisabled(), "the button must not work before the word is typed");
  await dialog.getByLabel(/^Type /).fill(word.slice(0, -1));
  expect(await button.isDisabled(), "the button must not work with another word");
  await dialog.getByLabel(/^Type /).fill(word);
  await dialog.getByLabel(/^Why/).fill(why);
  await button.click();
}

async function shootViews(kind, views, themes = ["light"]) {
  for (const theme of themes) {
    const other = await open(browser, prod.url, { theme: theme === "phone" ? "light" : theme,
      size: theme === "phone" ? PHONE : undefined });
    await other.route("**/api/v1/me", (route) => route.fulfill({ json: INSTALLED }));
    await other.reload();
    for (const [name, hash] of views) {
      await go(hash, other);
      await other.waitForFunction(() => document.querySelector("main .panel, main .top") !== null &&
        !document.querySelector("main").innerText.includes("Reading …"));
      await pause(400); // charts and pictures follow the first data
      const findings = theme === "phone" ? [] : await audit(other);
      expect(findings.length === 0, `${name}, ${theme}: ${findings.join("\n")}`);
      expect(await overflow(other) <= 0, `${name}, ${theme}: scrolls sideways`);
      await shoot(other, `${name}${kind && `-${kind}`}-${theme}`);
    }
    expect(other.faults.length === 0, other.faults.join("\n"));
    await other.context().close();
  }
}

// Every case can be the first and only one: what it needs of another one it makes sure of itself.
async function begin() {
  if (!prod.isRunning) {
    await prod.start("run");
    await prod.waitForCalm();
    await page.goto(prod.url);
  }
}

test("everything is well, and the page says so", async () => {
  await see(page, "Nothing needs a person", TOP);
  await see(page, "names answer as planned", TOP);
  await see(page, /6 zones? open|1 zone open/, ".travel");
  await see(page, "3 of 3 at work", ".travel");
  await see(page, "live", ".link");
  await see(page, "enactor-3", "table");
});

async function stopBackend() {
  prod.backends.set("127.0.0.11", "drop");
  await waitFor(async () => !(await prod.ask(API)).includes("127.0.0.11"), "web-1 is out");
}

test("a backend that is stopped is named with why, and leaves the answer", async () => {
  await go("");
  await stopBackend();
  await see(page, "web-1 is down", TOP);
  await see(page, /Its last check: \w/, TOP);
  await see(page, "web-1 failed", ".happened");
  await go(`endpoints/${API}.`);
  await see(page, /web-1 ✖? ?out: down down since/, "table");
  await see(page, "It answers what the plan says", ".verdict");
  await see(page, "127.0.0.12", ".addresses");
  await vanish(page, "127.0.0.11", ".addresses");
  await see(page, "web-1 failed", "table");
  await go("backends?backend=web-1");
  await see(page, "down", ".one");
});

test("the plan that took it out shows what left and what stayed", async () => {
  await stopBackend();
  const { changes } = await prod.get(`endpoints/${API}./history?limit=1`);
  await go(`plans/${changes[0].generation}`);
  await see(page, API, ".diff");
  await see(page, "- 127.0.0.11 web-1", ".diff");
  await see(page, "5 addresses stay", ".diff");
  await see(page, "0 to retire", ".summary");
  await go(`plans/head?from=${changes[0].generation}`);
  await see(page, `Generation ${changes[0].generation} →`, "h2");
  prod.backends.recover();
  await go("");
  await vanish(page, "web-1 is down", TOP);
});

// The DNS server is stopped first: enactor-1 then sleeps with one write under way and the rest of
// the rollout in hand.
async function fallAsleep() {
  await prod.signal("knotd-local", "SIGSTOP");
  prod.backends.set("127.0.0.12", "fail");
  await waitFor(async () => (await prod.tryGet("backends?search=web-2"))?.backends[0]
    .verdict === "down", "web-2 is down");
  await waitFor(async () => {
    const { enactors } = await prod.get("enactors");
    const status = await prod.get("status");
    return enactors.every((row) => row.plan_generation === status.head.generation);
  }, "every enactor works on the plan without web-2");
  await prod.signal("enactor-1", "SIGSTOP");
  await prod.signal("knotd-local", "SIGCONT");
  await waitFor(async () => !(await prod.ask(API)).includes("127.0.0.12"), "web-2 is out");
  prod.backends.recover();
  await waitFor(async () => (await prod.ask(API)).includes("127.0.0.12"), "web-2 is back");
  await waitFor(async () => (await prod.get("status")).endpoints.behind === 0, "all have it");
}

const hasLateWrite = async () =>
  (await prod.get("writes?kind=stale&enactor=enactor-1")).writes.length > 0;

test("a late write is refused, and the picture shows it as what it is", async () => {
  await go("");
  // Another round where it had nothing in hand when it was stopped.
  for (let round = 0; !(await hasLateWrite()) && round < ROUNDS; round++) {
    await fallAsleep();
    await prod.signal("enactor-1", "SIGCONT");
    await waitFor(async () => {
      const { enactors, head_generation } = await prod.get("enactors");
      return enactors.every((row) => row.plan_generation === head_generation && row.behind === 0);
    }, "enactor-1 has caught up");
  }
  await see(page, "A late write of enactor-1 was refused", TOP);
  await see(page, "The DNS server compared the fence and said no", TOP);
  await page.getByRole("link", { name: "See its timeline" }).first().click();
  await page.waitForSelector(".timeline .mark.stale");
  await page.waitForSelector(".timeline .thread.late");
  await see(page, "too late: refused", ".timeline");
  await page.locator(".as-table summary").click();
  await see(page, /enactor-1 \d+ ✖? ?stale, refused; found generation \d+/, ".as-table");
  await shootViews("late", [["timeline", new URL(page.url()).hash.slice(2)]], ["light", "dark"]);
});

test("an enactor that is paused is named, with what to type", async () => {
  await prod.signal("enactor-1", "SIGSTOP");
  await go("");
  await see(page, "enactor-1 was last heard of", ".travel");
  await see(page, "enactor-1 is not running, or it is paused", TOP);
  await see(page, "The other 2 do its work", TOP);
  await see(page, `kill -CONT ${await prod.pid("enactor-1")}`, TOP);
  await see(page, "2 of 3 at work", ".travel");
  await go(`endpoints/${API}.`);
  await page.waitForSelector(".timeline .asleep");
});

test("every view is well formed, light, dark and on a phone", async () => {
  await prod.signal("enactor-1", "SIGSTOP");
  prod.backends.recover();
  prod.backends.set("127.0.0.13", "fail");
  await prod.setEdge([3, 7, 11, 12, 13, 14, 15, 16, 17, 18, 30].map((i) => `edge-lhr-${i}`));
  await prod.holdfast("drain", "sfo", "--why", "power works");
  await waitFor(async () => {
    const { backends, enactors } = await prod.get("status");
    return backends.down === 12 && enactors.some((row) => !row.alive);
  }, "12 are down, and an enactor sleeps");
  await shootViews("", VIEWS, ["light", "dark", "phone"]);
  prod.backends.recover();
  await prod.setEdge([]);
  await prod.holdfast("undrain", "sfo");
  await prod.signal("enactor-1", "SIGCONT");
  await go("");
  await see(page, "Nothing needs a person", TOP);
});

test("a record that is edited by hand is put back, and the page says who did", async () => {
  await go("");
  await prod.waitForCalm(); // or a new generation takes the edit away before it is seen as one
  await prod.edit(`del ${API}. A`);
  await see(page, `Somebody edited ${API}`, TOP);
  await see(page, /enactor-\d put generation \d+ back/, TOP);
  await waitFor(async () => (await prod.ask(API)).length === 6, "it answers again");
  await go(`endpoints/${API}.`);
  await page.waitForSelector(".timeline .mark.healed");
  await see(page, "hand edit undone", ".legend");
});

test("who may only read is told how to get on, and can do nothing", async () => {
  await become(page, "reader");
  await page.getByRole("button", { name: "Freeze …" }).first().click();
  await see(page, "You may only read here", "dialog[open]");
  await see(page, `holdfast.yaml freeze ${ZONE}.`, "dialog[open]");
  expect(await page.locator("dialog[open] button.primary").count() === 0, "no button to do it");
  await page.keyboard.press("Escape");
  const answer = await fetch(`${prod.url}api/v1/freeze`, { method: "POST", body: "{}",
    headers: { "Content-Type": "application/json", "If-Match": "*" } });
  expect(answer.status === 403 || answer.status === 401, `${answer.status} without a token`);
});

test("a token in the address is taken out of it", async () => {
  await become(page, "operator");
  await see(page, "ann", ".who");
  expect(!page.url().includes(TOKEN), page.url());
  await page.reload();
  await see(page, "ann", ".who");
});

test("a zone is frozen with a typed word, says so at the top, and thaws", async () => {
  await become(page, "operator");
  await page.getByRole("button", { name: "Freeze …" }).first().click();
  await confirm(ZONE, ODD_WORDS);
  await see(page, `${ZONE} is frozen`, TOP);
  await see(page, "The DNS server itself refuses every write", TOP);
  await see(page, `holdfast.yaml thaw ${ZONE}.`, TOP);
  await see(page, "ann froze", ".happened");
  await see(page, '<img src=x onerror="document.title=\'broken\'"> & "ünï" 日本', TOP);
  await see(page, "1 of 1 zone frozen", ".travel");
  await waitFor(async () => (await prod.ask(`_holdfast-zone.${ZONE}`, "TXT"))[0]
    ?.includes("state=frozen"), "the zone guard says frozen");
  await shootViews("frozen", [["now", ""]]);
  await page.getByRole("button", { name: "Thaw …" }).first().click();
  await confirm(ZONE, "");
  await vanish(page, "is frozen", TOP);
  expect(!(await page.title()).includes("broken"), "a reason was run as a program");
});

test("what guards hold is approved with a typed word", async () => {
  await become(page, "operator");
  await prod.holdfast("drain", "a", "--why", "switch upgrade");
  await prod.holdfast("drain", "b", "--why", "switch upgrade");
  await see(page, "A guard holds changes back", TOP);
  await see(page, "Site a is drained", TOP);
  await page.getByRole("link", { name: "See what is held" }).click();
  await see(page, "held back by guards", TOP);
  await see(page, "max_removal", "table");
  await see(page, /- web-[1-4]/, "table");
  await page.getByRole("button", { name: "Approve …" }).click();
  const { planner } = await prod.get("status");
  await confirm(planner.held.id.slice(0, 8), "planned move");
  await vanish(page, "held back by guards", "main");
  await waitFor(async () => (await prod.ask(`db.${ZONE}`)).length === 2, "db has two left");
});

test("what has changed since the operator looked is not done", async () => {
  await become(page, "operator");
  for (const site of ["a", "b"]) {
    await prod.holdfast("drain", site, "--why", "switch upgrade");
  }
  await go("backends");
  await page.getByRole("button", { name: "Undrain …" }).first().click();
  await page.locator("dialog[open]").getByLabel(/^Type /).fill("a");
  await prod.holdfast("undrain", "a");
  await page.locator("dialog[open] button.primary").click();
  await see(page, "Nothing was done: it has changed since you looked", "dialog[open]");
  await page.keyboard.press("Escape");
  await prod.holdfast("undrain", "b");
  await waitFor(async () => (await prod.ask(`db.${ZONE}`)).length === 6, "all are back");
});

test("a name is rolled back with a typed word, and released", async () => {
  await become(page, "operator");
  await stopBackend(); // a generation to go back from
  prod.backends.recover();
  await waitFor(async () => (await prod.ask(API)).includes("127.0.0.11"), "web-1 is back");
  await go(`endpoints/${API}.`);
  await page.getByRole("button", { name: "Roll back …" }).nth(1).click();
  await confirm(API, "web-1 is suspicious");
  await see(page, "rolled back", ".words");
  await page.getByRole("button", { name: "Release …" }).click();
  await confirm(API, "");
  await see(page, "it follows the health of its backends", "main");
});

test("an incident is followed and written about", async () => {
  await become(page, "operator");
  await prod.holdfast("freeze", "--why", "an incident");
  await waitFor(async () => (await prod.get("incidents")).incidents.some(({ code, state }) =>
    code === "frozen" && state === "open"), "a freeze is an incident");
  await prod.holdfast("thaw");
  await go("incidents");
  await see(page, /\d+ .*(open|closed) .*frozen/, "table");
  await page.locator("tbody th a", { hasText: "frozen" }).first().click();
  await page.getByLabel("Message for everybody").fill(ODD_WORDS);
  await page.getByRole("button", { name: "Add the message" }).click();
  await see(page, "日本", ".words");
});

test("odd names and odd addresses are shown as they are", async () => {
  const long = `${"l".repeat(63)}.${"m".repeat(63)}.${ZONE}`;
  for (const name of [`*.wild.${ZONE}`, `_sip._udp.${ZONE}`, long]) {
    await go(`endpoints/${encodeURIComponent(name)}`);
    await see(page, name, "h1");
    await see(page, "It answers what the plan says", ".verdict");
  }
  await page.setViewportSize(PHONE);
  expect(await overflow(page) <= 0, "a long name makes the page scroll sideways");
  await page.setViewportSize({ width: 1280, height: 800 });
  await go("endpoints/%E0%A4%A");
  await see(page, "%E0%A4%A", "h1");
  await go("endpoints/%3Cb%3Ex%3C%2Fb%3E");
  await see(page, "<b>x</b>", "h1");
  await go(`endpoints/apj.${ZONE}`);
  await see(page, /Perhaps .*api/, "main");
  await go("nowhere/at/all");
  await see(page, "There is no such view", "main");
});

test("everything can be done with the keyboard", async () => {
  await go("");
  await see(page, "Nothing needs a person", TOP);
  await page.keyboard.press("/");
  await page.keyboard.type("cdn");
  await see(page, `cdn.${ZONE}`, "[role=option]");
  await page.keyboard.press("Enter");
  await see(page, `cdn.${ZONE}`, "h1");
  expect(await page.evaluate(() => document.activeElement.id) === "main", "the view has the focus");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Shift+Tab");
  await go("");
  await page.getByRole("button", { name: "Freeze …" }).first().focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog[open]", { state: "detached" });
});

test("a connection that is lost is said, with how old the view is, and comes back", async () => {
  await go("");
  await page.evaluate(() => {
    window.sameDocument = true;
  });
  await prod.stop();
  await see(page, /This view is \d+ s old/, ".age");
  await see(page, "The connection to Holdfast is lost", ".age");
  await page.waitForSelector("main.old");
  await prod.start("run");
  await page.waitForSelector("main:not(.old)");
  await see(page, "live", ".link");
  await see(page, "Nothing needs a person", TOP);
  expect(await page.evaluate(() => window.sameDocument), "the page was not loaded again");
});

test("nothing is asked of elsewhere, nothing is reported, and it is small", async () => {
  expect(page.faults.length === 0, page.faults.join("\n"));
  const context = await browser.newContext();
  const other = await context.newPage();
  const sizes = [];
  other.on("requestfinished", (request) => sizes.push(request.sizes().then((size) =>
    (request.url().includes("/api/") ? 0 : size.responseBodySize))));
  const response = await other.goto(prod.url);
  expect(response.headers()["content-security-policy"]?.includes("script-src 'self'"), "no policy");
  for (const [, hash] of VIEWS) {
    await other.goto(at(hash));
    await other.waitForSelector("main .panel, main .top");
  }
  const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  console.log(`# the page: ${sizes.length} requests, ${total} octets compressed`);
  expect(total > 10000 && total < 100000, `${total} octets`);
  await context.close();
});

await runAll((name) => shootFailure(page, name), begin);
await browser.close();
await prod.close();
