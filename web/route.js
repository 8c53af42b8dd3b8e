// SPDX-License-Identifier: GPL-3.0-or-later
// Addresses. All of a view is in the fragment, so an address can be shared: it says what is shown
// and needs nothing of the server. "#/endpoints/api.example.test.", "#/plans/42?from=40".
import { signal } from "./lib.js";

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray "%" is itself
  }
}

function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/");
  return { view: view || "now", name: decode(rest.join("/")), query: new URLSearchParams(query) };
}

export const route = signal(parse(location.hash));

// The fragment of a view; query entries that are empty are left out.
export function href(view, name = "", query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== "" && value != null);
  const path = name === "" ? view : `${view}/${encodeURIComponent(name)}`;
  return `#/${path === "now" ? "" : path}${kept.length ? `?${new URLSearchParams(kept)}` : ""}`;
}

export function go(view, name, query) {
  location.hash = href(view, name, query);
}

// Changes some of the query in place: a filter that is typed makes no history of its own.
export function refine(changes) {
  const { view, name, query } = route.value;
  history.replaceState(null, "", href(view, name, { ...Object.fromEntries(query), ...changes }));
  reread();
}

// After the address was changed by other means.
export function reread() {
  route.value = parse(location.hash);
}

addEventListener("hashchange", reread);
