// SPDX-License-Identifier: GPL-3.0-or-later
// What happened: plans, healed edits, refused late writes and operators' words in one list, newest
// first, in plain words.
import { html } from "./lib.js";
import { count, list, plural, short } from "./format.js";
import { Ago, Empty, Glyph, Panel } from "./parts.js";
import { href } from "./route.js";
import { useData } from "./state.js";
import { cause, isRoutine, isRoutineCause, writeWords } from "./words.js";

const SHOWN = 14;
const TELLING = { healed: "notice", stale: "critical", unknown: "warning" }; // with their tones
const TOGETHER_MS = 5000; // writes of one kind within it are told as one

const DID = {
  drain: (row) => `drained ${row.subject}`, undrain: (row) => `undrained ${row.subject}`,
  freeze: (row) => `froze ${all(row)}`, thaw: (row) => `thawed ${all(row)}`,
  approve: (row) => `approved held plan ${row.subject.slice(0, 8)}`,
  rollback: (row) => `rolled ${all(row)} back to generation ${row.generation}`,
  release: (row) => `released ${all(row)}`, adopt: (row) => `adopted ${short(row.subject)}`,
  retire: (row) => `retired ${short(row.subject)}`,
  "incident message": (row) => `said of incident ${row.subject}: “${row.text}”`,
};
const all = (row) => (row.subject === "*" ? "everything" : short(row.subject));

// Plans of the same causes, shortly one after the other, are told as one.
function ofPlans(plans) {
  const groups = [];
  for (const plan of plans.filter((row) => !isRoutine(row))) {
    const telling = plan.causes.filter((row) => !isRoutineCause(row));
    const kind = [...new Set(telling.map((row) => row.cause))].sort().join();
    const last = groups[groups.length - 1];
    if (last && last.kind === kind && last.from.created_ms - plan.created_ms < TOGETHER_MS) {
      last.from = plan;
      last.causes.push(...telling.map(cause));
    } else {
      groups.push({ kind, from: plan, to: plan, causes: telling.map(cause) });
    }
  }
  return groups.map(({ from, to, causes }) => ({ at_ms: to.created_ms, tone: "info",
    key: `plan ${to.generation}`, to: from === to ? href("plans", String(to.generation))
      : href("plans", String(to.generation), { from: Number(from.generation) - 1 }),
    text: from === to
      ? `Generation ${to.generation} changes ${plural(to.endpoints_changed, "answer")}: ` +
        list(causes, 2)
      : `Generations ${from.generation} to ${to.generation}: ${list([...new Set(causes)], 2)}` }));
}

const TOLD = {
  healed: (row, names) => `${names} edited by hand: ${row.enactor} put generation ` +
    `${row.generation} back`,
  stale: (row, names) => `${row.enactor} came late with generation ${row.generation} for ` +
    `${names}, which has ${row.met_generation}: refused`,
  unknown: (row, names) => `${row.enactor} got no answer when it wrote ${names}`,
};

function ofWrites(writes) {
  const groups = [];
  for (const row of writes) {
    const last = groups[groups.length - 1];
    if (!TELLING[row.kind]) {
      continue;
    }
    if (last && last.row.kind === row.kind && last.row.enactor === row.enactor &&
        last.at_ms - row.at_ms < TOGETHER_MS) {
      last.names.add(short(row.endpoint));
    } else {
      groups.push({ row, at_ms: row.at_ms, names: new Set([short(row.endpoint)]) });
    }
  }
  return groups.map(({ row, at_ms, names }) => ({ at_ms, tone: TELLING[row.kind],
    key: `${row.kind} ${row.enactor} ${at_ms}`, to: href("endpoints", row.endpoint),
    text: TOLD[row.kind](row, list([...names], 2)), title: writeWords(row.kind).says }));
}

const ofActions = (actions) => actions.map((row) => ({ at_ms: row.at_ms, tone: "info",
  key: `action ${row.number}`, to: null,
  text: `${row.who} ${DID[row.command]?.(row) ?? `${row.command} ${row.subject}`}${
    row.why ? `: “${row.why}”` : ""}` }));

export function Happened({ writes }) {
  const plans = useData("plans?limit=200", ["plans"], 2000);
  const actions = useData(`actions?limit=${SHOWN}`, ["actions"], 2000);
  const rows = plans.body?.plans ?? [];
  const items = [...ofPlans(rows), ...ofWrites(writes?.writes ?? []),
    ...ofActions(actions.body?.actions ?? [])].sort((a, b) => b.at_ms - a.at_ms).slice(0, SHOWN);
  const routine = rows.filter(isRoutine).length;
  return html`<${Panel} title="What happened" aside=${html`<a href=${href("plans")}>all plans</a>`}>
    <ol class="happened">${items.map((item) => html`<li key=${item.key} title=${item.title}>
      <span class="when"><${Ago} at=${item.at_ms} /></span><${Glyph} tone=${item.tone} />
      ${item.to ? html`<a href=${item.to}>${item.text}</a>` : html`<span>${item.text}</span>`}
    </li>`)}</ol>
    ${items.length === 0 && html`<${Empty}>Nothing but routine.<//>`}
    ${routine > 0 && html`<p class="dim small">Left out: ${count(routine)} of the last ${
      plural(rows.length, "plan")}, which only rotate weighted answers or mark them.</p>`}
  <//>`;
}
