// SPDX-License-Identifier: GPL-3.0-or-later
// The list of endpoints: searched and filtered by the server, page by page.
import { html, useEffect, useId, useState } from "./lib.js";
import { get } from "./api.js";
import { count, plural } from "./format.js";
import { Ago, Choices, Empty, Name, Panel, State, Table, Trouble } from "./parts.js";
import { href, refine, route } from "./route.js";
import { status, useData } from "./state.js";
import { cause, endpointWords } from "./words.js";

const PAGE = 100;
const FILTERS = [["", "all"], ["in-step", "in step"], ["behind", "behind"], ["held", "held"],
  ["contested", "contested"], ["frozen", "frozen"], ["foreign", "foreign"],
  ["pinned", "rolled back"], ["orphan", "orphan"], ["retired", "retired"]];
const WAIT_MS = 150;

// Typed text goes into the address once typing pauses.
export function Filter({ label, name, placeholder }) {
  const asked = route.value.query.get(name) ?? "";
  const [text, setText] = useState(asked);
  const id = useId();
  useEffect(() => setText(asked), [asked]);
  useEffect(() => {
    const timer = setTimeout(() => text !== asked && refine({ [name]: text }), WAIT_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<div class="filter"><label for=${id}>${label}</label>
    <input id=${id} type="search" autocomplete="off" spellcheck="false" value=${text}
      placeholder=${placeholder} onInput=${(event) => setText(event.target.value)} /></div>`;
}

function Row({ row }) {
  return html`<tr>
    <th scope="row"><${Name} name=${row.name} /></th>
    <td>${row.states.map((state) => html`<${State} key=${state} tone=${endpointWords(state).tone}
      title=${endpointWords(state).says}>${endpointWords(state).word}<//> `)}</td>
    <td class="number">${count(row.addresses)}</td>
    <td class="number">${row.generation === 0 ? "" : row.generation}</td>
    <td><${Ago} at=${row.changed_ms} never="" /></td>
    <td class="dim">${cause(row)}</td>
    <td class="dim">${row.pools.join(", ")}</td>
    <td class="dim">${row.target}</td></tr>`;
}

export function Endpoints() {
  const { query } = route.value;
  const asked = new URLSearchParams();
  for (const name of ["search", "state", "zone", "pool", "backend"]) {
    if (query.get(name)) {
      asked.set(name, query.get(name));
    }
  }
  const path = `endpoints?limit=${PAGE}&${asked}`;
  const first = useData(path, ["endpoints"], 2000);
  const [more, setMore] = useState({ path: null, rows: [], next: null, error: null });
  const extra = more.path === path ? more : { rows: [], next: first.body?.next ?? null };
  const rows = [...(first.body?.endpoints ?? []), ...extra.rows];
  const readMore = async () => {
    try {
      const { body } = await get(`${path}&after=${encodeURIComponent(extra.next)}`);
      setMore({ path, rows: [...extra.rows, ...body.endpoints], next: body.next, error: null });
    } catch (error) {
      setMore({ ...extra, path, error });
    }
  };
  const total = first.body?.total;
  const head = ["Name", "State", { text: "Addresses", className: "number" },
    { text: "Generation", className: "number" }, "Changed", "Because of", "Pools", "Target"];
  const only = ["zone", "pool", "backend"].filter((name) => query.get(name));
  return html`<h1>Endpoints</h1>
    <div class="filters">
      <${Filter} label="Part of the name" name="search" placeholder="api" />
      <${Choices} label="State" options=${FILTERS} value=${query.get("state") ?? ""}
        onChoose=${(state) => refine({ state })} />
      ${only.map((name) => html`<button type="button" key=${name} class="chip"
        onClick=${() => refine({ [name]: "" })}>${name}: ${query.get(name)}
        <span aria-label="remove">×</span></button>`)}
    </div>
    <${Panel} title=${total === undefined ? "…" : plural(total, "endpoint")}
      aside=${`of ${count(status.value.endpoints.planned)} in the plan`}>
      <${Trouble} error=${first.error ?? extra.error} what="Endpoints" />
      ${rows.length > 0 && html`<${Table} caption="Endpoints" head=${head}>${rows.map((row) =>
        html`<${Row} key=${row.name} row=${row} />`)}<//>`}
      ${first.body && rows.length === 0 && html`<${Empty}>No endpoint is like that.
        ${" "}<a href=${href("endpoints")}>Show all</a><//>`}
      ${extra.next && html`<div class="more"><button type="button" onClick=${readMore}>
        Show more (${count(rows.length)} of ${count(total)})</button></div>`}
    <//>`;
}
