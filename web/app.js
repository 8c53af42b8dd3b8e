// SPDX-License-Identifier: GPL-3.0-or-later
// The frame: head, views, how old the view is. Everything else is in the view's own module.
import { html, render, signal, useEffect, useErrorBoundary, useRef } from "./lib.js";
import { takeToken } from "./api.js";
import { ActionDialog, TokenPanel, done } from "./dialog.js";
import { clock, duration } from "./format.js";
import { href, reread, route } from "./route.js";
import { Search } from "./search.js";
import { failed, link, me, now, old, readMe, start, status, touch } from "./state.js";
import { Backends } from "./backends.js";
import { Endpoint } from "./endpoint.js";
import { Endpoints } from "./endpoints.js";
import { Incidents } from "./incidents.js";
import { Now } from "./now.js";
import { Plans } from "./plans.js";

const VIEWS = [["now", "Now"], ["endpoints", "Endpoints"], ["backends", "Backends"],
  ["plans", "Plans"], ["incidents", "Incidents"]];
const THEMES = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };
const THEME_MARKS = { auto: "◐", light: "☀", dark: "☾" };
const DONE_MS = 15000;

const theme = signal(localStorage.getItem("holdfast-theme") ?? "auto");

function setTheme(value) {
  theme.value = value;
  localStorage.setItem("holdfast-theme", value);
  document.documentElement.dataset.theme = value;
}

function Theme() {
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(theme.value) + 1) % names.length];
  return html`<button type="button" class="quiet theme" onClick=${() => setTheme(next)}
    aria-label=${`${THEMES[theme.value]}; change`} title=${THEMES[theme.value]}>
    ${THEME_MARKS[theme.value] ?? "◐"}</button>`;
}

function Link() {
  const { state } = link.value;
  const words = { live: "live", connecting: "connecting", lost: "lost" };
  const age = old.value === null ? "" : `, ${duration(old.value.age_ms)} old`;
  return html`<span class="link ${old.value === null ? state : "lost"}">
    <span class="dot" aria-hidden="true"></span>${words[state]}${age}</span>`;
}

function Head() {
  const { view } = route.value;
  return html`<header class="head">
    <a class="brand" href="#/"><img src="favicon.svg" alt="" width="22" height="22" />
      <span>Holdfast</span>
      <span class="installation">${status.value?.installation ?? ""}</span></a>
    <nav aria-label="Views">${VIEWS.map(([name, text]) => html`<a href=${href(name)} key=${name}
      aria-current=${view === name ? "page" : undefined}>${text}</a>`)}</nav>
    <${Search} />
    <div class="corner">
      ${me.value?.role === "operator" && html`<span class="who" title="You may act">${
        me.value.who}</span>`}
      <${Link} /><${Theme} /></div>
  </header>`;
}

// How old the view is, in words, where it is not live.
function Age() {
  if (old.value === null) {
    return html`<div role="status"></div>`;
  }
  const { why, age_ms, at_ms } = old.value;
  const text = why === "lost"
    ? "The connection to Holdfast is lost; this page tries again by itself. DNS servers go on " +
      "answering."
    : "Holdfast cannot read its store just now. DNS servers go on answering.";
  return html`<div role="status" class="age">
    <strong>This view is ${duration(age_ms)} old</strong>, of ${clock(at_ms)}. ${text}</div>`;
}

function Done() {
  const fresh = done.value !== null && now.value - done.value.at_ms < DONE_MS;
  return html`<div role="status" class=${fresh ? "done" : ""}>${fresh && done.value.text}</div>`;
}

// A view that breaks says so and leaves the others alone.
function Guarded({ children }) {
  const [error] = useErrorBoundary((caught) => console.error(caught));
  return error ? html`<p class="trouble" role="alert">This view could not be shown (${
    error.message}). The others can, and <code>holdfast status</code> says the same.</p>`
    : children;
}

function View() {
  const { view, name } = route.value;
  if (status.value === null) {
    if (failed.value?.status === 401) {
      return html`<${TokenPanel} error=${failed.value} />`;
    }
    return html`<p class="empty">${failed.value === null ? "Reading …" : "Holdfast cannot be " +
      `reached: ${failed.value.message}. This page tries again by itself.`}</p>`;
  }
  switch (view) {
    case "now":
      return html`<${Now} />`;
    case "endpoints":
      return name === "" ? html`<${Endpoints} />` : html`<${Endpoint} name=${name} key=${name} />`;
    case "backends":
      return html`<${Backends} />`;
    case "plans":
      return html`<${Plans} />`;
    case "incidents":
      return html`<${Incidents} />`;
    default:
      return html`<p class="empty">There is no such view. <a href="#/">To the beginning</a></p>`;
  }
}

function App() {
  const main = useRef(null);
  const { view, name } = route.value;
  const first = useRef(true);
  const title = name || VIEWS.find(([key]) => key === view)?.[1] || "";
  useEffect(() => {
    document.title = `${title} · ${status.value?.installation ?? ""} · Holdfast`;
  }, [title, status.value?.installation]);
  useEffect(() => {
    if (!first.current) {
      scrollTo(0, 0);
      main.current.focus({ preventScroll: true }); // a screen reader begins with the new view
    }
    first.current = false;
  }, [view, name]);
  return html`<a class="skip" href="#main" onClick=${(event) => {
    event.preventDefault();
    main.current.focus();
  }}>To the content</a>
  <${Head} /><${Age} /><${Done} />
  <main id="main" ref=${main} tabindex="-1" class=${old.value === null ? "" : "old"}>
    <${Guarded} key=${`${view} ${name}`}><${View} /><//></main>
  <${ActionDialog} />`;
}

document.documentElement.dataset.theme = theme.value;
takeToken();
reread();
addEventListener("hashchange", () => {
  if (takeToken()) {
    reread();
    readMe();
    touch();
  }
});
start();
render(html`<${App} />`, document.getElementById("app"));
