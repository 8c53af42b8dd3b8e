// SPDX-License-Identifier: GPL-3.0-or-later
// Numbers, times and names as people read them.

const numbers = new Intl.NumberFormat("en");
const clocks = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const minutes = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });
const dates = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

export const count = (value) => (typeof value === "number" ? numbers.format(value) : value);

export const plural = (value, one, many = `${one}s`) =>
  `${count(value)} ${value === 1 ? one : many}`;

// "40 s", "3 min", "2 h", "4 d"
export function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  for (const [size, unit] of UNITS) {
    if (seconds >= size * (size === 1 ? 0 : 1.5)) {
      return `${Math.round(seconds / size)} ${unit}`;
    }
  }
  return "0 s";
}

export const ago = (at_ms, now_ms) =>
  now_ms - at_ms < 1500 ? "just now" : `${duration(now_ms - at_ms)} ago`;

// Of a check: "0.8 ms", "12 ms", "1.2 s"
export function checkTime(us) {
  if (us < 1000) {
    return `${(us / 1000).toFixed(2)} ms`;
  }
  return us < 1e6 ? `${(us / 1000).toFixed(us < 1e4 ? 1 : 0)} ms` : `${(us / 1e6).toFixed(1)} s`;
}

export const clock = (at_ms) => clocks.format(at_ms);
export const minute = (at_ms) => minutes.format(at_ms);
export const moment = (at_ms) => dates.format(at_ms);

// Names carry their final dot in the API; people read them without.
export const short = (name) =>
  (name.length > 1 && /[^\\]\.$/.test(name) ? name.slice(0, -1) : name);

// Texts of the API begin in lower case and have no full stop. Names keep their first letter.
export function sentence(text) {
  const first = /^[a-z]+(?=[ ,:]|$)/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
  return text === "" || /[.!?]$/.test(text) ? first : `${first}.`;
}

// "a", "a and b", "a, b and 3 more"
export function list(names, most = 3, total = names.length) {
  if (total > most || total > names.length) {
    const shown = names.slice(0, most);
    return `${shown.join(", ")} and ${count(total - shown.length)} more`;
  }
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
