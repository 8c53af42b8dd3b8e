# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots with two logarithmic axes, as SVG without any library: light, or dark where the reader's
system is."""

import html
import math

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 92, 60
COLOURS = (("#1f5fbf", "#79aef5"), ("#c2570c", "#f2a261"), ("#2b7a3d", "#76c98a"),
           ("#7a3fa0", "#c79be6"), ("#8a6d00", "#dcc05a"))
DASHES = ("", "7 4", "2 4", "9 3 2 3", "4 2")
COLUMNS = 2  # of the legend
COLUMN = 330

STYLE = """<style>
  svg { background: #ffffff; font: 13px system-ui, sans-serif; }
  text { fill: #222222; }
  .title { font-size: 16px; font-weight: 600; }
  .axis { stroke: #444444; }
  .grid { stroke: #dddddd; }
  .line { fill: none; stroke-width: 2; }
  %s
  @media (prefers-color-scheme: dark) {
    svg { background: #16181c; }
    text { fill: #e6e6e6; }
    .axis { stroke: #aaaaaa; }
    .grid { stroke: #33373d; }
    %s
  }
</style>"""


def style():
    light = " ".join(f".c{i} {{ stroke: {c}; }} .f{i} {{ fill: {c}; }}"
                     for i, (c, _) in enumerate(COLOURS))
    dark = " ".join(f".c{i} {{ stroke: {c}; }} .f{i} {{ fill: {c}; }}"
                    for i, (_, c) in enumerate(COLOURS))
    return STYLE % (light, dark)


def short(value):
    """1,000 as 1k; small numbers as they are."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


class Axis:
    """Whole decades around the values."""

    def __init__(self, values, low, high):
        self.first = math.floor(math.log10(min(values)) + 1e-9)
        self.last = max(math.ceil(math.log10(max(values)) - 1e-9), self.first + 1)
        self.low, self.high = low, high

    def __call__(self, value):
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return self.low + share * (self.high - self.low)

    def ticks(self):
        return [10.0 ** power for power in range(self.first, self.last + 1)]


def grid(x_axis, y_axis, x_label, y_label):
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value in x_axis.ticks():
        x = x_axis(value)
        yield f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{short(value)}</text>'
    for value in y_axis.ticks():
        y = y_axis(value)
        yield f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>'
    corners = f"{LEFT},{TOP} {LEFT},{bottom} {right},{bottom}"
    yield f'<polyline class="axis" fill="none" points="{corners}"/>'
    yield (f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 14}" text-anchor="middle">'
           f'{html.escape(x_label)}</text>')
    yield (f'<text transform="translate(20 {(TOP + bottom) / 2}) rotate(-90)" '
           f'text-anchor="middle">{html.escape(y_label)}</text>')


def curve(i, name, points, x_axis, y_axis):
    at = [(x_axis(x), y_axis(y)) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    dash = f' stroke-dasharray="{DASHES[i]}"' if DASHES[i] else ""
    yield f'<polyline class="line c{i}"{dash} points="{path}"/>'
    for x, y in at:
        yield f'<circle class="f{i}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    x, y = LEFT + i % COLUMNS * COLUMN, 48 + i // COLUMNS * 18
    yield f'<line class="line c{i}"{dash} x1="{x}" y1="{y}" x2="{x + 30}" y2="{y}"/>'
    yield f'<circle class="f{i}" cx="{x + 15}" cy="{y}" r="3.5"/>'
    yield f'<text x="{x + 38}" y="{y + 4}">{html.escape(name)}</text>'


def log_log(title, x_label, y_label, curves):
    """curves: (name, [(x, y), …]), at most five; all values above 0."""
    curves = [(name, [(x, y) for x, y in points if y > 0]) for name, points in curves]
    curves = [(name, points) for name, points in curves if points]
    every = [point for _, points in curves for point in points]
    x_axis = Axis([x for x, _ in every], LEFT, WIDTH - RIGHT)
    y_axis = Axis([y for _, y in every], HEIGHT - BOTTOM, TOP)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
             f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{html.escape(title)}">',
             style(), f'<text class="title" x="{LEFT}" y="26">{html.escape(title)}</text>',
             *grid(x_axis, y_axis, x_label, y_label)]
    for i, (name, points) in enumerate(curves):
        lines += curve(i, name, points, x_axis, y_axis)
    return "\n".join([*lines, "</svg>"]) + "\n"
