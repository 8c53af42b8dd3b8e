// SPDX-License-Identifier: GPL-3.0-or-later
// A picture of one endpoint over time: the plan's generations, a lane for each enactor with what
// it wrote, and what the DNS server answered. A write that is refused because it is late hangs on a
// dashed line from the plan that it came from, and ends before it reaches the answer.
import { html, useEffect, useRef, useState } from "./lib.js";
import { clock, duration, minute, plural } from "./format.js";
import { Choices, Empty, Panel, State, Table } from "./parts.js";
import { refine, route } from "./route.js";
import { now, status } from "./state.js";
import { cause, writeWords } from "./words.js";

const MINUTE = 60000;
const SPANS = [1, 2, 5, 15, 60, 360, 1440, 10080].map((minutes) => minutes * MINUTE);
const SPAN_NAMES = { [MINUTE]: "1 min", [2 * MINUTE]: "2 min", [5 * MINUTE]: "5 min",
  [15 * MINUTE]: "15 min", [60 * MINUTE]: "1 h", [360 * MINUTE]: "6 h", [1440 * MINUTE]: "1 day",
  [10080 * MINUTE]: "7 days" };
const SHOW_AT_LEAST = 5; // changes; the span is as long as that takes
const LANES_MAX = 8;
const LABEL = 84;
const RIGHT = 14;
const PLAN_Y = 26;
const FIRST_Y = 62;
const LANE = 30;
const TEXT_GAP = 30; // a generation's number is left out where it would touch the one before

function chooseSpan(changes, writes, now_ms) {
  const asked = Number(route.value.query.get("span"));
  if (SPANS.includes(asked)) {
    return asked;
  }
  const late = writes.filter((row) => row.kind === "stale" || row.kind === "healed")
    .map((row) => row.at_ms);
  const wanted = changes[Math.min(SHOW_AT_LEAST, changes.length) - 1]?.changed_ms ?? now_ms;
  const recent = late.filter((at_ms) => now_ms - at_ms < 60 * MINUTE);
  const from = Math.min(wanted, ...recent);
  return SPANS.find((span) => now_ms - from < span * 0.95) ?? SPANS[SPANS.length - 1];
}

// What the server answered: [{generation, from, to}], by the writes that it took; where those are
// not known any more, by when the plan had it.
function answers(changes, writes, since_ms, end) {
  const taken = writes.filter((row) => row.kind === "written" || row.kind === "healed")
    .map((row) => ({ at: row.at_ms, generation: row.generation, known: true }));
  const before = changes.filter((row) => row.changed_ms < since_ms)
    .map((row) => ({ at: row.changed_ms, generation: row.generation, known: false }));
  const steps = [...taken, ...before].sort((a, b) => a.at - b.at);
  let highest = -1; // a lower one was taken before, and its writer heard of it only now
  return steps.filter(({ generation }) => {
    const isNew = Number(generation) > highest;
    highest = Math.max(highest, Number(generation));
    return isNew;
  }).map((step, i, all) => ({ ...step, from: step.at, to: all[i + 1]?.at ?? end }));
}

// Writes of an enactor that slept: the server took them long before their writer heard of it.
function markLateReplies(writes) {
  let highest = -1;
  return [...writes].sort((a, b) => a.at_ms - b.at_ms).map((row) => {
    const isLate = row.kind === "written" && Number(row.generation) < highest;
    highest = row.kind === "written" ? Math.max(highest, Number(row.generation)) : highest;
    return isLate ? { ...row, kind: "heard-late" } : row;
  });
}

function lanesOf(writes) {
  const told = status.value.enactors;
  const names = [...new Set([...told.map((row) => row.name), ...writes.map((row) => row.enactor)])];
  return names.sort().slice(0, LANES_MAX).map((name, i) => ({
    name, y: FIRST_Y + i * LANE, told: told.find((row) => row.name === name) }));
}

function Mark({ write, x, y }) {
  const { word, says } = writeWords(write.kind);
  const title = html`<title>${clock(write.at_ms)}: ${write.enactor}, generation ${
    write.generation}, ${word}: ${says}${write.met_generation
    ? ` (found ${write.met_generation} by ${write.met_writer})` : ""}</title>`;
  switch (write.kind) {
    case "heard-late":
      return html`<circle class="mark heard" cx=${x} cy=${y} r="4.5">${title}</circle>`;
    case "written":
      return html`<circle class="mark written" cx=${x} cy=${y} r="5">${title}</circle>`;
    case "healed":
      return html`<path class="mark healed"
        d="M${x} ${y - 7}l7 7l-7 7l-7 -7z">${title}</path>`;
    case "stale":
      return html`<g class="mark stale"><circle cx=${x} cy=${y} r="8" />
        <path d="M${x - 4} ${y - 4}l8 8m0 -8l-8 8" />${title}</g>`;
    case "lost-race":
    case "refused":
      return html`<circle class="mark race" cx=${x} cy=${y} r="3.5">${title}</circle>`;
    default:
      return html`<g class="mark unknown"><circle cx=${x} cy=${y} r="7" />
        <text x=${x} y=${y + 4}>?</text>${title}</g>`;
  }
}

// From the plan that it came from to the write, and from there towards the answer.
function Threads({ write, at, x, y, bottom, made_ms, start }) {
  const isTaken = write.kind === "written" || write.kind === "healed";
  if (write.kind !== "stale" && !isTaken) {
    return null;
  }
  const from = at(Math.max(made_ms ?? write.at_ms, start));
  return html`<g class="thread ${isTaken ? "taken" : "late"}">
    ${write.kind === "healed" ? null : html`<path d="M${from} ${PLAN_Y}L${x} ${y}" />`}
    ${isTaken ? html`<path d="M${x} ${y}V${bottom}" />`
      : html`<path d="M${x} ${y + 8}V${bottom - 8}" /><path class="wall"
          d="M${x - 8} ${bottom - 7}h16" />`}</g>`;
}

function Ticks({ start, span, at, height }) {
  const step = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400]
    .map((seconds) => seconds * 1000).find((ms) => span / ms <= (at.width > 600 ? 8 : 4))
    ?? 86400000;
  const ticks = [];
  for (let time = Math.ceil(start / step) * step; time < start + span; time += step) {
    ticks.push(time);
  }
  return ticks.map((time) => html`<g class="tick" key=${time}>
    <line x1=${at(time)} x2=${at(time)} y1="14" y2=${height - 20} />
    <text x=${at(time)} y=${height - 6}>${step < MINUTE ? clock(time)
      : minute(time)}</text></g>`);
}

function Generations({ changes, at, start }) {
  let last = -Infinity;
  return [...changes].reverse().filter((row) => row.changed_ms >= start).map((row) => {
    const x = at(row.changed_ms);
    const fits = x - last > TEXT_GAP;
    last = fits ? x : last;
    return html`<g class="generation" key=${row.generation}>
      <path d="M${x} ${PLAN_Y - 6}v12" />
      ${fits && html`<text x=${x} y=${PLAN_Y - 10}>${row.generation}</text>`}
      <title>${clock(row.changed_ms)}: generation ${row.generation}, ${cause(row)}</title></g>`;
  });
}

function Answered({ bands, at, start, y }) {
  return bands.filter((band) => band.to > start).map((band, i) => {
    const [from, to] = [at(Math.max(band.from, start)), at(band.to)];
    return html`<g key=${`${band.from} ${band.generation}`}>
      <rect class="band ${i % 2 ? "odd" : "even"} ${band.known ? "" : "guessed"}" x=${from} y=${y}
        width=${Math.max(to - from, 1)} height="20"><title>generation ${band.generation} from ${
          clock(band.from)}</title></rect>
      ${to - from > 34 && html`<text class="band-text" x=${(from + to) / 2} y=${y + 14}>${
        band.generation}</text>`}</g>`;
  });
}

function Lane({ lane, at, end, right, start }) {
  const quiet = lane.told && !lane.told.alive ? Math.max(lane.told.seen_ms, start) : null;
  return html`<g class="lane"><text class="lane-name" x="0" y=${lane.y + 4}>${lane.name}</text>
    <line x1=${LABEL} x2=${right} y1=${lane.y} y2=${lane.y} />
    ${quiet !== null && html`<rect class="asleep" x=${at(quiet)} y=${lane.y - 9}
        width=${Math.max(at(end) - at(quiet), 2)} height="18"><title>no sign of life</title></rect>
      ${at(end) - at(quiet) > 90 && html`<text class="asleep-text"
        x=${(at(quiet) + at(end)) / 2} y=${lane.y + 4}>no sign of life</text>`}`}</g>`;
}

// The late ones get their story beside them, left of the mark where the right has no room.
function StaleText({ write, x, y, right }) {
  const leftward = x > right - 190;
  return html`<text class="stale-text" x=${x + (leftward ? -13 : 13)} y=${y - 7}
    text-anchor=${leftward ? "end" : "start"}>generation ${write.generation} too late:
    refused</text>`;
}

function Picture({ changes, writes, since_ms, span, end, width }) {
  const start = end - span;
  const right = width - RIGHT;
  const at = (ms) => LABEL + ((right - LABEL) * (ms - start)) / span;
  at.width = width;
  const lanes = lanesOf(writes);
  const bottom = FIRST_Y + lanes.length * LANE;
  const height = bottom + 46;
  const made = new Map(changes.map((row) => [row.generation, row.changed_ms]));
  const shown = writes.filter((row) => row.at_ms >= start)
    .map((write) => ({ write, lane: lanes.find((lane) => lane.name === write.enactor) }))
    .filter(({ lane }) => lane !== undefined);
  const late = shown.filter(({ write }) => write.kind === "stale");
  const says = `${plural(changes.filter((row) => row.changed_ms >= start).length, "generation")} ` +
    `and ${plural(shown.length, "write")} in the last ${duration(span)}, ` +
    `${late.length} of them refused because they were too late; the table has all`;
  const each = (part) => shown.map(({ write, lane }, i) => html`<${part} key=${i} write=${write}
    x=${at(write.at_ms)} y=${lane.y} at=${at} bottom=${bottom} start=${start} right=${right}
    made_ms=${made.get(write.generation)} />`);
  return html`<svg class="timeline" width=${width} height=${height} role="img" aria-label=${says}>
    <${Ticks} start=${start} span=${span} at=${at} height=${height} />
    <text class="lane-name" x="0" y=${PLAN_Y + 4}>plan</text>
    <line class="plan-line" x1=${LABEL} x2=${right} y1=${PLAN_Y} y2=${PLAN_Y} />
    <text class="lane-name" x="0" y=${bottom + 14}>answer</text>
    <${Answered} bands=${answers(changes, writes, since_ms, end)} at=${at} start=${start}
      y=${bottom} />
    ${lanes.map((lane) => html`<${Lane} key=${lane.name} lane=${lane} at=${at} end=${end}
      right=${right} start=${start} />`)}
    ${each(Threads)}
    <${Generations} changes=${changes} at=${at} start=${start} />
    ${each(Mark)}
    ${late.slice(0, 3).map(({ write, lane }, i) => html`<${StaleText} key=${i} write=${write}
      x=${at(write.at_ms)} y=${lane.y} right=${right} />`)}
  </svg>`;
}

const LEGEND = [["ok", "written", "written"], ["idle", "lost-race", "lost a race, refused"],
  ["critical", "stale", "too late, refused"], ["notice", "healed", "hand edit undone"]];

const found = (row) => (row.met_generation && row.kind !== "written"
  ? `; found generation ${row.met_generation} by ${row.met_writer}` : "");

function AsTable({ changes, writes }) {
  const rows = [
    ...changes.map((row) => ({ at: row.changed_ms, who: "planner", generation: row.generation,
      tone: "info", what: `published: ${cause(row)}` })),
    ...writes.map((row) => ({ at: row.at_ms, who: row.enactor, generation: row.generation,
      tone: writeWords(row.kind).tone, what: writeWords(row.kind).word + found(row) })),
  ].sort((a, b) => b.at - a.at).slice(0, 200);
  return html`<details class="as-table"><summary>The same as a table</summary>
    <${Table} caption="Generations and writes, newest first" head=${["When", "Who",
      { text: "Generation", className: "number" }, "What"]}>${rows.map((row, i) => html`
      <tr key=${i}><td class="nowrap">${clock(row.at)}</td><td>${row.who}</td>
        <td class="number">${row.generation}</td>
        <td><${State} tone=${row.tone}>${row.what}<//></td></tr>`)}<//></details>`;
}

export function Timeline({ changes, writes, body }) {
  const place = useRef(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    const sizes = new ResizeObserver(() => setWidth(element.clientWidth));
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);
  const rows = markLateReplies((writes?.writes ?? [])
    .filter((row) => row.endpoint === body.endpoint));
  const ready = changes !== null && writes !== null && width > 0;
  const end = now.value;
  const span = ready ? chooseSpan(changes, rows, end) : 0;
  const spans = SPANS.map((ms) => [ms, SPAN_NAMES[ms]]);
  return html`<${Panel} title="Timeline" aside=${html`<${Choices} label="How far back"
    options=${spans} value=${span} onChoose=${(ms) => refine({ span: ms })} />`}>
    <div ref=${place} class="picture">${ready && html`<${Picture} changes=${changes}
      writes=${rows} since_ms=${writes.since_ms} span=${span} end=${end} width=${width} />`}</div>
    ${ready && changes.length === 0 && html`<${Empty}>It is in no plan that is kept.<//>`}
    <ul class="legend">${LEGEND.map(([tone, kind, word]) => html`<li key=${kind}
      title=${writeWords(kind).says}><${State} tone=${tone}>${word}<//></li>`)}</ul>
    ${ready && html`<${AsTable} changes=${changes} writes=${rows} />`}
  <//>`;
}
