# SPDX-License-Identifier: GPL-3.0-or-later
"""A bulk change: one of five backends fails (or returns), and every endpoint's answer changes.

Beside it, on fresh servers of the same kind in the same run: the same change through one enactor,
bench/raw.c with several batches and windows, and nsupdate. Since other work on the machine comes
and goes, each change is followed at once by two of raw.c on a second server: one with the same
batch and window, one with what is best on that server. The ratios are those of such neighbours.
"""

import math
import pathlib
import statistics
import tempfile
import time

import servers
from fleet import ZONE, Fleet, cpu_s, watch_serial
from rawserver import Raw, nsupdate

ROUNDS = 2  # each: one backend down, and up again
CASES = {  # name, enactors, target's settings, batch, window
    "knotd": (
        ("3 enactors, rfc2136 defaults (25, 8)", 3, "audit: 30s", 25, 8),
        ("1 enactor, rfc2136 defaults (25, 8)", 1, "audit: 30s", 25, 8),
        ("3 enactors, batch 50, window 64", 3, "batch: 50\n    window: 64", 50, 64),
        ("1 enactor, batch 50, window 64", 1, "batch: 50\n    window: 64", 50, 64),
    ),
    "named": (
        ("3 enactors, rfc2136 defaults (25, 8)", 3, "audit: 30s", 25, 8),
        ("1 enactor, rfc2136 defaults (25, 8)", 1, "audit: 30s", 25, 8),
        ("1 enactor, batch 25, window 1", 1, "batch: 25\n    window: 1", 25, 1),
    ),
}
RAW = {  # shape, batch, window
    "knotd": (("whole", 25, 8), ("whole", 50, 64), ("whole", 200, 64), ("differ", 100, 64),
              ("differ", 400, 32)),
    "named": (("whole", 25, 1), ("whole", 25, 8), ("whole", 100, 8), ("differ", 100, 1),
              ("differ", 100, 8)),
}
BEST = {"knotd": "differ 400 32", "named": "differ 100 1"}
NSUPDATE_BATCHES = (25, 100)


def one_change(fleet, down):
    """Flips a backend; how the rollout went."""
    before = fleet.sums()
    pids = [role.pid for role in fleet.enactors]
    cpu = cpu_s(fleet.server.pid), sum(map(cpu_s, pids))
    fleet.planner.skip_log()
    fleet.states(down)
    ended = {}

    def check():
        if fleet.in_step():
            ended["in_step"] = time.time()
        return "in_step" in ended

    first, last = watch_serial(fleet.server, check)
    published = fleet.planner.wait_for("plan_published")
    verdict = fleet.planner.wait_for("verdict")
    after = fleet.sums()
    return {
        "verdict_to_published_s": published - verdict,
        "first_write_s": first - published,
        "last_write_s": last - published,
        "in_step_s": ended["in_step"] - published,
        "server_cpu_s": cpu_s(fleet.server.pid) - cpu[0],
        "enactors_cpu_s": sum(map(cpu_s, pids)) - cpu[1],
        **{key: after[key] - before[key] for key in after},
    }


def holdfast(kind, endpoints, case):
    name, count, target, batch, window = case
    with (kind(zones=[ZONE]) as server, kind(zones=[ZONE]) as other,
          Fleet(server, endpoints, target) as fleet):
        sender = Raw(other, endpoints, fleet.folder)
        sender("create 25 8")
        fleet.start_planner().wait_for("plan_published")
        fleet.start_enactors(count)
        fleet.settle()
        changes = []
        for _ in range(ROUNDS):
            for down in (("web-1",), ()):
                change = one_change(fleet, down)
                change["raw_alike_s"] = sender(f"whole {batch} {window}")["seconds"]
                change["raw_best_s"] = sender(BEST[kind.kind])["seconds"]
                changes.append(change)
        sender.close()
        fewest = math.ceil(endpoints / batch)
        return {"case": name, "batch": batch, "window": window, "fewest_messages": fewest,
                "changes": changes}


def raw(kind, endpoints):
    """The raw cases and nsupdate, on one server."""
    found = []
    with kind(zones=[ZONE]) as server, tempfile.TemporaryDirectory(prefix="hf-bench-") as folder:
        sender = Raw(server, endpoints, pathlib.Path(folder))
        created = sender("create 25 8")
        for shape, batch, window in RAW[kind.kind]:
            rounds = [sender(f"{shape} {batch} {window}") for _ in range(2)]
            found.append({"case": f"raw: {shape}, batch {batch}, window {window}",
                          "messages": rounds[0]["messages"],
                          "seconds": [r["seconds"] for r in rounds]})
        sender.close()
        times = {batch: nsupdate(server, endpoints, batch, pathlib.Path(folder))
                 for batch in NSUPDATE_BATCHES}
    for batch, seconds in times.items():
        found.append({"case": f"nsupdate: {batch} endpoints a message, no fences",
                      "messages": math.ceil(endpoints / batch), "seconds": [seconds]})
    return {"create_s": created["seconds"], "cases": found}


def measure(sizes):
    endpoints = sizes["rollout"]
    result = {"endpoints": endpoints, "servers": {}}
    for kind in (servers.Knotd, servers.Named):
        result["servers"][kind.kind] = {
            "raw": raw(kind, endpoints),
            "holdfast": [holdfast(kind, endpoints, case) for case in CASES[kind.kind]],
        }
    return result


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def ratio(changes, key):
    return f"{statistics.median(c[key] / c['last_write_s'] for c in changes):.2f}"


def speeds(endpoints, found):
    """Rows of one server's table."""
    def row(case, took):
        middle = statistics.median(took)
        return (case, f"{min(took):.2f}", f"{middle:.2f}", f"{max(took):.2f}",
                f"{endpoints / middle:,.0f}")

    for case in found["holdfast"]:
        changes = case["changes"]
        yield (*row(case["case"], [change["last_write_s"] for change in changes]),
               ratio(changes, "raw_best_s"), ratio(changes, "raw_alike_s"),
               f"{median(changes, 'in_step_s'):.1f}", f"{median(changes, 'server_cpu_s'):.1f}",
               f"{median(changes, 'enactors_cpu_s'):.2f}")
    for case in found["raw"]["cases"]:
        yield (*row(case["case"], case["seconds"]), "", "", "", "", "")


def costs(endpoints, kind, found):
    for case in found["holdfast"]:
        changes = case["changes"]
        yield (kind, case["case"], f"{median(changes, 'messages'):.0f}", case["fewest_messages"],
               f"{median(changes, 'refused'):.0f}", f"{median(changes, 'unknown'):.0f}",
               f"{median(changes, 'read'):.0f}", f"{median(changes, 'written') - endpoints:.0f}",
               f"{1000 * median(changes, 'verdict_to_published_s'):.0f}",
               f"{1000 * median(changes, 'first_write_s'):.0f}")


def tables(result):
    endpoints = result["endpoints"]
    for kind, found in result["servers"].items():
        yield (f"Bulk change of {endpoints:,} endpoints on {kind}: from plan to last write",
               ("", "best s", "median", "worst", "endpoints/s", "rate of the best raw",
                "of raw alike", "in step by reports, s", "server CPU s", "enactors CPU s"),
               list(speeds(endpoints, found)))
    yield ("What it took: medians of a change",
           ("server", "", "messages", "fewest", "refused", "unknown", "fences read back",
            "written twice", "verdict to plan, ms", "plan to first write, ms"),
           [row for kind, found in result["servers"].items()
            for row in costs(endpoints, kind, found)])
