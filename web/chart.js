// SPDX-License-Identifier: GPL-3.0-or-later
// uPlot in the page's colours: stacked columns. What it shows is also said in words beside it.
import { html, useEffect, useRef } from "./lib.js";
import uPlot from "./vendor/uplot.js";

// What a custom property comes to here, in the present theme.
export function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

// rows: one array of values for each series, from the ground up; uPlot paints the last one first.
function stack(rows) {
  const sums = [];
  for (const row of rows) {
    const below = sums[0];
    sums.unshift(row.map((value, i) => value + (below ? below[i] : 0)));
  }
  return sums;
}

function options({ series, width, height, label, xValues, yValues, align }) {
  const axis = { stroke: colour("dim"), font: "11px system-ui", ticks: { show: false } };
  const bars = uPlot.paths.bars({ size: [0.8, 40], align });
  return {
    width, height, legend: { show: false }, cursor: { show: false },
    padding: [8, 16, 0, 0],
    scales: {
      x: { time: false, range: ({ data: [xs] }, min, max) => // the last column, too
        (align === 0 ? [min - 0.6, max + 0.6] : [min, max + xs[1] - xs[0]]) },
      y: { range: (self, min, max) => [0, Math.max(max, 4)] },
    },
    axes: [
      { ...axis, size: 26, grid: { show: false }, values: xValues },
      { ...axis, size: 40, grid: { stroke: colour("line"), width: 1 }, values: yValues, label,
        labelFont: "11px system-ui", labelSize: 16, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500,
          1000, 2000, 5000, 10000, 20000, 50000, 100000] },
    ],
    series: [{}, ...[...series].reverse().map(({ tone }) => ({
      fill: colour(tone), stroke: colour(tone), width: 0, paths: bars, points: { show: false } }))],
  };
}

// series: [{tone, values}], x: numbers. The key makes it anew where that changes (the theme).
export function Columns({ x, series, label, says, height = 130, xValues, yValues, align = 0 }) {
  const place = useRef(null);
  const plot = useRef(null);
  const values = [x, ...stack(series.map((row) => row.values))];
  const latest = useRef(values);
  latest.current = values;
  useEffect(() => {
    const element = place.current;
    const draw = () => {
      plot.current?.destroy();
      const width = element.clientWidth;
      plot.current = new uPlot(options({ series, width, height, label, xValues, yValues, align }),
        latest.current, element);
    };
    const media = matchMedia("(prefers-color-scheme: dark)");
    const themes = new MutationObserver(draw);
    const sizes = new ResizeObserver(() => {
      if (plot.current.width !== element.clientWidth) {
        plot.current.setSize({ width: element.clientWidth, height });
      }
    });
    draw();
    media.addEventListener("change", draw);
    themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    sizes.observe(element);
    return () => {
      media.removeEventListener("change", draw);
      themes.disconnect();
      sizes.disconnect();
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(values));
  return html`<div class="chart" role="img" aria-label=${says} ref=${place}></div>`;
}
