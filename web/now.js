// SPDX-License-Identifier: GPL-3.0-or-later
// Now: what needs a person first; then how a change travels, part by part, and what happened.
import { html } from "./lib.js";
import { ACTIONS, ActionButton } from "./dialog.js";
import { clock, count, duration, minute, plural, sentence, short } from "./format.js";
import { Columns } from "./chart.js";
import { Happened } from "./happened.js";
import { Ago, Command, Empty, Glyph, Meter, Name, Panel, State, Table, Trouble } from "./parts.js";
import { href } from "./route.js";
import { now, status, useData } from "./state.js";
import { endpointWords, headline, isQuiet, situations, writeWords, zoneWords } from "./words.js";

const ZONES_SHOWN = 12;
const WRITES_SPAN_MS = 15 * 60 * 1000;
const WRITES_STEP_MS = 30 * 1000;

function Situation({ item }) {
  const { words } = status.value.basis;
  return html`<li class="situation ${item.tone}">
    <h3><${Glyph} tone=${item.tone} />${item.title}</h3>
    <p><bdi>${sentence(item.detail)}</bdi>${" "}
      <span class="meaning">${item.meaning}</span></p>
    <div class="helps">
      ${item.command && html`<${Command} text=${item.command} note=${item.commandFor} />`}
      ${item.thaw && html`<${ActionButton} action=${() => ACTIONS.thaw(item.thaw, words)}>
        Thaw …<//>`}
      ${item.undrain && html`<${ActionButton}
        action=${() => ACTIONS.undrain(item.undrain, words)}>Undrain …<//>`}
      ${item.action && html`<a class="button" href=${href(item.action.view, item.action.name,
        item.action.query)}>${item.action.word}</a>`}
    </div>
  </li>`;
}

function Top({ items }) {
  const { tone, text } = headline(status.value, items);
  const dropped = status.value.alerts_dropped;
  return html`<section class="top ${tone}" aria-label="What needs a person">
    <h1><${Glyph} tone=${tone} />${text}</h1>
    ${items.length > 0 && html`<ul>${items.map((item) =>
      html`<${Situation} key=${item.key} item=${item} />`)}</ul>`}
    ${dropped > 0 && html`<p>and ${count(dropped)} more</p>`}
  </section>`;
}

// --- how a change travels ---

function backendTile({ backends }) {
  const { up, down, unknown, drained, configured } = backends;
  const parts = [down > 0 && `${count(down)} down`, unknown > 0 && `${count(unknown)} unknown`,
    drained > 0 && `${count(drained)} drained`].filter(Boolean);
  return { view: "backends", title: "Backends", tone: up === configured ? "ok" : up === 0
    ? "critical" : down > 0 ? "down" : "notice", value: `${count(up)} of ${count(configured)} up`,
    says: parts.join(", ") || "all are well", role: "serve the traffic, and are checked" };
}

function plannerTile({ planner, head }) {
  const alive = planner?.alive;
  const held = planner?.held ? `, ${plural(planner.held.count, "name")} held` : "";
  return { view: "plans", title: "Planner", tone: !alive ? "critical" : held ? "warning" : "ok",
    value: head ? `generation ${head.generation}` : "no plan yet",
    says: !alive ? "no sign of life" : html`published <${Ago} at=${head?.created_ms} />${held}`,
    role: "decides what each name answers" };
}

function enactorTile({ enactors }, lags) {
  const alive = enactors.filter((row) => row.alive).length;
  const dead = enactors.filter((row) => !row.alive).map((row) => row.name);
  const quiet = lags?.enactors.find((row) => isQuiet(row, lags.now_ms, now.value));
  return { view: "now", title: "Enactors", tone: alive === 0 ? "critical" : dead.length > 0
    ? "warning" : quiet ? "idle" : "ok", value: `${alive} of ${enactors.length} at work`,
    says: dead.length > 0 ? `${dead.join(", ")}: no sign of life`
      : quiet ? html`${quiet.name} was last heard of <${Ago} at=${quiet.seen_ms} />`
        : "each writes every plan",
    role: "write plans into DNS, all at once" };
}

function serverTile(targets) {
  const rows = targets?.targets ?? [];
  const zones = rows.flatMap((target) => target.zones);
  const wrong = zones.filter((zone) => zone.state !== "open");
  const [first] = wrong;
  const tone = wrong.length === 0 ? "ok" : zoneWords(first.state)[0];
  return { view: "endpoints", title: "DNS servers", tone,
    value: wrong.length === 0 ? `${plural(zones.length, "zone")} open`
      : `${count(wrong.length)} of ${plural(zones.length, "zone")} ${first.state}`,
    says: wrong.length > 0 ? `${short(first.zone)}${wrong.length > 1 ? " and others" : ""}`
      : rows.map((row) => `${row.host}@${row.port}`).slice(0, 2).join(", "),
    role: "answer, and refuse every write that is late" };
}

function Travel({ targets, enactors }) {
  const tiles = [backendTile(status.value), plannerTile(status.value),
    enactorTile(status.value, enactors), serverTile(targets)];
  return html`<ol class="travel" aria-label="How a change travels">${tiles.map((tile) => html`
    <li key=${tile.title}><a class="tile ${tile.tone}" href=${href(tile.view)}>
      <span class="tile-title"><${Glyph} tone=${tile.tone} />${tile.title}</span>
      <strong>${tile.value}</strong><span>${tile.says}</span>
      <small>${tile.role}</small></a></li>`)}</ol>`;
}

// --- endpoints by state ---

const COUNTED = [["in_step", "in-step"], ["behind", "behind"], ["held", "held"],
  ["contested", "contested"], ["frozen", "frozen"], ["foreign", "foreign"], ["pinned", "pinned"],
  ["orphans", "orphan"], ["retired", "retired"]];
const ALWAYS = 5; // these are shown at 0, too

function EndpointCounts() {
  const { endpoints } = status.value;
  const { planned, in_step, behind } = endpoints;
  return html`<${Panel} title="Endpoints" aside=${`${count(planned)} in the plan`}>
    <div class="bar" aria-hidden="true">
      <${Meter} part=${in_step} whole=${planned} tone=${behind > 0 ? "info" : "ok"} /></div>
    <ul class="counts">${COUNTED.map(([key, state], i) => {
      const { word, tone, says } = endpointWords(state);
      return (i < ALWAYS || endpoints[key] > 0) && html`<li key=${key}>
        <a href=${href("endpoints", "", { state })} title=${says}
          class=${endpoints[key] > 0 ? "" : "none"}>
          <strong>${count(endpoints[key])}</strong><${State} tone=${tone}>${word}<//></a></li>`;
    })}</ul>
    <p class="dim small">One endpoint may be counted twice: in step and frozen, say.</p>
  <//>`;
}

// --- enactors and zones ---

function lag(row, since_ms) {
  const lag_ms = row.lag_ms + Math.max(0, now.value - since_ms);
  if (row.lag_generations === 0) {
    return row.behind === 0 ? html`<${State} tone="ok">in step<//>`
      : html`<${State} tone="info">${count(row.behind)} to write<//>`;
  }
  const tone = row.alive && !isQuiet(row, since_ms, now.value) ? "info" : "warning";
  return html`<${State} tone=${tone}>${plural(row.lag_generations, "plan")}, ${
    duration(lag_ms)}<//>`;
}

const sum = (zones, key) => zones.reduce((total, zone) => total + zone[key], 0);

function Enactors({ enactors, error }) {
  const isQuietNow = (row) => isQuiet(row, enactors.now_ms, now.value);
  const head = ["Enactor", "Seen", "Lag", ...["Plan", "Written", "Refused", "Healed"].map((text) =>
    ({ text, className: "number" })), { text: "Process", className: "number" }];
  const rows = enactors?.enactors ?? [];
  return html`<${Panel} title="Enactors" aside="each writes every plan; who is first wins">
    <${Trouble} error=${error} what="Enactors" />
    <${Table} caption="Enactors and their lag" head=${head}>${rows.map((row) => html`
      <tr key=${row.name} class=${row.alive ? "" : "dead"}>
        <th scope="row"><${State} tone=${!row.alive ? "warning" : isQuietNow(row) ? "idle"
          : "ok"}>${row.name}<//></th>
        <td><${Ago} at=${row.seen_ms} /></td><td>${lag(row, enactors.now_ms)}</td>
        <td class="number">${row.plan_generation}</td>
        <td class="number">${count(sum(row.zones, "written"))}</td>
        <td class="number">${count(sum(row.zones, "refused"))}</td>
        <td class="number">${count(sum(row.zones, "healed"))}</td>
        <td class="number dim">${row.pid}</td></tr>
      ${row.trouble && html`<tr><td colspan="8" class="why">${row.trouble}</td></tr>`}`)}
    <//>
    ${enactors && rows.length === 0 && html`<${Empty}>No enactor has worked yet.<//>`}
    <p class="dim small">Refused is no fault: all of them try, one is first, and the DNS server
      refuses the others.</p>
  <//>`;
}

const TROUBLED_FIRST = ["refused", "unreachable", "frozen", "starting", "open"];

function Zones({ targets, error }) {
  const rows = (targets?.targets ?? []).flatMap((target) =>
    target.zones.map((zone) => ({ ...zone, target })));
  rows.sort((a, b) => TROUBLED_FIRST.indexOf(a.state) - TROUBLED_FIRST.indexOf(b.state) ||
    b.behind - a.behind);
  const { words } = status.value.basis;
  const isAll = status.value.overrides.some((word) =>
    word.kind === "freeze" && word.subject === "*");
  const head = ["Zone, server", "State", "In step", { text: "Latency", className: "number" },
    { text: html`<span class="unseen">Action</span>` }];
  const freezeAll = !isAll && html`<${ActionButton} danger action=${() =>
    ACTIONS.freeze("*", words)}>Freeze everything …<//>`;
  return html`<${Panel} title="DNS servers and zones" aside=${freezeAll}>
    <${Trouble} error=${error} what="DNS servers" />
    <${Table} caption="DNS servers and zones" head=${head}>${rows.slice(0, ZONES_SHOWN).map((row) =>
      html`<tr key=${row.zone}><th scope="row"><a href=${href("endpoints", "",
          { zone: row.zone })}>${short(row.zone)}</a>
          <div class="dim small">${row.target.name}, ${row.target.host}@${row.target.port}</div>
        </th>
        <td><${State} tone=${zoneWords(row.state)[0]}>${zoneWords(row.state)[1]}<//></td>
        <td class="nowrap"><${Meter} part=${row.in_step} whole=${row.endpoints}
          tone=${row.behind > 0 ? "info" : "ok"} /> ${count(row.in_step)}
          <span class="dim"> of ${count(row.endpoints)}</span></td>
        <td class="number">${row.latency_ms} ms</td>
        <td class="number">${row.frozen
          ? html`<${ActionButton} action=${() => ACTIONS.thaw(row.zone, words)}>Thaw …<//>`
          : html`<${ActionButton} action=${() => ACTIONS.freeze(row.zone, words)}>Freeze …<//>`}
        </td></tr>
      ${row.why && html`<tr><td colspan="5" class="why">${row.why}</td></tr>`}`)}
    <//>
    ${rows.length > ZONES_SHOWN && html`<p class="dim small">${
      count(rows.length - ZONES_SHOWN)} more zones are no worse than these.</p>`}
  <//>`;
}

// --- writes over time ---

const STACKED = [["written", "ok"], ["lost-race", "idle"], ["refused", "idle"],
  ["healed", "notice"], ["unknown", "warning"], ["stale", "critical"]];

function Writes({ writes, error }) {
  const steps = WRITES_SPAN_MS / WRITES_STEP_MS;
  const end = Math.ceil(now.value / WRITES_STEP_MS) * WRITES_STEP_MS;
  const start = end - WRITES_SPAN_MS;
  const x = Array.from({ length: steps }, (_, i) => (start + i * WRITES_STEP_MS) / 1000);
  const series = STACKED.map(([kind, tone]) =>
    ({ kind, tone, values: new Array(steps).fill(0), total: 0 }));
  for (const write of writes?.writes ?? []) {
    const row = series.find(({ kind }) => kind === write.kind);
    const at = Math.floor((write.at_ms - start) / WRITES_STEP_MS);
    if (row !== undefined && at >= 0 && at < steps) {
      row.values[at]++;
      row.total++;
    }
  }
  const shown = series.filter(({ total, kind }) => total > 0 || kind === "written");
  const told = ({ kind, total }) => `${count(total)} ${writeWords(kind).word}`;
  const says = shown.map(told).join(", ");
  const known = writes && writes.since_ms > start
    ? `known since ${clock(writes.since_ms)}` : "each half minute";
  return html`<${Panel} title="Writes, last 15 minutes" aside=${known}>
    <${Trouble} error=${error} what="Writes" />
    <${Columns} x=${x} series=${series} says=${`Writes of the last 15 minutes: ${says}`}
      align=${1} xValues=${(self, at) => at.map((s) => minute(s * 1000))} />
    <ul class="legend">${shown.map((row) => html`<li key=${row.kind}
      title=${writeWords(row.kind).says}><${State} tone=${row.tone}>${told(row)}<//></li>`)}</ul>
  <//>`;
}

export function Now() {
  const targets = useData("targets", ["status", "enactors", "beat"]);
  const enactors = useData("enactors", ["status", "enactors", "writes", "beat"]);
  const writes = useData("writes?limit=1000", ["writes"], 3000);
  const down = useData("backends?verdict=down&limit=50", ["backends"]);
  const items = situations({ status: status.value, down: down.body, writes: writes.body,
    enactors: enactors.body, now_ms: now.value });
  return html`<${Top} items=${items} />
    <${Travel} targets=${targets.body} enactors=${enactors.body} />
    <div class="columns">
      <div><${Happened} writes=${writes.body} />
        <${Writes} writes=${writes.body} error=${writes.error} /></div>
      <div><${EndpointCounts} />
        <${Enactors} enactors=${enactors.body} error=${enactors.error} />
        <${Zones} targets=${targets.body} error=${targets.error} /></div>
    </div>`;
}
