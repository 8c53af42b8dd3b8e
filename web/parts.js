// SPDX-License-Identifier: GPL-3.0-or-later
// Small pieces that every view is made of.
import { html, useId, useState } from "./lib.js";
import { ago, moment, short } from "./format.js";
import { href } from "./route.js";
import { me, now } from "./state.js";

// A state is never told by its colour alone.
const GLYPHS = { ok: "●", info: "◐", notice: "◆", down: "▼", warning: "▲", critical: "✖",
  frozen: "❄", idle: "○" };

export const Glyph = ({ tone }) =>
  html`<span class="glyph ${tone}" aria-hidden="true">${GLYPHS[tone] ?? "○"}</span>`;

export const State = ({ tone, children, title }) =>
  html`<span class="state ${tone}" title=${title}><${Glyph} tone=${tone} />${children}</span>`;

export function Ago({ at, never = "never" }) {
  return at
    ? html`<time dateTime=${new Date(at).toISOString()} title=${moment(at)}>${
        ago(at, now.value)}</time>`
    : html`<span class="dim">${never}</span>`;
}

export const Name = ({ name, query }) =>
  html`<a class="name" href=${href("endpoints", name, query)}>${short(name)}</a>`;

export function Panel({ title, aside, children, className = "" }) {
  const id = useId();
  return html`<section class="panel ${className}" aria-labelledby=${id}>
    <header><h2 id=${id}>${title}</h2>${aside && html`<div class="aside">${aside}</div>`}</header>
    ${children}
  </section>`;
}

// What can be typed into a terminal of the machine, with a button that copies it: with the program
// and configuration of this installation.
export function Command({ text: plain, note = "" }) {
  const [copied, setCopied] = useState(false);
  const text = plain.replace(/^holdfast(?= )/, () => me.value?.command ?? "holdfast");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      setCopied(false); // no clipboard here: the text can be selected
    }
  };
  return html`<div class="command">
    ${note && html`<span class="dim">${note}</span>`}
    <code tabindex="0">${text}</code>
    <button type="button" class="quiet" onClick=${copy} aria-label=${`Copy: ${text}`}>
      ${copied ? "copied" : "copy"}</button>
    <span class="unseen" role="status">${copied ? "copied" : ""}</span>
  </div>`;
}

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

export function Trouble({ error, what }) {
  if (!error) {
    return null;
  }
  const text = error.status ? error.message : "the server cannot be reached";
  return html`<p class="trouble" role="alert"><${Glyph} tone="critical" />${what} could not be read:
    ${" "}${text}</p>`;
}

// A table that scrolls within itself where it is too wide; scrolling needs the keyboard, too.
export const Table = ({ caption, head, children, className = "" }) => html`
  <div class="scroll" tabindex="0" role="region" aria-label=${caption}>
    <table class=${className}>
      <caption class="unseen">${caption}</caption>
      <thead><tr>${head.map((cell) => html`<th scope="col" class=${cell.className ?? ""}>${
        cell.text ?? cell}</th>`)}</tr></thead>
      <tbody>${children}</tbody>
    </table>
  </div>`;

// A row of choices, of which one is chosen.
export const Choices = ({ label, options, value, onChoose }) => html`
  <div class="choices" role="group" aria-label=${label}>
    ${options.map(([key, text]) => html`<button type="button" key=${key}
      aria-pressed=${key === value} onClick=${() => onChoose(key)}>${text}</button>`)}
  </div>`;

// How much of a whole, with the numbers beside it.
export const Meter = ({ part, whole, tone = "ok" }) => html`
  <svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
    <rect class="rest" width="100" height="6" />
    <rect class=${tone} width=${whole > 0 ? (100 * part) / whole : 0} height="6" />
  </svg>`;
