# SPDX-License-Identifier: GPL-3.0-or-later
"""From a verdict to the answer: one endpoint's backend fails and returns, on an idle server.

verdict      the planner's log says what the check found (ms)
published    its log says that the plan is in the store
answered     a UDP query, repeated about every millisecond, sees the other number of addresses

Beside it, in the same run: durable commits of a store in the same folder (bench/commit.c) and
single UPDATEs of the same shape on the same zone, with pauses (bench/raw.c, to the reply).
"""

import math
import random
import statistics
import time

import servers
from fleet import PATIENCE_S, ZONE, Asker, BenchError, Fleet
from rawserver import Raw, commits

ENACTORS = 3
COMMITS = 100
STALL_MS = 100
PAUSE_MS = 300  # between single UPDATEs: about as flips follow each other


def count_answers(asker):
    reply = asker.raw()
    return None if reply is None else int.from_bytes(reply[4:6], "big")


def one_flip(fleet, asker, down):
    fleet.planner.skip_log()
    begun = time.time()
    fleet.states(("flip-1",) if down else ())
    while count_answers(asker) != (1 if down else 2):
        if time.time() - begun > PATIENCE_S:
            raise BenchError("a flip was not answered")
        time.sleep(0.0005)
    answered = time.time()
    verdict = fleet.planner.wait_for("verdict")
    published = fleet.planner.wait_for("plan_published")
    return {"check_ms": 1000 * (verdict - begun), "publish_ms": 1000 * (published - verdict),
            "write_ms": 1000 * (answered - published), "all_ms": 1000 * (answered - verdict)}


def one(kind, endpoints, flips):
    with kind(zones=[ZONE]) as server, Fleet(server, endpoints, flip=True) as fleet:
        fleet.start_planner().wait_for("plan_published")
        fleet.start_enactors(ENACTORS)
        fleet.settle()
        asker = Asker(server, f"e0.{ZONE}", "A")
        before = fleet.sums()
        found = []
        for i in range(flips):
            found.append(one_flip(fleet, asker, i % 2 == 0))
            time.sleep(random.uniform(0.05, 0.25))  # not in step with anybody's timers
        fleet.settle()
        after = fleet.sums()
        asker.close()
        sender = Raw(server, 1, fleet.folder)
        sender("create 1 1")
        updates = sender(f"single {flips} {PAUSE_MS}")["us"]
        sender.close()
        disk = commits(fleet.folder, COMMITS)
        return {
            "flips": [{key: round(value, 1) for key, value in flip.items()} for flip in found],
            "sums": {key: after[key] - before[key] for key in after},
            "update_ms": [round(us / 1000, 2) for us in updates],
            "commit_ms": [round(us / 1000, 2) for us in disk["store_us"]],
        }


def measure(sizes):
    return {
        "enactors": ENACTORS,
        "cases": [
            {"server": kind.kind, "endpoints": endpoints, **one(kind, endpoints, sizes["flips"])}
            for kind in (servers.Knotd, servers.Named) for endpoints in sizes["reaction"]],
    }


def p99(values):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)]


def pair(values):
    return f"{statistics.median(values):.1f} / {p99(values):.1f}"


def stalls(values):
    return sum(value > STALL_MS for value in values)


def tables(result):
    rows = []
    costs = []
    for case in result["cases"]:
        flips = case["flips"]
        parts = {key: [flip[key] for flip in flips] for key in flips[0]}
        floor = statistics.median(case["commit_ms"]) + statistics.median(case["update_ms"])
        tail = p99(case["commit_ms"]) + p99(case["update_ms"])
        rows.append((
            case["server"], f"{case['endpoints']:,}", len(flips), pair(parts["publish_ms"]),
            pair(parts["write_ms"]), pair(parts["all_ms"]), pair(case["commit_ms"]),
            pair(case["update_ms"]), f"{statistics.median(parts['all_ms']) / floor:.1f} / "
            f"{p99(parts['all_ms']) / tail:.1f}",
            f"{stalls(parts['all_ms'])}, {stalls(case['update_ms'])}"))
        sums = {key: value / len(flips) for key, value in case["sums"].items()}
        costs.append((case["server"], f"{case['endpoints']:,}", f"{sums['messages']:.2f}",
                      f"{sums['refused']:.2f}", f"{sums['unknown']:.2f}", f"{sums['read']:.2f}",
                      f"{sums['written']:.2f}"))
    yield ("Verdict to answer, median / p99 in ms, three enactors",
           ("server", "endpoints", "flips", "verdict to plan", "plan to answer",
            "verdict to answer", "store commit", "raw UPDATE", "of commit + UPDATE",
            f"over {STALL_MS} ms: verdicts, raw"), rows)
    yield ("What a verdict took, for each flip",
           ("server", "endpoints", "messages", "refused", "unknown", "fences read back",
            "written"), costs)
