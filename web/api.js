// SPDX-License-Identifier: GPL-3.0-or-later
// Requests to the API of docs/reference/openapi.json, and its stream of events.
//
// A token, where one is needed, comes by hand or as "#token=…" in the address. It is kept for this
// tab only and goes nowhere but into the Authorization header.

const TOKEN = "holdfast-token";
const SILENCE_MS = 15000; // a beat comes every five seconds
const PAUSE_MAX_MS = 8000;

export class ApiError extends Error {
  constructor(status, error) {
    super(error.text);
    Object.assign(this, { status, code: error.code, basis: error.basis, nearest: error.nearest });
  }
}

export const token = () => sessionStorage.getItem(TOKEN) ?? "";

export function keepToken(text) {
  if (text === "") {
    sessionStorage.removeItem(TOKEN);
  } else {
    sessionStorage.setItem(TOKEN, text);
  }
}

// Out of the address before anybody can copy it, or it gets into a history. Whether there was one.
export function takeToken() {
  const found = /^#token=([^&]+)&?(.*)$/.exec(location.hash);
  if (found) {
    keepToken(decodeURIComponent(found[1]));
    history.replaceState(null, "", found[2] ? `#${found[2]}` : location.pathname);
  }
  return found !== null;
}

function headers(more = {}) {
  return token() === "" ? more : { ...more, Authorization: `Bearer ${token()}` };
}

async function failure(response) {
  const body = await response.json().catch(() => null);
  const text = `the server answered ${response.status} ${response.statusText}`.trim();
  return new ApiError(response.status, body?.error ?? { code: "failed", text });
}

// The answer's body, and what the server's clock said then.
export async function get(path, signal) {
  const response = await fetch(`api/v1/${path}`, {
    headers: headers(), signal, cache: "no-cache", credentials: "omit" });
  if (!response.ok) {
    throw await failure(response);
  }
  return { body: await response.json(), date_ms: Date.parse(response.headers.get("Date")) };
}

// basis: what the operator saw, or null where the action has none.
export async function post(path, basis, body) {
  const response = await fetch(`api/v1/${path}`, {
    method: "POST",
    headers: headers({
      "Content-Type": "application/json", ...(basis === null ? {} : { "If-Match": `"${basis}"` }),
    }),
    body: JSON.stringify(body),
    credentials: "omit",
  });
  if (!response.ok) {
    throw await failure(response);
  }
  return response.json();
}

// One event of the stream: {id, name, text}; null for a comment.
function parseEvent(block) {
  const event = { id: null, name: "message", text: "" };
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
    if (field === "id") {
      event.id = value;
    } else if (field === "event") {
      event.name = value;
    } else if (field === "data") {
      event.text += value;
    }
  }
  return event.text === "" ? null : event;
}

// Reads one stream to its end. EventSource cannot send a token, so this is fetch.
async function readStream(lastId, on) {
  const stop = new AbortController();
  let timer;
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(), SILENCE_MS);
  };
  watch();
  try {
    const response = await fetch("api/v1/events", {
      headers: headers(lastId === null ? {} : { "Last-Event-ID": lastId }),
      signal: stop.signal, cache: "no-store", credentials: "omit" });
    if (!response.ok) {
      throw await failure(response);
    }
    on.open();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "", part = await reader.read(); !part.done; part = await reader.read()) {
      watch();
      const blocks = (rest + part.value).replaceAll("\r\n", "\n").split("\n\n");
      rest = blocks.pop();
      blocks.map(parseEvent).filter(Boolean).forEach(on.event);
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

// Follows the stream for good. on.open(), on.event({id, name, text}), on.lost(error).
export async function follow(on) {
  let lastId = null;
  for (let pause_ms = 500; ; pause_ms = Math.min(pause_ms * 2, PAUSE_MAX_MS)) {
    let error = null;
    try {
      await readStream(lastId, {
        open() {
          pause_ms = 250;
          on.open();
        },
        event(event) {
          lastId = event.id ?? lastId;
          on.event(event);
        },
      });
    } catch (caught) {
      error = caught;
    }
    on.lost(error);
    await new Promise((resolve) => {
      setTimeout(resolve, pause_ms);
    });
  }
}
