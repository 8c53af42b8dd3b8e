# SPDX-License-Identifier: GPL-3.0-or-later
"""How everything grows from a thousand endpoints to a million (point.py), and the plots of it.

On knotd in one zone all sides; on named the rate of a bulk change, for some of the sizes. What
size.py measured in the same run is used, not measured again.
"""

import math

import planning
import plot
import point
import servers
import size
from fleet import ROOT, BenchError
from goals import judge, median, tried

SLOPE = 1.1  # of cost over size on logarithmic axes: 1 is linear
FROM = 10000  # below, what a process costs anyway hides the rest


def repeats_of(endpoints):
    return 4 if endpoints < 100000 else 2


def measure(sizes):
    earlier = sizes["results"].get("size", {}).get("points", [])
    known = {found["endpoints"]: found for found in earlier if "error" not in found}
    points = [known.get(n) or {"endpoints": n, **tried(point.measure, n, repeats_of(n))}
              for n in sizes["growth"]]
    named = [{"endpoints": n, **tried(point.measure, n, 2, servers.Named, only_rates=True)}
             for n in sizes["growth_named"]]
    plans = [{"endpoints": n, **tried(planning.bench_plan, n)}
             for n in sizes["growth"]]
    return {"knotd": points, "named": named, "plans": plans}


def curve(rows, look):
    """(endpoints, look(row)) of all rows that were measured."""
    found = []
    for row in rows:
        value = tried(look, row)
        if not isinstance(value, dict):
            found.append((row["endpoints"], value))
    return found


def rate_of(side):
    return lambda row: median(row["rates"], side)


def mib_of(role):
    return lambda row: row["memory"][role]["rss"] / 1024


def start_of(*keys):
    return lambda row: sum(median(row["starts"], key) for key in keys)


def plots(result):
    """File name, and what plot.log_log wants."""
    knotd, named, plans = result["knotd"], result["named"], result["plans"]
    x_label = "endpoints in one zone (4 A and 4 AAAA each)"
    yield "growth-rollout", ("Bulk change of every endpoint", x_label, "endpoints a second", [
        ("knotd: raw UPDATEs", curve(knotd, rate_of("raw"))),
        ("knotd: one enactor", curve(knotd, rate_of("holdfast"))),
        ("named: raw UPDATEs", curve(named, rate_of("raw"))),
        ("named: one enactor", curve(named, rate_of("holdfast")))])
    yield "growth-planning", (
        "Planning: ten endpoints change, and all from nothing", "endpoints in the plan",
        "milliseconds", [
            ("full plan from nothing, CPU", curve(plans, lambda row: 1000 * row["plan_s"])),
            ("reading the configuration, CPU", curve(plans, lambda row: 1000 * row["config_s"])),
            ("ten change: CPU", curve(plans, lambda row: row["change_us"] / 1000)),
            ("ten change: verdict to published",
             curve(knotd, lambda row: sorted(row["changes_ms"])[len(row["changes_ms"]) // 2]))])
    yield "growth-memory", ("Memory when all is in step", "endpoints", "MiB resident", [
        ("planner", curve(knotd, mib_of("planner"))),
        ("enactor", curve(knotd, mib_of("enactor"))),
        ("knotd", curve(knotd, mib_of("server"))),
        ("RDATA alone", curve(knotd, lambda row: row["endpoints"] * size.RDATA / 2**20))])
    yield "growth-start", ("Start of an enactor on knotd", "endpoints", "seconds", [
        ("exec to first useful write", curve(knotd, start_of("write_s"))),
        ("bare AXFR and bare read of the plan", curve(knotd, start_of("transfer_s", "read_s"))),
        ("its processor time", curve(knotd, start_of("cpu_s")))])


def draw(result):
    folder = ROOT / "bench" / "results"
    folder.mkdir(exist_ok=True)
    for name, what in plots(result):
        if any(points for _, points in what[3]):
            (folder / f"{name}.svg").write_text(plot.log_log(*what))


def slope(points):
    """Of a line through the points on logarithmic axes, by least squares."""
    logs = [(math.log(x), math.log(y)) for x, y in points if x >= FROM and y > 0]
    if len(logs) < 2:
        raise BenchError(f"fewer than two sizes from {FROM:,} up")
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    return (sum((x - mean_x) * (y - mean_y) for x, y in logs)
            / sum((x - mean_x) ** 2 for x, _ in logs))


def slopes(result):
    knotd, plans = result["knotd"], result["plans"]
    return {
        "full plan": slope(curve(plans, lambda row: row["plan_s"])),
        "fixed change": slope(curve(plans, lambda row: row["change_us"])),
        "memory of the planner": slope(curve(knotd, mib_of("planner"))),
        "of the enactor": slope(curve(knotd, mib_of("enactor"))),
        "start": slope(curve(knotd, start_of("write_s"))),
    }


def worst_ratio(rows):
    ratios = curve(rows, lambda row: rate_of("holdfast")(row) / rate_of("raw")(row))
    return min(ratios, key=lambda pair: pair[1])


def goals(result):
    largest = f"{result['knotd'][-1]['endpoints']:,}"
    yield judge(f"growth to {largest}: slopes on logarithmic axes at most {SLOPE}", result,
                lambda result: (", ".join(f"{name} {value:.2f}" for name, value
                                          in slopes(result).items()),
                                max(slopes(result).values()) <= SLOPE))
    for kind in ("knotd", "named"):
        yield judge(f"growth: least share of the raw rate in one zone on {kind} (no goal)", result,
                    lambda result, kind=kind: (
                        "{1:.2f} at {0:,} endpoints".format(*worst_ratio(result[kind])), None))


def cell(row, look, form):
    value = tried(look, row)
    return "" if isinstance(value, dict) else form.format(value)


def tables(result):
    rows = []
    for kind in ("knotd", "named"):
        for row in result[kind]:
            rows.append((kind, f"{row['endpoints']:,}", cell(row, rate_of("raw"), "{:,.0f}"),
                         cell(row, rate_of("holdfast"), "{:,.0f}"),
                         *(cell(row, mib_of(role), "{:.0f}")
                           for role in ("planner", "enactor", "server")),
                         cell(row, start_of("write_s"), "{:.2f}"),
                         cell(row, start_of("transfer_s", "read_s"), "{:.2f}"),
                         row.get("error", "")))
    yield ("Growth in one zone: endpoints a second of a bulk change, resident MiB, start in s",
           ("server", "endpoints", "raw", "one enactor", "planner", "enactor", "server",
            "start", "AXFR and plan", "not measured"), rows)
    yield ("Planning alone, processor time",
           ("endpoints", "ten change, us", "full plan, s", "configuration, s"),
           [(f"{row['endpoints']:,}", cell(row, lambda row: row["change_us"], "{:.0f}"),
             cell(row, lambda row: row["plan_s"], "{:.2f}"),
             cell(row, lambda row: row["config_s"], "{:.2f}")) for row in result["plans"]])
