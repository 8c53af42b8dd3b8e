// SPDX-License-Identifier: GPL-3.0-or-later
// What changes, written as people know it from octoDNS and terraform: + to create, ~ to change,
// - to take away.
import { html } from "./lib.js";
import { count, plural } from "./format.js";
import { Name } from "./parts.js";
import { cause } from "./words.js";

const SIGNS = { create: ["+", "added"], change: ["~", "changed"], rotate: ["~", "rotated"],
  retire: ["-", "removed"], leave: ["-", "removed"], mark: ["·", "dim"] };
const WORDS = { create: "create", change: "change", rotate: "rotate", retire: "retire",
  leave: "leave the plan", mark: "mark only", held: "held", orphans: "orphaned" };
const KEPT_SHOWN = 3;
const ADDRESSES_SHOWN = 20;

export function Summary({ summary }) {
  const parts = Object.entries(WORDS).filter(([key]) => summary[key] !== undefined &&
    (summary[key] > 0 || ["create", "change", "retire"].includes(key)));
  return html`<p class="summary">${parts.map(([key, word], i) => html`${i > 0 && ", "}<span
    class=${summary[key] > 0 ? SIGNS[key]?.[1] ?? "" : "dim"}>${count(summary[key])}${" "}
    ${key === "held" || key === "orphans" ? "" : "to "}${word}</span>`)}</p>`;
}

const Line = ({ sign, className, item }) => html`<div class="line ${className}">
  <span class="sign">${sign}</span><span>${item.address}</span>
  <span class="dim">${item.backend ?? ""}</span></div>`;

function ttl(row) {
  if (row.ttl_before_s !== null && row.ttl_s !== null && row.ttl_before_s !== row.ttl_s) {
    return `TTL ${row.ttl_before_s} s → ${row.ttl_s} s`;
  }
  return "";
}

function Change({ row }) {
  const [sign, className] = SIGNS[row.action] ?? ["~", "changed"];
  const kept = row.kept.length > KEPT_SHOWN ? [] : row.kept;
  const more = Math.max(0, row.removed.length - ADDRESSES_SHOWN) +
    Math.max(0, row.added.length - ADDRESSES_SHOWN);
  return html`<li class="change">
    <div class="line head-line ${className}"><span class="sign">${sign}</span>
      <span><${Name} name=${row.endpoint} /></span>
      <span class="dim">${WORDS[row.action] ?? row.action}, ${cause(row)}${ttl(row) &&
        `, ${ttl(row)}`}</span></div>
    ${row.removed.slice(0, ADDRESSES_SHOWN).map((item) => html`<${Line} key=${item.address} sign="-"
      className="removed" item=${item} />`)}
    ${row.added.slice(0, ADDRESSES_SHOWN).map((item) => html`<${Line} key=${item.address} sign="+"
      className="added" item=${item} />`)}
    ${more > 0 && html`<div class="line dim"><span class="sign"></span>and ${
      count(more)} more</div>`}
    ${kept.map((item) => html`<${Line} key=${item.address} sign=" " className="kept"
      item=${item} />`)}
    ${row.kept.length > KEPT_SHOWN && html`<div class="line dim"><span class="sign"></span>${
      plural(row.kept.length, "address stays", "addresses stay")}</div>`}
  </li>`;
}

export const Changes = ({ rows }) => html`<ol class="diff" tabindex="0" aria-label="Changes">
  ${rows.map((row) => html`<${Change} key=${row.endpoint} row=${row} />`)}</ol>`;
