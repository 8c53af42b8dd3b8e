# SPDX-License-Identifier: GPL-3.0-or-later
"""What a small change costs a planner of a large fleet, and what a full plan costs.

Planners of several fleets run side by side, each with the same 100,000 backends (20,000 pools of
five that nothing looks at, used by the endpoints in turn) and a group of 10 endpoints. In turn, one
backend of the group fails or returns. Cost is what passes between the log lines verdict and
plan_published: time, and processor time of the planner's process until 10 ms later. In a middle one's fleet are groups of other sizes, for the octets of a delta.

The full plan is bench/planbench.c: the same calls as the planner's process makes, timed in stages.
"""

import json
import statistics
import subprocess
import time

import servers
from fleet import PATIENCE_S, BenchError, Fleet, build, cpu_s
from goals import judge, median, tried
from watch import PLAN_LOOK_S, Tail

FULL_RUNS = 3
TOUCHED = 10
AFTER_S = 0.01  # a publication: all that it causes is over
TIMES, FULL_S = 1.5, 3.0  # to be reached
DELTA_OCTETS = 2.0  # at most so many times as much for each endpoint as the median


def io_octets(pid):
    with open(f"/proc/{pid}/io") as lines:
        return int(next(line for line in lines if line.startswith("write_bytes")).split()[1])


class Planner:
    def __init__(self, endpoints, fillers, groups):
        self.fleet = Fleet(servers.Knotd, endpoints, groups=groups, fillers=fillers)
        try:
            self.role = self.fleet.start_planner()
            self.tail = Tail(self.role)
        except BaseException:
            self.fleet.close()
            raise
        self.down = set()

    def close(self):
        self.tail.close()
        self.fleet.close()

    def change(self, group):
        """One verdict and its plan."""
        self.tail.events()
        self.down ^= {f"{group}-1"}
        octets, written = self.fleet.object_octets(), io_octets(self.role.pid)
        deadline = time.time() + PATIENCE_S
        self.fleet.states(self.down)
        times, cpu = {}, {}
        while len(times) < 2:
            for event in self.tail.events():
                if event == "verdict" or (event == "plan_published" and "verdict" in times):
                    times.setdefault(event, time.time())
                    cpu.setdefault(event, cpu_s(self.role.pid))
            if time.time() > deadline:
                raise BenchError("a verdict made no plan")
            time.sleep(PLAN_LOOK_S)
        time.sleep(AFTER_S)
        return {"cpu_ms": 1000 * (cpu_s(self.role.pid) - cpu["verdict"]),
                "delta_octets": self.fleet.object_octets() - octets,
                "written_octets": io_octets(self.role.pid) - written,
                "publish_ms": 1000 * (times["plan_published"] - times["verdict"])}


def fixed(sizes):
    """The same change in fleets of several sizes, in turn."""
    planners = []
    middle = len(sizes["planning"]) // 2
    groups = {f"delta{count}": count for count in sizes["deltas"]}
    try:
        for i, endpoints in enumerate(sizes["planning"]):
            planners.append(Planner(endpoints, sizes["fillers"],
                                    {"few": TOUCHED, **(groups if i == middle else {})}))
        found = [[] for _ in planners]
        for _ in range(sizes["plans"]):
            for planner, rows in zip(planners, found):
                rows.append(planner.change("few"))
        deltas = [{"endpoints": count,
                   "delta_octets": planners[middle].change(group)["delta_octets"]}
                  for group, count in groups.items()]
        return {"fleets": [{"endpoints": planner.fleet.endpoints, "changes": rows}
                           for planner, rows in zip(planners, found)], "deltas": deltas}
    finally:
        for planner in planners:
            planner.close()


def full(endpoints, runs=FULL_RUNS):
    """A full plan from nothing, best of a few runs."""
    fleet = Fleet(servers.Knotd, endpoints)
    with fleet:
        rows = []
        for i in range(runs):
            result = subprocess.run(
                [build() / "bench" / "planbench", fleet.folder / "holdfast.yaml",
                 fleet.folder / f"plan{i}.db", "web-5"], check=True, capture_output=True, text=True)
            rows.append(json.loads(result.stdout))
        return {"endpoints": endpoints, "runs": rows}


def measure(sizes, _):
    return {"backends": 5 * (sizes["fillers"] + 1), "fixed": tried(fixed, sizes),
            "full": tried(full, sizes["planning"][-1])}


def growth_of(case, key):
    few, many = case["fleets"][0], case["fleets"][-1]
    return median(many["changes"], key) / median(few["changes"], key)


def total_s(run):
    return run["config_s"] + run["plan_s"] + run["publish_s"]


def octets_each(case):
    """Of an endpoint in deltas of each size; the backends that it names are shared."""
    return [row["delta_octets"] / row["endpoints"] for row in case["deltas"]]


def goals(result):
    fixed_case, full_case = result["fixed"], result["full"]
    sizes = ""
    if "error" not in fixed_case:
        fleets = fixed_case["fleets"]
        sizes = f"{fleets[-1]['endpoints']:,} beside {fleets[0]['endpoints']:,} endpoints, "
    for key, name in (("cpu_ms", "processor time"), ("publish_ms", "verdict to published")):
        yield judge(
            f"planning, {sizes}{TOUCHED} touched: {name} at most {TIMES} times", fixed_case,
            lambda case, key=key: (
                f"{growth_of(case, key):.2f} ({median(case['fleets'][0]['changes'], key):.1f} and "
                f"{median(case['fleets'][-1]['changes'], key):.1f} ms)",
                growth_of(case, key) <= TIMES))
    yield judge("publishing a delta writes in proportion to it: octets an endpoint",
                fixed_case, lambda case: (
                    ", ".join(f"{row['endpoints']:,}: {each:.0f}" for row, each
                              in zip(case["deltas"], octets_each(case))),
                    octets_each(case)[-1] <= DELTA_OCTETS * statistics.median(octets_each(case))))
    yield judge(
        f"full plan of {full_case.get('endpoints', 0):,} endpoints: at most {FULL_S:.0f} s of one "
        "core", full_case, lambda case: (
            f"{min(map(total_s, case['runs'])):.2f} s (configuration "
            f"{min(run['config_s'] for run in case['runs']):.2f}, planning "
            f"{min(run['plan_s'] for run in case['runs']):.2f}, publishing "
            f"{min(run['publish_s'] for run in case['runs']):.2f})",
            min(map(total_s, case["runs"])) <= FULL_S))


def tables(result):
    case = result["fixed"]
    if "error" not in case:
        keys = ("cpu_ms", "publish_ms", "delta_octets", "written_octets")
        yield (f"One backend of {result['backends']:,} changes, {TOUCHED} endpoints are touched: "
               f"medians of {len(case['fleets'][0]['changes'])}",
               ("endpoints", "planner CPU ms", "verdict to published, ms", "delta octets",
                "octets to the disk"),
               [(f"{fleet['endpoints']:,}", *(f"{median(fleet['changes'], key):,.1f}"
                                              for key in keys)) for fleet in case["fleets"]])
        yield ("Octets of a delta", ("endpoints", "octets", "each"),
               [(f"{row['endpoints']:,}", f"{row['delta_octets']:,}", f"{each:.0f}")
                for row, each in zip(case["deltas"], octets_each(case))])
    case = result["full"]
    if "error" not in case:
        yield (f"A full plan of {case['endpoints']:,} endpoints from nothing, seconds of CPU",
               ("configuration", "planning", "entries, objects, store", "together"),
               [(*(f"{run[key]:.2f}" for key in ("config_s", "plan_s", "publish_s")),
                 f"{total_s(run):.2f}") for run in case["runs"]])
