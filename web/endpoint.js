// SPDX-License-Identifier: GPL-3.0-or-later
// One endpoint: what it answers and why, how it came to that, and what can be done about it.
import { html } from "./lib.js";
import { ACTIONS, ActionButton } from "./dialog.js";
import { count, plural, sentence, short } from "./format.js";
import { Ago, Command, Empty, Glyph, Panel, State, Table, Trouble } from "./parts.js";
import { href } from "./route.js";
import { now, useData } from "./state.js";
import { Timeline } from "./timeline.js";
import { COMPARED, GUARDS, REASONS, cause } from "./words.js";

const ADDRESSES_SHOWN = 24;

// Addresses that are answered, planned, or both.
function Addresses({ server, plan }) {
  const answered = server.addresses ?? [];
  const planned = plan?.addresses ?? [];
  const every = [...new Set([...planned, ...answered])];
  const mark = (address) => {
    if (!server.asked) {
      return ["idle", " (planned; the server was not asked)"];
    }
    return !planned.includes(address) ? ["warning", " (not in the plan)"]
      : !answered.includes(address) ? ["info", " (planned, not answered)"] : ["ok", ""];
  };
  return html`<ul class="addresses">${every.slice(0, ADDRESSES_SHOWN).map((address) => {
    const [tone, text] = mark(address);
    return html`<li key=${address}><${Glyph} tone=${tone} /><code>${address}</code>${
      html`<span class="dim">${text}</span>`}</li>`;
  })}</ul>
  ${every.length > ADDRESSES_SHOWN && html`<p class="dim">and ${
    count(every.length - ADDRESSES_SHOWN)} more</p>`}
  ${every.length === 0 && html`<${Empty}>No address.<//>`}`;
}

function Answer({ body }) {
  const { server, plan } = body;
  const aside = server.zone ? `${server.target}, ${server.host}@${server.port}` : null;
  return html`<${Panel} title="What it answers" aside=${aside}>
    ${!server.asked && html`<p class="trouble"><${Glyph} tone="warning" />The DNS server was not
      asked: ${server.why}. What the plan says:</p>`}
    <${Addresses} server=${server} plan=${plan} />
    <p class="dim">TTL ${server.ttl_s ?? plan?.ttl_s ?? "?"} s${server.odd
      ? "; there are records that Holdfast cannot have written" : ""}</p>
  <//>`;
}

function fenceSays(fence, plan) {
  if (fence.state === "absent") {
    return ["warning", "There is none: nothing was written yet, or somebody deleted it."];
  }
  if (fence.state !== "ours") {
    return ["warning", fence.state === "alien" ? "It is of another installation."
      : "It cannot be read: somebody changed it."];
  }
  if (!fence.agrees) {
    return ["warning", "The records are not those that it names: somebody edited them."];
  }
  return fence.generation === plan?.generation
    ? ["ok", "It names the plan's generation, and the records are those that it names."]
    : ["info", `The plan has generation ${plan?.generation ?? "none"}.`];
}

function Fence({ body }) {
  const { server, plan } = body;
  const fence = server.fence;
  if (!fence) {
    return html`<${Panel} title="Fence"><${Empty}>Not known: the server was not asked.<//><//>`;
  }
  const [tone, text] = fenceSays(fence, plan);
  return html`<${Panel} title="Fence" aside="decides which write is too late">
    <dl class="facts">
      <dt>Generation</dt><dd><strong>${fence.generation ?? "none"}</strong>
        ${fence.writer && html` by ${fence.writer}`}</dd>
      ${plan && html`<dt>Plan</dt><dd>${plan.generation}<span class="dim">, <${Ago}
        at=${plan.changed_ms} />, ${cause(plan)}</span></dd>`}
      ${fence.sum && html`<dt>Digest</dt><dd><code>${fence.sum}</code></dd>`}
      <dt>Check</dt><dd><${State} tone=${tone}>${text}<//></dd>
    </dl>
    ${fence.text && html`<code class="raw" tabindex="0">${fence.text}</code>`}
  <//>`;
}

function Hold({ hold }) {
  return hold && html`<p class="hold"><${Glyph} tone="warning" />A guard (${hold.guard}) keeps the
    answer as it is: ${GUARDS[hold.guard] ?? hold.guard}${hold.until_ms > now.value
      ? `, for ${Math.ceil((hold.until_ms - now.value) / 1000)} s at least` : ""}.
    ${" "}<a href=${href("plans", "next")}>See what is held</a></p>`;
}

const isIn = (member) => member.reason.startsWith("in") || member.reason === "resting";

function Members({ body }) {
  const rows = [...body.backends].sort((a, b) => isIn(a) - isIn(b));
  const head = ["Backend", "In or out", "Why", "Addresses", "Answered"];
  const inside = rows.filter(isIn).length;
  return html`<${Panel} title="Backends, in or out" aside=${`${count(inside)} in, ${
    count(rows.length - inside)} out`}>
    ${rows.length > 0 && html`<${Table} caption="Backends of this endpoint" head=${head}>${
      rows.map((row) => html`<tr key=${row.name}>
        <th scope="row"><a href=${href("backends", "", { backend: row.name })}>${row.name}</a></th>
        <td class="nowrap"><${State} tone=${REASONS[row.reason]?.[0] ?? "idle"}>${
          REASONS[row.reason]?.[1] ?? row.reason}<//></td>
        <td class="why"><bdi>${row.why}</bdi></td>
        <td><code>${row.addresses.join(" ")}</code></td>
        <td class="dim">${row.answered === null ? "?" : row.answered ? "yes" : "no"}</td></tr>`)}
    <//>`}
    ${rows.length === 0 && html`<${Empty}>It has no backends.<//>`}
  <//>`;
}

// What changed, oldest address first, as + and -.
function Delta({ change }) {
  if (change.added === null) {
    return html`<span class="dim">${plural(change.addresses.length, "address", "addresses")}; what
      was before is not kept</span>`;
  }
  const signs = [...change.added.map((address) => ["+", address]),
    ...change.removed.map((address) => ["-", address])];
  return signs.length === 0 ? html`<span class="dim">the same addresses</span>`
    : signs.slice(0, 12).map(([sign, address]) => html`<span class=${sign === "+" ? "added"
      : "removed"}>${sign} ${address}</span> `);
}

const RollBack = ({ body, to }) => html`<${ActionButton} action=${() =>
  ACTIONS.rollback(body.endpoint, to, body.basis)}>Roll back …<//>`;

function History({ body, history }) {
  const rows = history.body?.changes ?? [];
  const head = [{ text: "Generation", className: "number" }, "When", "Because of", "Change",
    { text: html`<span class="unseen">Action</span>` }];
  return html`<${Panel} title="History" aside=${history.body?.complete
    ? "nothing older is kept" : `the last ${rows.length} changes`}>
    <${Trouble} error=${history.error} what="The history" />
    <${Table} caption="Changes of this endpoint" head=${head}>${rows.map((row, i) =>
      html`<tr key=${row.generation}><th scope="row" class="number">
        <a href=${href("plans", String(row.generation))}>${row.generation}</a></th>
        <td class="nowrap"><${Ago} at=${row.changed_ms} /></td><td>${cause(row)}</td>
        <td class="delta"><${Delta} change=${row} /></td>
        <td class="number">${i > 0 && body.kind !== "retired" && html`<${RollBack} body=${body}
          to=${row.generation} />`}</td></tr>`)}
    <//>
  <//>`;
}

function Words({ body }) {
  const pinned = body.overrides.some((word) => word.kind === "pin");
  const said = { "drain-backend": "drained", "drain-site": "drained site", freeze: "froze",
    pin: "rolled back", retire: "retired", adopt: "adopted", "adopt-zone": "took over" };
  return html`<${Panel} title="Operators' words">
    ${body.overrides.length === 0 ? html`<${Empty}>None: it follows the health of its backends.<//>`
      : html`<ul class="words">${body.overrides.map((word) => html`
        <li key=${word.kind + word.subject}><strong>${word.who}</strong>
        ${" "}${said[word.kind] ?? word.kind} ${word.subject === "*" ? "everything"
          : short(word.subject)}${word.kind === "pin"
          ? ` to generation ${word.generation}` : ""}, <${Ago} at=${word.at_ms} />
        ${word.why && html`<span class="dim">: <bdi>${word.why}</bdi></span>`}</li>`)}</ul>`}
    <div class="buttons">
      ${pinned && html`<${ActionButton} action=${() =>
        ACTIONS.release(body.endpoint, body.basis)}>Release …<//>`}
      ${body.kind !== "retired" && html`<${ActionButton} danger action=${() =>
        ACTIONS.retire(body.endpoint, body.basis)}>Retire …<//>`}
    </div>
  <//>`;
}

function Missing({ name, error }) {
  const near = error.nearest ?? [];
  return html`<h1>${short(name)}</h1><p class="empty">${error.message}.
    ${near.length > 0 && html` Perhaps ${near.map((other) => html`<a
      href=${href("endpoints", other)}>${short(other)}</a> `)}`}</p>
    <p><a href=${href("endpoints", "", { search: short(name) })}>Search for it</a></p>`;
}

export function Endpoint({ name }) {
  const path = `endpoints/${encodeURIComponent(name)}`;
  const answer = useData(path, ["endpoints", "writes", "beat"], 1500);
  const history = useData(`${path}/history?limit=50`, ["plans"], 2000);
  const writes = useData(`${path}/writes?limit=1000`, ["writes"], 1500);
  const { body, error } = answer;
  if (body === null) {
    return error?.status === 404 ? html`<${Missing} name=${name} error=${error} />`
      : html`<h1>${short(name)}</h1><${Trouble} error=${error} what="The endpoint" />`;
  }
  const [tone, says] = COMPARED[body.state] ?? ["idle", body.state];
  return html`<h1 class="endpoint-name">${short(body.endpoint)}</h1>
    <div class="verdict ${tone}"><p><${Glyph} tone=${tone} /><strong>${says}</strong>${
      body.text && html` <bdi>${sentence(body.text)}</bdi>`}</p>
      ${body.command && html`<${Command} text=${body.command} />`}
      <${Hold} hold=${body.hold} /></div>
    <${Trouble} error=${error} what="The endpoint" />
    <div class="cards"><${Answer} body=${body} /><${Fence} body=${body} />
      <${Words} body=${body} /></div>
    <${Timeline} changes=${history.body?.changes ?? null} writes=${writes.body} body=${body} />
    <${Members} body=${body} />
    <${History} body=${body} history=${history} />`;
}
