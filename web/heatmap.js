// SPDX-License-Identifier: GPL-3.0-or-later
// A canvas with one cell for each backend, in blocks by pool and site: thousands at a glance. The
// table beside it has the same for those who do not see it.
import { html, useEffect, useMemo, useRef, useState } from "./lib.js";
import { colour } from "./chart.js";
import { checkTime, count, plural } from "./format.js";

const SIZES = [[60, 26], [300, 18], [1500, 12], [6000, 8], [25000, 5], [Infinity, 4]];
const POOL_HEIGHT = 24;
const SITE_HEIGHT = 17;
const BLOCK_WIDTH_MIN = 84;
const GAP = 14;
const SHAPE = 1.6; // a block is about so many times wider than high

// Where each block of one pool and site is: {pool, site, members, x, y, across}.
function layOut(rows, width) {
  const size = SIZES.find(([most]) => rows.length <= most)[1];
  const pools = new Map();
  for (const row of rows) {
    const sites = pools.get(row.pool) ?? pools.set(row.pool, new Map()).get(row.pool);
    (sites.get(row.site) ?? sites.set(row.site, []).get(row.site)).push(row);
  }
  const blocks = [];
  const titles = [];
  let y = 0;
  for (const [pool, sites] of pools) {
    titles.push({ pool, y, count: [...sites.values()].flat().length });
    y += POOL_HEIGHT;
    let x = 0;
    let high = 0;
    for (const [site, members] of sites) {
      const most = Math.max(1, Math.floor(width / size));
      const across = Math.min(most, Math.ceil(Math.sqrt(members.length * SHAPE)));
      const wide = Math.max(across * size, BLOCK_WIDTH_MIN);
      if (x > 0 && x + wide > width) {
        x = 0;
        y += high + GAP;
        high = 0;
      }
      blocks.push({ pool, site, members, x, y, across });
      high = Math.max(high, SITE_HEIGHT + Math.ceil(members.length / across) * size);
      x += wide + GAP;
    }
    y += high + GAP;
  }
  return { size, blocks, titles, height: Math.max(y, 40) };
}

const place = (block, i, size) => ({
  x: block.x + (i % block.across) * size,
  y: block.y + SITE_HEIGHT + Math.floor(i / block.across) * size,
});

export const TONES = { up: "ok", down: "critical", unknown: "idle" };

// 0 to 1 on a logarithmic scale, of 0.1 ms to 1 s; flaps of 0 to 10.
const HEAT = {
  duration: (row) => (Math.log10(Math.max(row.duration_us, 100)) - 2) / 4,
  flaps: (row) => Math.log10(1 + row.flaps) / Math.log10(11),
};

function paint(canvas, layout, by, selected, matches) {
  const scale = devicePixelRatio;
  const { size, blocks, titles, height } = layout;
  const context = canvas.getContext("2d");
  const names = ["ok", "critical", "idle", "notice", "ink", "dim", "heat", "panel", "line"];
  const ink = Object.fromEntries(names.map((name) => [name, colour(name)]));
  const cell = size - (size > 6 ? 2 : 1);
  canvas.width = canvas.clientWidth * scale;
  canvas.height = height * scale;
  context.scale(scale, scale);
  context.textBaseline = "top";
  for (const title of titles) {
    context.font = "600 13px system-ui, sans-serif";
    context.fillStyle = ink.ink;
    context.fillText(title.pool, 0, title.y + 3);
    const after = context.measureText(`${title.pool}  `).width;
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = ink.dim;
    context.fillText(plural(title.count, "backend"), after, title.y + 4);
  }
  for (const block of blocks) {
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = ink.dim;
    context.fillText(block.site || "no site", block.x, block.y);
    block.members.forEach((row, i) => {
      const { x, y } = place(block, i, size);
      context.globalAlpha = matches(row) ? 1 : 0.15;
      if (by === "state") {
        paintState(context, row, x, y, cell, ink);
      } else {
        context.fillStyle = ink.line;
        context.fillRect(x, y, cell, cell);
        context.globalAlpha *= Math.min(1, Math.max(0.04, HEAT[by](row)));
        context.fillStyle = ink.heat;
        context.fillRect(x, y, cell, cell);
      }
      context.globalAlpha = 1;
      if (row.name === selected) {
        context.strokeStyle = ink.ink;
        context.lineWidth = 2;
        context.strokeRect(x - 1, y - 1, cell + 2, cell + 2);
      }
    });
  }
}

// Not by colour alone: what is down is crossed, what is drained has only a frame.
function paintState(context, row, x, y, cell, ink) {
  context.fillStyle = row.drained ? ink.notice : ink[TONES[row.verdict]];
  context.fillRect(x, y, cell, cell);
  if (row.drained && cell > 4) {
    context.fillStyle = ink.panel;
    context.fillRect(x + 2, y + 2, cell - 4, cell - 4);
  }
  if (row.verdict === "down" && cell > 5) {
    context.strokeStyle = row.drained ? ink.critical : ink.panel;
    context.lineWidth = cell > 12 ? 2 : 1;
    context.beginPath();
    context.moveTo(x + 2, y + 2);
    context.lineTo(x + cell - 2, y + cell - 2);
    context.moveTo(x + cell - 2, y + 2);
    context.lineTo(x + 2, y + cell - 2);
    context.stroke();
  }
}

function hit(layout, x, y) {
  const { size } = layout;
  for (const block of layout.blocks) {
    const column = Math.floor((x - block.x) / size);
    const line = Math.floor((y - block.y - SITE_HEIGHT) / size);
    if (column >= 0 && column < block.across && line >= 0) {
      const row = block.members[line * block.across + column];
      if (row) {
        return row;
      }
    }
  }
  return null;
}

function Tip({ tip }) {
  const box = useRef(null);
  useEffect(() => {
    if (tip !== null) {
      box.current.style.left = `${tip.x}px`;
      box.current.style.top = `${tip.y + 14}px`;
    }
  }, [tip]);
  return html`<div ref=${box} class="tip" hidden=${tip === null} aria-hidden="true">${tip &&
    html`<strong>${tip.row.name}</strong> ${tip.row.verdict}${tip.row.drained ? ", drained" : ""}
    <br />${tip.row.why || "not checked yet"}<br /><span class="dim">${
      checkTime(tip.row.duration_us)}, ${plural(tip.row.flaps, "flap")}</span>`}</div>`;
}

export function HeatMap({ rows, by, selected, onSelect, matches }) {
  const canvas = useRef(null);
  const [width, setWidth] = useState(0);
  const [tip, setTip] = useState(null);
  const [drawn, setDrawn] = useState(0);
  const layout = useMemo(() => layOut(rows, Math.max(width, 200)), [rows, width]);
  useEffect(() => {
    const again = () => setDrawn((value) => value + 1);
    const frame = canvas.current.parentElement;
    const sizes = new ResizeObserver(() => setWidth(frame.clientWidth));
    const themes = new MutationObserver(again);
    const media = matchMedia("(prefers-color-scheme: dark)");
    sizes.observe(frame);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    media.addEventListener("change", again);
    return () => {
      sizes.disconnect();
      themes.disconnect();
      media.removeEventListener("change", again);
    };
  }, []);
  useEffect(() => {
    if (width > 0) {
      canvas.current.style.height = `${layout.height}px`;
      paint(canvas.current, layout, by, selected, matches);
    }
  }, [layout, by, selected, matches, drawn, width]);
  const at = (event) => hit(layout, event.offsetX, event.offsetY);
  const move = (event) => {
    const row = at(event);
    const x = Math.min(event.offsetX, Math.max(0, width - 240));
    setTip(row === null ? null : { row, x, y: event.offsetY });
  };
  const says = `${count(rows.length)} backends by pool and site; the table has each`;
  return html`<div class="heatmap">
    <canvas ref=${canvas} role="img" aria-label=${says} onMouseMove=${move}
      onMouseLeave=${() => setTip(null)} onClick=${(event) => {
        const row = at(event);
        if (row !== null) {
          onSelect(row.name);
        }
      }}></canvas>
    <${Tip} tip=${tip} /></div>`;
}
