// SPDX-License-Identifier: GPL-3.0-or-later
// Backends: a map of all of them, what is known of one, and a table that has each.
import { html, useMemo, useState } from "./lib.js";
import { Columns } from "./chart.js";
import { ACTIONS, ActionButton } from "./dialog.js";
import { Filter } from "./endpoints.js";
import { checkTime, count, duration, plural } from "./format.js";
import { HeatMap, TONES } from "./heatmap.js";
import { Ago, Choices, Empty, Panel, State, Table, Trouble } from "./parts.js";
import { href, refine, route } from "./route.js";
import { now, status, useData } from "./state.js";

const PAGE = 50;
const SITES_SHOWN = 40;
const LETTERS = { u: "up", d: "down", "?": "unknown", U: "up", D: "down", "!": "unknown" };
const COLOURS = [["state", "state"], ["duration", "check time"], ["flaps", "flaps"]];
const VERDICTS = [["", "all"], ["down", "down"], ["unknown", "unknown"], ["drained", "drained"],
  ["flapping", "flapping"], ["up", "up"]];
const SHOWN_MIN = 6; // buckets
const BUCKETS_US = [250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1e6,
  Infinity];

// Columns of the answer as rows; what is in trouble comes first.
function toRows(body) {
  const order = { down: 0, unknown: 1, up: 2 };
  return body.name.map((name, i) => {
    const letter = body.verdict[i];
    const ago_ms = body.checked_ago_ms[i];
    return { name, pool: body.pools[body.pool[i]], site: body.sites[body.site[i]],
      verdict: LETTERS[letter], drained: letter === "U" || letter === "D" || letter === "!",
      checked_ms: ago_ms < 0 ? null : body.now_ms - ago_ms, since_ms: body.since_ms[i],
      duration_us: body.duration_us[i], flaps: body.flaps[i], why: body.whys[body.why[i]] ?? "" };
  }).sort((a, b) => order[a.verdict] - order[b.verdict] || b.drained - a.drained ||
    b.flaps - a.flaps);
}

function Verdict({ row }) {
  return html`<${State} tone=${row.verdict === "down" ? "down" : TONES[row.verdict]}>${
    row.verdict}<//>${row.drained && html` <${State} tone="notice">drained<//>`}`;
}

function Drain({ subject, isDrained, isSite = false }) {
  const { words } = status.value.basis;
  return isDrained
    ? html`<${ActionButton} action=${() => ACTIONS.undrain(subject, words)}>Undrain …<//>`
    : html`<${ActionButton} action=${() => ACTIONS.drain(subject, words, isSite)}>Drain …<//>`;
}

function One({ name, rows }) {
  const row = rows.find((other) => other.name === name);
  const close = html`<button type="button" class="quiet" onClick=${() => refine({ backend: "" })}>
    close</button>`;
  if (!row) {
    return html`<${Panel} title=${name} aside=${close}><${Empty}>There is no such backend.<//><//>`;
  }
  return html`<${Panel} title=${name} aside=${close} className="one">
    <dl class="facts">
      <dt>State</dt><dd><${Verdict} row=${row} />${row.since_ms > 0 && html`<span class="dim">
        ${" "}for ${duration(now.value - row.since_ms)}</span>`}</dd>
      <dt>Last check</dt><dd>${row.why || "none yet"}<span class="dim">${" "}<${Ago}
        at=${row.checked_ms} />, took ${checkTime(row.duration_us)}</span></dd>
      <dt>Flaps</dt><dd>${row.flaps === 0 ? "none" : `${count(row.flaps)}: it fell soon after it ` +
        "had returned, and is kept out longer each time"}</dd>
      <dt>Pool, site</dt><dd>${row.pool}, ${row.site || "no site"}</dd>
    </dl>
    <div class="buttons">
      <a class="button" href=${href("endpoints", "", { backend: name })}>Its endpoints</a>
      <${Drain} subject=${name} isDrained=${row.drained} />
    </div>
  <//>`;
}

function Sites({ rows }) {
  const sites = new Map();
  for (const row of rows) {
    const site = sites.get(row.site) ?? { site: row.site, all: 0, up: 0, down: 0, drained: 0 };
    site.all++;
    site[row.verdict] = (site[row.verdict] ?? 0) + 1;
    site.drained += row.drained ? 1 : 0;
    sites.set(row.site, site);
  }
  const list = [...sites.values()].sort((a, b) => b.down / b.all - a.down / a.all ||
    (a.site < b.site ? -1 : 1));
  const { overrides } = status.value;
  const isDrained = (site) => overrides.some((word) =>
    word.kind === "drain-site" && word.subject === site);
  const head = ["Site", ...["Backends", "Up", "Down", "Drained"].map((text) =>
    ({ text, className: "number" })), { text: html`<span class="unseen">Action</span>` }];
  return html`<${Panel} title="Sites" aside=${plural(list.length, "site")}>
    <${Table} caption="Sites" head=${head}>${list.slice(0, SITES_SHOWN).map((row) => html`
      <tr key=${row.site}><th scope="row"><button type="button" class="link-like"
          onClick=${() => refine({ site: row.site })}>${row.site || "no site"}</button></th>
        <td class="number">${count(row.all)}</td><td class="number">${count(row.up)}</td>
        <td class="number">${row.down > 0
          ? html`<${State} tone="down">${count(row.down)}<//>` : 0}</td>
        <td class="number">${count(row.drained)}</td>
        <td class="number">${row.site !== "" && html`<${Drain} subject=${row.site} isSite
          isDrained=${isDrained(row.site)} />`}</td></tr>`)}<//>
    ${list.length > SITES_SHOWN && html`<p class="dim small">and ${
      count(list.length - SITES_SHOWN)} more, none worse</p>`}
  <//>`;
}

function Durations({ rows }) {
  const checked = rows.filter((row) => row.checked_ms !== null);
  const values = new Array(BUCKETS_US.length).fill(0);
  for (const row of checked) {
    values[BUCKETS_US.findIndex((most) => row.duration_us <= most)]++;
  }
  const used = Math.max(SHOWN_MIN, values.findLastIndex((value) => value > 0) + 2);
  const shown = values.slice(0, used);
  const sorted = checked.map((row) => row.duration_us).sort((a, b) => a - b);
  const at = (share) => checkTime(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  const says = `half of the checks take at most ${at(0.5)}, 99 % at most ${at(0.99)}`;
  const name = (i) => (BUCKETS_US[i] === undefined ? "" : BUCKETS_US[i] === Infinity ? "more"
    : checkTime(BUCKETS_US[i]).replace(/\.0+ /, " ").replace(/(\.\d)0 /, "$1 "));
  return html`<${Panel} title="Time of the last checks" aside=${says}>
    <${Columns} x=${shown.map((_, i) => i)} key=${shown.length}
      series=${[{ tone: "heat", values: shown }]} says=${says}
      height=${150} xValues=${(self, at) => at.map((i) => (Number.isInteger(i) ? name(i) : ""))} />
  <//>`;
}

function Each({ rows }) {
  const [shown, setShown] = useState(PAGE);
  const head = ["Backend", "Pool", "Site", "State", "Since", "Last check", "Said",
    { text: "Took", className: "number" }, { text: "Flaps", className: "number" }];
  const aside = `${plural(rows.length, "backend")}, those in trouble first`;
  return html`<${Panel} title="Each backend" aside=${aside}>
    ${rows.length > 0 && html`<${Table} caption="Backends" head=${head}>${
      rows.slice(0, shown).map((row) => html`<tr key=${row.name}>
        <th scope="row"><button type="button" class="link-like"
          onClick=${() => refine({ backend: row.name })}>${row.name}</button></th>
        <td class="dim">${row.pool}</td><td class="dim">${row.site}</td>
        <td class="nowrap"><${Verdict} row=${row} /></td>
        <td class="nowrap"><${Ago} at=${row.since_ms} never="" /></td>
        <td class="nowrap"><${Ago} at=${row.checked_ms} /></td><td class="why">${row.why}</td>
        <td class="number">${checkTime(row.duration_us)}</td>
        <td class="number">${row.flaps || ""}</td></tr>`)}<//>`}
    ${rows.length === 0 && html`<${Empty}>No backend is like that.<//>`}
    ${rows.length > shown && html`<div class="more"><button type="button"
      onClick=${() => setShown(shown + 10 * PAGE)}>Show more (${count(shown)} of ${
      count(rows.length)})</button></div>`}
  <//>`;
}

const LEGENDS = {
  state: [["ok", "up"], ["critical", "down (crossed)"], ["notice", "drained (frame)"],
    ["idle", "no verdict"]],
};

const FITS = {
  "": () => true, drained: (row) => row.drained, flapping: (row) => row.flaps > 0,
};

export function Backends() {
  const { query } = route.value;
  const answer = useData("backend-columns", ["backends"], 3000);
  const rows = useMemo(() => (answer.body === null ? [] : toRows(answer.body)), [answer.body]);
  const [search, pool, site, verdict] = ["search", "pool", "site", "verdict"]
    .map((name) => query.get(name) ?? "");
  const by = query.get("by") ?? "state";
  const matches = useMemo(() => {
    const fits = FITS[verdict] ?? ((row) => row.verdict === verdict);
    const part = search.toLowerCase();
    return (row) => fits(row) && (pool === "" || row.pool === pool) &&
      (site === "" || row.site === site) && row.name.toLowerCase().includes(part);
  }, [search, pool, site, verdict]);
  const byName = useMemo(() => [...rows].sort((a, b) => (a.pool < b.pool ? -1 : a.pool > b.pool ? 1
    : a.site < b.site ? -1 : a.site > b.site ? 1 : a.name.localeCompare(b.name, "en",
      { numeric: true }))), [rows]);
  const only = [["pool", pool], ["site", site]].filter(([, value]) => value !== "");
  const selected = query.get("backend") ?? "";
  return html`<h1>Backends</h1>
    <div class="filters">
      <${Filter} label="Part of the name" name="search" placeholder="web-" />
      <${Choices} label="Which" options=${VERDICTS} value=${verdict}
        onChoose=${(value) => refine({ verdict: value })} />
      ${only.map(([name, value]) => html`<button type="button" key=${name} class="chip"
        onClick=${() => refine({ [name]: "" })}>${name}: ${value}
        <span aria-label="remove">×</span></button>`)}
    </div>
    <${Trouble} error=${answer.error} what="Backends" />
    ${selected && answer.body && html`<${One} name=${selected} rows=${rows} />`}
    <${Panel} title="By pool and site" aside=${html`<${Choices} label="Colour by"
      options=${COLOURS} value=${by} onChoose=${(value) => refine({ by: value })} />`}>
      <${HeatMap} rows=${byName} by=${by} selected=${selected} matches=${matches}
        onSelect=${(name) => refine({ backend: name })} />
      <ul class="legend">${(LEGENDS[by] ?? []).map(([tone, text]) => html`<li key=${text}>
        <${State} tone=${tone}>${text}<//></li>`)}
        ${by !== "state" && html`<li class="dim">The darker, the ${by === "flaps" ? "more"
          : "longer"}.</li>`}</ul>
    <//>
    <div class="columns"><div><${Sites} rows=${rows} /></div>
      <div>${rows.length > 0 && html`<${Durations} rows=${rows} />`}</div></div>
    <${Each} rows=${rows.filter(matches)} />`;
}
