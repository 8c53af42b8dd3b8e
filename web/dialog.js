// SPDX-License-Identifier: GPL-3.0-or-later
// What an operator does: one dialog for every action. It says what will happen, wants a word typed
// in and a reason, sends what the operator saw as If-Match, and shows the command that does the
// same, for those who only read here.
import { html, signal, useEffect, useId, useRef, useState } from "./lib.js";
import { keepToken, post, token } from "./api.js";
import { plural, short } from "./format.js";
import { Command } from "./parts.js";
import { me, readMe, touch } from "./state.js";

const asked = signal(null);
export const done = signal(null); // {text, at_ms} of the last action

const quote = (text) =>
  (/^[\w.@%+=:,/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const command = (...words) => `holdfast ${words.map(quote).join(" ")}`;

// Each says: title, what (the consequence), word (to be typed), path, body, basis, command.
export const ACTIONS = {
  freeze: (zone, basis) => ({
    title: zone === "*" ? "Freeze everything" : `Freeze ${short(zone)}`, path: "freeze", basis,
    what: "The DNS server will refuse every write, also healing. Names go on answering as they " +
      "do now, whatever happens to backends.",
    word: zone === "*" ? "freeze all" : zone, body: zone === "*" ? {} : { zone },
    command: zone === "*" ? command("freeze") : command("freeze", zone),
  }),
  thaw: (zone, basis) => ({
    title: zone === "*" ? "Thaw everything" : `Thaw ${short(zone)}`, path: "thaw", basis,
    what: "Enactors write again; what has waited is written at once, as the guards allow.",
    word: zone === "*" ? "thaw all" : zone, body: zone === "*" ? {} : { zone },
    command: zone === "*" ? command("thaw") : command("thaw", zone),
  }),
  drain: (subject, basis, isSite) => ({
    title: `Drain ${isSite ? "site " : ""}${subject}`, path: "drain", basis,
    what: `${isSite ? "All its backends leave" : "It leaves"} answers as the guards allow, and ` +
      "stays out until the undrain.",
    word: subject, body: { subject }, command: command("drain", subject),
  }),
  undrain: (subject, basis) => ({
    title: `Undrain ${subject}`, path: "undrain", basis,
    what: "It returns to answers when it is healthy.",
    word: subject, body: { subject }, command: command("undrain", subject),
  }),
  approve: (held, basis) => ({
    title: `Approve changes of ${plural(held.count, "name")}`, path: "approve", basis,
    what: `Held plan ${held.id} passes the guards once. If the plan changes before, the approval ` +
      "does not hold.",
    word: held.id.slice(0, 8), body: { plan: held.id }, command: command("approve", held.id),
  }),
  rollback: (endpoint, to, basis) => ({
    title: `Roll ${endpoint === "*" ? "everything" : short(endpoint)} back to generation ${to}`,
    path: "rollback", basis,
    what: `A new generation with the content of generation ${to} is published. ` +
      `${endpoint === "*" ? "All names" : "The name"} will not follow health until released.`,
    word: endpoint === "*" ? "roll back all" : endpoint,
    body: { ...(endpoint === "*" ? { all: true } : { endpoint }), to: Number(to) },
    command: command("rollback", endpoint === "*" ? "--all" : endpoint, "--to", String(to)),
  }),
  release: (endpoint, basis) => ({
    title: `Release ${short(endpoint)}`, path: "release", basis,
    what: "It follows the health of its backends again.",
    word: endpoint, body: { endpoint }, command: command("release", endpoint),
  }),
  retire: (endpoint, basis) => ({
    title: `Retire ${short(endpoint)}`, path: "retire", basis,
    what: "The name stops answering, for good. Take it out of the configuration, too.",
    word: endpoint, body: { endpoint, confirm: endpoint },
    command: command("retire", endpoint, "--yes"),
  }),
};

export function ask(action) {
  asked.value = action;
}

export const ActionButton = ({ action, children, danger = false }) => html`
  <button type="button" class=${danger ? "danger" : ""} onClick=${() => ask(action())}>
    ${children}</button>`;

function TokenForm() {
  const [text, setText] = useState("");
  const id = useId();
  const give = (event) => {
    event.preventDefault();
    keepToken(text.trim());
    readMe();
    touch();
  };
  return html`<form class="token" onSubmit=${give}>
    <label for=${id}>${token() === "" ? "Operator's token" : "Another token"}</label>
    <div class="field"><input id=${id} type="password" autocomplete="off" value=${text}
      onInput=${(event) => setText(event.target.value)} />
    <button type="submit">Use it</button></div>
    <p class="dim">It is kept for this tab only.</p>
  </form>`;
}

function Confirm({ action, close }) {
  const [typed, setTyped] = useState("");
  const [why, setWhy] = useState("");
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const [wordId, whyId, hintId] = [useId(), useId(), useId()];
  const matches = short(typed.trim()) === short(action.word);
  const send = async (event) => {
    event.preventDefault();
    if (!matches || busy) {
      return;
    }
    setBusy(true);
    try {
      const body = why.trim() === "" ? action.body : { ...action.body, why: why.trim() };
      const answer = await post(action.path, action.basis, body);
      done.value = { text: answer.text, at_ms: Date.now() };
      close();
    } catch (caught) {
      setError(caught);
    }
    setBusy(false);
    touch();
  };
  return html`<form onSubmit=${send}>
    <label for=${wordId}>Type <strong class="word">${short(action.word)}</strong> to confirm</label>
    <input id=${wordId} autocomplete="off" spellcheck="false" value=${typed} autofocus
      aria-describedby=${hintId} onInput=${(event) => setTyped(event.target.value)} />
    <p id=${hintId} class="unseen">The button can be pressed when the word is the same.</p>
    <label for=${whyId}>Why
      <span class="dim"> (shown to everybody, kept in the history)</span></label>
    <input id=${whyId} maxlength="1000" value=${why}
      onInput=${(event) => setWhy(event.target.value)} />
    ${error && html`<p class="trouble" role="alert">${error.code === "changed"
      ? `Nothing was done: it has changed since you looked (${error.message}). Close this, look ` +
        "again, and decide anew."
      : `Nothing was done: ${error.message}`}</p>`}
    <div class="buttons">
      <button type="button" onClick=${close}>Cancel</button>
      <button type="submit" class="primary" disabled=${!matches || busy}>${action.title}</button>
    </div>
  </form>`;
}

export function ActionDialog() {
  const dialog = useRef(null);
  const action = asked.value;
  const id = useId();
  useEffect(() => {
    if (action !== null) {
      dialog.current.showModal();
    }
  }, [action]);
  const close = () => dialog.current.close();
  const mayAct = me.value?.role === "operator";
  return html`<dialog ref=${dialog} aria-labelledby=${id} onClose=${() => ask(null)}>
    ${action && html`<h2 id=${id}>${action.title}</h2>
      <p>${action.what}</p>
      ${mayAct ? html`<${Confirm} key=${action.title} action=${action} close=${close} />`
        : html`<p>You may only read here. Do it in a terminal, or give an operator's token.</p>
          <${TokenForm} />
          <div class="buttons"><button type="button" onClick=${close}>Close</button></div>`}
      <div class="same"><span class="dim">The same in a terminal</span>
        <${Command} text=${action.command} /></div>`}
  </dialog>`;
}

export function TokenPanel({ error }) {
  return html`<section class="panel gate"><header><h2>A token is needed</h2></header>
    <p>${error.message}. Beyond the loopback Holdfast shows itself only to those who have a token
      of its tokens file.</p><${TokenForm} /></section>`;
}
