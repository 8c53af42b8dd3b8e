// SPDX-License-Identifier: GPL-3.0-or-later
// Plans: what is held, the list of generations, and what changed between any two of them.
import { html, useEffect, useId, useState } from "./lib.js";
import { get } from "./api.js";
import { Changes, Summary } from "./diff.js";
import { ACTIONS, ActionButton } from "./dialog.js";
import { count, list, plural } from "./format.js";
import { Ago, Choices, Empty, Glyph, Name, Panel, Table, Trouble } from "./parts.js";
import { go, href, refine, route } from "./route.js";
import { now, status, useData } from "./state.js";
import { GUARDS, cause, isRoutine } from "./words.js";

const LISTED = 500;
const ROWS = 100;
const WHICH = [["", "that matter"], ["all", "all"]];

function Held({ next }) {
  const { planner, basis } = status.value;
  const held = planner?.held;
  if (!held) {
    return null;
  }
  const rows = next?.held?.id === held.id ? next.held.endpoints : null;
  const shown = rows ?? held.endpoints.map((row) => ({ ...row, leaving: [], entering: [] }));
  return html`<section class="top warning" aria-label="What is held">
    <h2><${Glyph} tone="warning" />${plural(held.count, "name")} ${held.count === 1 ? "is" : "are"}
      ${" "}held back by guards</h2>
    <p>They keep the answer that they have. It passes by itself where a guard only slows it down;
      approve it to let all of it pass at once. Held plan <code>${held.id}</code></p>
    <${Table} caption="Held endpoints" head=${["Name", "Guard", "Would leave", "Would enter"]}>
      ${shown.slice(0, ROWS).map((row) => html`<tr key=${row.endpoint}>
        <th scope="row"><${Name} name=${row.endpoint} /></th>
        <td title=${GUARDS[row.guard]}>${row.guard}${row.until_ms > now.value ? html`<span
          class="dim"> for ${Math.ceil((row.until_ms - now.value) / 1000)} s</span>` : ""}</td>
        <td class="delta">${row.members ?? row.leaving.slice(0, 8).map((name) =>
          html`<span class="removed">- ${name}</span> `)}</td>
        <td class="delta">${row.entering.slice(0, 8).map((name) =>
          html`<span class="added">+ ${name}</span> `)}</td></tr>`)}<//>
    ${held.count > ROWS && html`<p class="dim">and ${count(held.count - ROWS)} more</p>`}
    <div class="buttons"><${ActionButton} action=${() =>
      ACTIONS.approve(held, basis.held)}>Approve …<//></div>
  </section>`;
}

function causes(plan) {
  const words = plan.causes.map((row) => cause(row));
  return words.length === 0 ? "nothing that is answered" : list(words, 2);
}

function List({ plans, to, from }) {
  const { query } = route.value;
  const every = plans.body?.plans ?? [];
  const which = query.get("which") ?? "";
  const isShown = (plan) => which === "all" || !isRoutine(plan) ||
    [to, from].includes(String(plan.generation));
  const rows = every.filter(isShown);
  return html`<${Panel} title="Generations" aside=${html`<${Choices} label="Which generations"
    options=${WHICH} value=${which} onChoose=${(value) => refine({ which: value })} />`}>
    <${Trouble} error=${plans.error} what="Plans" />
    <ol class="plans">
      <li class=${to === "next" ? "chosen" : ""}><a href=${href("plans", "next")}
        aria-current=${to === "next" ? "true" : undefined}><strong>next</strong>
        <span>what would be published now</span></a></li>
      ${rows.map((plan) => {
        const generation = String(plan.generation);
        const mark = generation === to ? "chosen" : generation === from ? "from" : "";
        return html`<li key=${generation} class=${mark}>
          <a href=${href("plans", generation, { which })}
            aria-current=${mark === "chosen" ? "true" : undefined}>
            <strong>${generation}</strong><span>${causes(plan)}</span>
            <small>${plural(plan.endpoints_changed, "answer")}, <${Ago} at=${plan.created_ms} />
            </small></a>
          ${generation !== to && to !== "next" && html`<a class="against" href=${href("plans", to,
            { ...Object.fromEntries(query), from: generation })}
            title=${`Compare ${generation} with ${to}`}>from<span class="unseen">${
            ` generation ${generation}`}</span></a>`}</li>`;
      })}
    </ol>
    ${plans.body && every.length === 0 && html`<${Empty}>Nothing was published yet.<//>`}
    ${rows.length < every.length && html`<p class="dim small">Left out: ${
      count(every.length - rows.length)} that only rotate weighted answers or mark them.</p>`}
  <//>`;
}

// Any two generations, also those that are not in the list.
function Pick({ from, to }) {
  const [ends, setEnds] = useState([String(from), String(to)]);
  const [fromId, toId] = [useId(), useId()];
  useEffect(() => setEnds([String(from), String(to)]), [from, to]);
  const compare = (event) => {
    event.preventDefault();
    go("plans", ends[1].trim() || "head", { from: ends[0].trim() });
  };
  return html`<form class="pick" onSubmit=${compare}>
    <label for=${fromId}>From</label><input id=${fromId} inputmode="numeric" size="6"
      value=${ends[0]} onInput=${(event) => setEnds([event.target.value, ends[1]])} />
    <label for=${toId}>to</label><input id=${toId} inputmode="numeric" size="6" value=${ends[1]}
      onInput=${(event) => setEnds([ends[0], event.target.value])} />
    <button type="submit">Compare</button></form>`;
}

function useDiff(to, from) {
  const query = from === "" ? "" : `&from=${encodeURIComponent(from)}`;
  const path = `plans/${encodeURIComponent(to)}/diff?limit=${ROWS}${query}`;
  const first = useData(path, to === "head" ? ["plans"] : []);
  const [more, setMore] = useState({ path: null, rows: [], next: null });
  const extra = more.path === path ? more : { rows: [], next: first.body?.next ?? null };
  const readMore = async () => {
    const { body } = await get(`${path}&after=${encodeURIComponent(extra.next)}`);
    setMore({ path, rows: [...extra.rows, ...body.changes], next: body.next });
  };
  return { ...first, rows: [...(first.body?.changes ?? []), ...extra.rows], next: extra.next,
    readMore };
}

function Diff({ to, from }) {
  const diff = useDiff(to, from);
  const { body } = diff;
  const head = status.value.head?.generation;
  if (body === null) {
    return html`<${Panel} title="Compare"><${Pick} from=${from} to=${to} />
      <${Trouble} error=${diff.error} what="The difference" /><//>`;
  }
  const older = Math.min(body.from, body.to);
  return html`<${Panel} title=${`Generation ${body.from} → ${body.to}`}
    aside=${html`<${Pick} from=${body.from} to=${body.to} />`}>
    <${Summary} summary=${body.summary} />
    <${Changes} rows=${diff.rows} />
    ${diff.rows.length === 0 && html`<${Empty}>Both answer the same.<//>`}
    ${diff.next && html`<div class="more"><button type="button" onClick=${diff.readMore}>
      Show more</button></div>`}
    <div class="buttons">
      ${body.to !== head && html`<${ActionButton} danger action=${() =>
        ACTIONS.rollback("*", body.to, body.basis)}>Roll everything back to ${body.to} …<//>`}
      ${older > 0 && older !== body.to && html`<${ActionButton} danger action=${() =>
        ACTIONS.rollback("*", older, body.basis)}>Roll everything back to ${older} …<//>`}
    </div>
  <//>`;
}

function Next({ next }) {
  const { body, error } = next;
  const verdicts = body?.verdicts;
  const says = verdicts && html`by verdicts of <${Ago} at=${verdicts.at_ms} />`;
  return html`<${Panel} title="What would be published now" aside=${says}>
    <${Trouble} error=${error} what="The next plan" />
    ${body && html`<${Summary} summary=${body.summary} />
      ${body.frozen && html`<p><${Glyph} tone="frozen" />Everything is frozen: nothing is published
        before the thaw.</p>`}
      <${Changes} rows=${body.changes} />
      ${body.changes.length === 0 && html`<${Empty}>Nothing: all names are as they should be${
        body.held ? ", but for what is held" : ""}.<//>`}`}
  <//>`;
}

export function Plans() {
  const { name, query } = route.value;
  const plans = useData(`plans?limit=${LISTED}`, ["plans"], 2000);
  const to = name === "" ? "head" : name;
  const wantsNext = to === "next" || status.value.planner?.held;
  const next = useData(wantsNext ? "plans/next" : null, ["plans", "backends"], 3000);
  const shown = to === "head" ? String(status.value.head?.generation ?? "head") : to;
  return html`<h1>Plans</h1>
    <${Held} next=${next.body} />
    <div class="columns plans-view">
      <div><${List} plans=${plans} to=${shown} from=${query.get("from") ?? ""} /></div>
      <div>${to === "next" ? html`<${Next} next=${next} />`
        : html`<${Diff} to=${to} from=${query.get("from") ?? ""} />`}</div>
    </div>`;
}
