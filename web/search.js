// SPDX-License-Identifier: GPL-3.0-or-later
// The search in the head: names of endpoints and backends, found by the server while one types.
import { html, useEffect, useId, useRef, useState } from "./lib.js";
import { get } from "./api.js";
import { count, short } from "./format.js";
import { Glyph } from "./parts.js";
import { go } from "./route.js";
import { endpointWords } from "./words.js";

const WAIT_MS = 100;
const SHOWN = 8;
const VERDICTS = { up: "ok", down: "down", unknown: "idle" };

async function find(text, signal) {
  const query = `search=${encodeURIComponent(text)}`;
  const [endpoints, backends] = await Promise.all([
    get(`endpoints?${query}&limit=${SHOWN}`, signal), get(`backends?${query}&limit=3`, signal)]);
  return [
    ...endpoints.body.endpoints.map((row) => ({ view: "endpoints", name: row.name, query: {},
      text: short(row.name), tone: endpointWords(row.state).tone,
      says: endpointWords(row.state).word })),
    ...backends.body.backends.map((row) => ({ view: "backends", name: "",
      query: { backend: row.name }, text: row.name, tone: VERDICTS[row.verdict],
      says: `backend, ${row.verdict}` })),
    { view: "endpoints", name: "", query: { search: text }, tone: "idle", says: "list",
      text: `${count(endpoints.body.total)} endpoints with “${text}”` },
  ];
}

// What is found for the text, a moment after it was typed.
function useFound(text) {
  const [found, setFound] = useState({ text: "", rows: [] });
  useEffect(() => {
    if (text === "") {
      setFound({ text, rows: [] });
      return undefined;
    }
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      try {
        setFound({ text, rows: await find(text, stop.signal) });
      } catch {
        if (!stop.signal.aborted) {
          setFound({ text, rows: [] });
        }
      }
    }, WAIT_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [text]);
  return found;
}

function isTyping(target) {
  return /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

export function Search() {
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const input = useRef(null);
  const id = useId();
  const found = useFound(text.trim());
  const rows = open ? found.rows : [];
  useEffect(() => {
    const focus = (event) => {
      if (event.key === "/" && !isTyping(event.target) && !document.querySelector("dialog[open]")) {
        event.preventDefault();
        input.current.focus();
        input.current.select();
      }
    };
    addEventListener("keydown", focus);
    return () => removeEventListener("keydown", focus);
  }, []);
  const choose = (row) => {
    setOpen(false);
    setText("");
    go(row.view, row.name, row.query);
  };
  const keys = {
    ArrowDown: () => setAt(Math.min(at + 1, rows.length - 1)),
    ArrowUp: () => setAt(Math.max(at - 1, 0)),
    Escape: () => (open && rows.length > 0 ? setOpen(false) : setText("")),
    Enter: () => (found.text === text.trim() && rows[at] ? choose(rows[at])
      : choose({ view: "endpoints", name: "", query: { search: text.trim() } })),
  };
  const press = (event) => {
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  };
  const type = (event) => {
    setText(event.target.value);
    setOpen(true);
    setAt(0);
  };
  return html`<div class="search">
    <input ref=${input} type="search" role="combobox" aria-label="Search endpoints and backends"
      aria-expanded=${rows.length > 0} aria-controls=${id} aria-autocomplete="list"
      aria-activedescendant=${rows.length > 0 ? `${id}-${at}` : undefined}
      placeholder="Search a name  /" autocomplete="off" spellcheck="false" value=${text}
      onInput=${type} onKeyDown=${press} onBlur=${() => setOpen(false)}
      onFocus=${() => setOpen(true)} />
    <ul id=${id} role="listbox" aria-label="Found" hidden=${rows.length === 0}>
      ${rows.map((row, i) => html`<li id=${`${id}-${i}`} role="option" aria-selected=${i === at}
        onMouseDown=${(event) => event.preventDefault()} onClick=${() => choose(row)}>
        <${Glyph} tone=${row.tone} /><span class="name">${row.text}</span>
        <span class="dim">${row.says}</span></li>`)}
    </ul>
  </div>`;
}
