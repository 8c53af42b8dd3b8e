# SPDX-License-Identifier: GPL-3.0-or-later
"""What a small change costs a planner of a large fleet, and what a full plan costs.

Planners of several fleets run side by side, each with the same 100,000 backends (20,000 pools of
five that nothing looks at, used by the endpoints in turn) and a group of 10 endpoints. In turn, one
backend of the group fails or returns. Cost is what passes between the log lines verdict and
plan_published: time, and processor time of the planner's process until 10 ms later. Afterwards the
planner is left alone until it has written nothing for a while; what it wrote counts. In a middle
one's fleet are groups of other sizes, for the octets of a delta.

bench/planbench.c makes the same calls as the planner's process, without checks, enactors and status
documents, and counts processor time: of the same change, and of a full plan, in stages.
"""

import json
import statistics
import subprocess
import tempfile
import time

import servers
from fleet import PATIENCE_S, BenchError, Fleet, build, cpu_s
from goals import judge, median, tried
from watch import PLAN_LOOK_S, Tail

FULL_RUNS, ALONE_RUNS = 3, 2
TOUCHED = 10
QUIET_S, QUIET_MAX_S = 0.7, 5
IDLE_S = 10  # with no change at all
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

    def wait_until_quiet(self):
        """Nothing was written for QUIET_S, or it never ends."""
        deadline = time.time() + QUIET_MAX_S
        seen, since = io_octets(self.role.pid), time.time()
        while time.time() - since < QUIET_S and time.time() < deadline:
            time.sleep(0.05)
            now = io_octets(self.role.pid)
            if now != seen:
                seen, since = now, time.time()

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
        cpu_after = cpu_s(self.role.pid)
        delta_octets = self.fleet.object_octets() - octets
        self.wait_until_quiet()
        return {"cpu_ms": 1000 * (cpu_after - cpu["verdict"]), "delta_octets": delta_octets,
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
        before = [io_octets(planner.role.pid) for planner in planners]
        time.sleep(IDLE_S)
        return {"deltas": deltas, "fleets": [
            {"endpoints": planner.fleet.endpoints, "changes": rows,
             "idle_octets_s": (io_octets(planner.role.pid) - octets) / IDLE_S}
            for planner, rows, octets in zip(planners, found, before)]}
    finally:
        for planner in planners:
            planner.close()


def bench_plan(endpoints, pools=None):
    """What bench/planbench.c says of a plan and of changes on top of it."""
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as folder:
        words = [build() / "bench" / "planbench", folder, str(endpoints)]
        result = subprocess.run(words + ([str(pools)] if pools else []), check=True,
                                capture_output=True, text=True)
    return json.loads(result.stdout.splitlines()[0])


def alone(sizes):
    """The same change without a planner's process around it."""
    return {"runs": [min((bench_plan(endpoints, sizes["fillers"]) for _ in range(ALONE_RUNS)),
                         key=lambda run: run["change_us"]) for endpoints in sizes["planning"]]}


def full(endpoints):
    return {"endpoints": endpoints, "runs": [bench_plan(endpoints) for _ in range(FULL_RUNS)]}


def measure(sizes):
    return {"backends": 5 * (sizes["fillers"] + 1), "fixed": tried(fixed, sizes),
            "alone": tried(alone, sizes), "full": tried(full, sizes["planning"][-1])}


def growth_of(case, key):
    few, many = case["fleets"][0], case["fleets"][-1]
    return median(many["changes"], key) / median(few["changes"], key)


def octets_each(case):
    """Of an endpoint in deltas of each size; the backends that it names are shared."""
    return [row["delta_octets"] / row["endpoints"] for row in case["deltas"]]


def fastest(case, key):
    return min(run[key] for run in case["runs"])


def goals(result):
    case = result["alone"]
    sizes = "" if "error" in case else (
        f"{case['runs'][-1]['endpoints']:,} beside {case['runs'][0]['endpoints']:,} endpoints, ")
    yield judge(
        f"planning, {sizes}{TOUCHED} touched: processor time at most {TIMES} times", case,
        lambda case: (
            f"{case['runs'][-1]['change_us'] / case['runs'][0]['change_us']:.2f} "
            f"({case['runs'][0]['change_us']:.0f} and {case['runs'][-1]['change_us']:.0f} us)",
            case["runs"][-1]["change_us"] <= TIMES * case["runs"][0]["change_us"]))
    yield judge(
        f"planning, {sizes}{TOUCHED} touched: verdict to published at most {TIMES} times",
        result["fixed"], lambda case: (
            f"{growth_of(case, 'publish_ms'):.2f} "
            f"({median(case['fleets'][0]['changes'], 'publish_ms'):.1f} and "
            f"{median(case['fleets'][-1]['changes'], 'publish_ms'):.1f} ms)",
            growth_of(case, "publish_ms") <= TIMES))
    yield judge("publishing a delta writes in proportion to it: octets an endpoint",
                result["fixed"], lambda case: (
                    ", ".join(f"{row['endpoints']:,}: {each:.0f}" for row, each
                              in zip(case["deltas"], octets_each(case))),
                    octets_each(case)[-1] <= DELTA_OCTETS * statistics.median(octets_each(case))))
    case = result["full"]
    yield judge(
        f"full plan of {case.get('endpoints', 0):,} endpoints: at most {FULL_S:.0f} s of one core",
        case, lambda case: (f"{fastest(case, 'plan_s'):.2f} s, and "
                            f"{fastest(case, 'config_s'):.2f} to read the configuration",
                            fastest(case, "plan_s") <= FULL_S))


def tables(result):
    case = result["fixed"]
    if "error" not in case:
        keys = ("cpu_ms", "publish_ms", "delta_octets", "written_octets")
        yield (f"One backend of {result['backends']:,} changes, {TOUCHED} endpoints are touched: "
               f"medians of {len(case['fleets'][0]['changes'])}",
               ("endpoints", "planner CPU ms", "verdict to published, ms", "delta octets",
                "octets to the disk", "to the disk each second without a change"),
               [(f"{fleet['endpoints']:,}", *(f"{median(fleet['changes'], key):,.1f}"
                                              for key in keys),
                 f"{fleet['idle_octets_s']:,.0f}") for fleet in case["fleets"]])
        yield ("Octets of a delta", ("endpoints", "octets", "each"),
               [(f"{row['endpoints']:,}", f"{row['delta_octets']:,}", f"{each:.0f}")
                for row, each in zip(case["deltas"], octets_each(case))])
    case = result["alone"]
    if "error" not in case:
        keys = ("change_us", "change_publish_us", "change_wall_us", "change_octets")
        yield ("The same change in bench/planbench.c, the least of "
               f"{ALONE_RUNS} runs' medians",
               ("endpoints", "CPU us", "of it publishing", "by the clock, us", "octets"),
               [(f"{run['endpoints']:,}", *(f"{run[key]:,.0f}" for key in keys))
                for run in case["runs"]])
    case = result["full"]
    if "error" not in case:
        keys = ("config_s", "fleet_s", "verdicts_s", "tick_s", "fill_s", "publish_s",
                "committed_s", "plan_s")
        yield (f"A full plan of {case['endpoints']:,} endpoints from nothing, seconds of CPU",
               ("configuration", "fleet", "verdicts", "planning", "entries", "objects and store",
                "afterwards", "all but configuration"),
               [tuple(f"{run[key]:.2f}" for key in keys) for run in case["runs"]])
