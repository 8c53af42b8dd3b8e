// SPDX-License-Identifier: GPL-3.0-or-later
// Incidents that Holdfast opened by itself, what they are made of, and what operators say of them.
import { html, useId, useState } from "./lib.js";
import { post } from "./api.js";
import { clock, count, duration, list, moment, plural, sentence, short } from "./format.js";
import { Ago, Choices, Command, Empty, Name, Panel, State, Table, Trouble } from "./parts.js";
import { href, refine, route } from "./route.js";
import { me, now, touch, useData } from "./state.js";
import { INCIDENT_TONES } from "./words.js";

const STATES = [["", "all"], ["open", "open"], ["closed", "closed"]];
const ENDPOINTS_SHOWN = 20;

const lasted = (incident) => duration((incident.closed_ms ?? now.value) - incident.opened_ms);

const Mark = ({ incident }) => (incident.state === "open"
  ? html`<${State} tone=${INCIDENT_TONES[incident.severity] ?? "notice"}>open<//>`
  : html`<${State} tone="ok">closed<//>`);

const Impact = ({ value }) => html`<span class="impact"><svg class="meter" viewBox="0 0 100 6"
  preserveAspectRatio="none" aria-hidden="true"><rect class="rest" width="100" height="6" />
  <rect class="critical" width=${100 * value} height="6" /></svg> ${value.toFixed(2)}</span>`;

function List() {
  const state = route.value.query.get("state") ?? "";
  const answer = useData(`incidents?limit=100${state && `&state=${state}`}`,
    ["incidents", "beat"]);
  const rows = answer.body?.incidents ?? [];
  const head = [{ text: "No.", className: "number" }, "State", "What", "Opened", "Lasted",
    { text: "Names", className: "number" }, "Affected"];
  return html`<h1>Incidents</h1>
    <div class="filters"><${Choices} label="State" options=${STATES} value=${state}
      onChoose=${(value) => refine({ state: value })} /></div>
    <${Panel} title=${plural(rows.length, "incident")}
      aside="Holdfast opens and closes them itself">
      <${Trouble} error=${answer.error} what="Incidents" />
      ${rows.length > 0 && html`<${Table} caption="Incidents" head=${head}>${rows.map((row) => html`
        <tr key=${row.number}><td class="number">${row.number}</td>
          <td class="nowrap"><${Mark} incident=${row} /></td>
          <th scope="row"><a href=${href("incidents", String(row.number))}>${row.title}</a></th>
          <td class="nowrap"><${Ago} at=${row.opened_ms} /></td>
          <td class="nowrap">${lasted(row)}</td>
          <td class="number">${count(row.endpoints_count)}</td>
          <td class="dim">${list(row.affected.map((item) => item.dependent))}</td></tr>`)}<//>`}
      ${answer.body && rows.length === 0 && html`<${Empty}>None. All is quiet.<//>`}
    <//>`;
}

function Say({ number }) {
  const [text, setText] = useState("");
  const [error, setError] = useState(null);
  const id = useId();
  const send = async (event) => {
    event.preventDefault();
    try {
      await post(`incidents/${number}/messages`, null, { text: text.trim() });
      setText("");
      setError(null);
      touch(["incidents"]);
    } catch (caught) {
      setError(caught);
    }
  };
  if (me.value?.role !== "operator") {
    const text = `holdfast incident message ${number} 'What you want to say'`;
    return html`<${Command} text=${text} />`;
  }
  return html`<form class="say" onSubmit=${send}><label for=${id}>Message for everybody</label>
    <textarea id=${id} rows="3" maxlength="4000" value=${text}
      onInput=${(event) => setText(event.target.value)}></textarea>
    ${error && html`<p class="trouble" role="alert">Nothing was added: ${error.message}</p>`}
    <div class="buttons"><button type="submit" class="primary" disabled=${text.trim() === ""}>
      Add the message</button></div></form>`;
}

function Parts({ incident }) {
  const head = ["From", "To", "What", "Of"];
  return html`<${Panel} title="What it is made of" aside="one cause, what came of it beneath">
    <${Table} caption="Conditions" head=${head}>${(incident.conditions ?? []).map((row) => html`
      <tr key=${row.code + row.subject + row.from_ms}>
        <td class="nowrap" title=${moment(row.from_ms)}>${clock(row.from_ms)}</td>
        <td class="nowrap">${row.to_ms ? clock(row.to_ms)
          : html`<${State} tone="warning">now<//>`}</td>
        <td class="why"><bdi>${sentence(row.text)}</bdi></td>
        <td>${row.subject ? short(row.subject) : ""}</td></tr>`)}<//>
  <//>`;
}

function Affected({ incident }) {
  const names = incident.endpoints ?? [];
  return html`<${Panel} title="Who is affected" aside=${plural(incident.endpoints_count, "name")}>
    ${incident.affected.length > 0 && html`<${Table} caption="Dependents"
      head=${["Who", "Service", "Impact, 0 to 1"]}>${incident.affected.map((row) => html`
        <tr key=${row.dependent}><th scope="row">${row.dependent}</th><td>${row.service ?? ""}</td>
        <td><${Impact} value=${row.impact} /></td></tr>`)}<//>`}
    ${incident.affected.length === 0 && html`<p class="dim">Nobody is configured to depend on
      it.</p>`}
    <p class="names">${names.slice(0, ENDPOINTS_SHOWN).map((name) => html`<${Name} key=${name}
      name=${name} /> `)}${incident.endpoints_count > ENDPOINTS_SHOWN && html`<span
      class="dim">and ${count(incident.endpoints_count - ENDPOINTS_SHOWN)} more</span>`}</p>
  <//>`;
}

function One({ number }) {
  const answer = useData(`incidents/${encodeURIComponent(number)}`, ["incidents", "beat"]);
  const incident = answer.body?.incident;
  if (!incident) {
    return html`<h1>Incident ${number}</h1>
      <${Trouble} error=${answer.error} what="The incident" />`;
  }
  return html`<h1>${incident.title}</h1>
    <p class="lead"><${Mark} incident=${incident} /> Incident ${incident.number}, opened
      ${" "}<${Ago} at=${incident.opened_ms} />${incident.closed_ms && html`, closed <${Ago}
        at=${incident.closed_ms} />`}, lasted ${lasted(incident)}</p>
    <div class="columns"><div><${Parts} incident=${incident} /></div>
      <div><${Affected} incident=${incident} />
        <${Panel} title="Messages">
          ${incident.messages.length === 0 && html`<${Empty}>Nobody has said anything yet.<//>`}
          <ul class="words">${incident.messages.map((row) => html`<li key=${row.at_ms}>
            <strong>${row.who}</strong>, <${Ago} at=${row.at_ms} /><p>${row.text}</p></li>`)}</ul>
          <${Say} number=${incident.number} /><//></div></div>
    ${incident.state === "closed" && html`<${Command} note="A report in Markdown"
      text=${`holdfast incident report ${incident.number}`} />`}`;
}

export function Incidents() {
  const { name } = route.value;
  return name === "" ? html`<${List} />` : html`<${One} number=${name} key=${name} />`;
}
