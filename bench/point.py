# SPDX-License-Identifier: GPL-3.0-or-later
"""One size of fleet on knotd, seen from all sides: memory, start, planning of a fixed change, and
the rate of a bulk change beside raw.c. size.py and growth.py are made of these.

Every endpoint has 4 A and 4 AAAA. Memory is what the kernel says a process has resident when the
fleet is in step, before anything changes (RSS), and the most that it ever had (HWM). Start is from
exec of an enactor to the first new serial, while one endpoint is out of step; beside it a bare AXFR
(bench/raw.c) and a bare read of the plan (bench/planread.c), turn by turn. A bulk change that takes
longer than a limit is measured until then: by what enactors report, and by what raw.c was told.
"""

import statistics
import time

import servers
from fleet import BenchError, cpu_s, memory_kib, ready
from goals import tried
from rawserver import SHAPE, Raw
from watch import watch_serials

TOUCHED = 10
LIMIT_S = 8  # of a bulk change
REPORT_S = 2  # until what was written is reported
RAW_BATCH, RAW_WINDOW = {"knotd": 100, "named": 100}, {"knotd": 64, "named": 1}


def memory(fleet):
    return {"planner": memory_kib(fleet.planner.pid), "enactor": memory_kib(fleet.enactors[0].pid),
            "server": memory_kib(fleet.server.pid)}


def starts(fleet, sender, count):
    """An enactor begins while one endpoint is out of step, beside transfer and read."""
    found = []
    for i in range(count):
        fleet.stop_enactors()
        fleet.planner.skip_log()
        fleet.states(("one-1",) if i % 2 == 0 else ())
        fleet.planner.wait_for("plan_published")
        begun = time.time()
        fleet.start_enactors(1)
        first, _ = watch_serials(fleet.server, fleet.zones, lambda: True, first_only=True)
        found.append({"write_s": first - begun, "cpu_s": cpu_s(fleet.enactors[0].pid)})
        fleet.settle()
        found[-1]["transfer_s"] = sender("transfer")["seconds"]
        found[-1]["read_s"] = fleet.read_plan()["seconds"]
    return found


def changes(fleet, count):
    """Milliseconds from verdict to plan of a change of ten endpoints."""
    found = []
    for i in range(count):
        fleet.planner.skip_log()
        fleet.states(("few-1",) if i % 2 == 0 else ())
        published = fleet.planner.wait_for("plan_published")
        found.append(1000 * (published - fleet.planner.wait_for("verdict")))
        time.sleep(0.1)
    return found


def written(fleet):
    """What the enactor has said last: when, and how many endpoints it has written."""
    report = fleet.reports()[0]
    return report["at_ms"] / 1000, sum(zone["written"] for zone in report["zones"])


def rate(fleet):
    """Endpoints a second of one bulk change, or of its first seconds."""
    _, before = written(fleet)
    fleet.planner.skip_log()
    fleet.drain()
    published = fleet.planner.wait_for("plan_published")
    _, last = watch_serials(fleet.server, fleet.zones, fleet.in_step,
                            until=published + LIMIT_S + REPORT_S)
    at, count = written(fleet)
    if fleet.in_step():
        return fleet.endpoints / (last - published)
    if count == before:
        raise BenchError("nothing was written in time")
    return (count - before) / (at - published)


def rates(fleet, sender, count):
    """Turn by turn with raw.c; what did not end is not repeated."""
    kind = fleet.server.kind
    command = f"{SHAPE} {RAW_BATCH[kind]} {RAW_WINDOW[kind]} {1000 * LIMIT_S}"
    found = []
    for _ in range(count):
        raw = sender(command)
        found.append({"raw": raw["endpoints"] / raw["seconds"], "holdfast": rate(fleet)})
        if not fleet.in_step():
            break
    return found


def measure(endpoints, repeats, kind=servers.Knotd, only_rates=False):
    begun = time.time()
    fleet, gen = ready(kind, endpoints, 1, twins=1, groups={"one": 1, "few": TOUCHED})
    with fleet, Raw(fleet.twins[0], fleet.folder, endpoints) as sender:
        sender(f"adopt {gen}")
        found = {"server": kind.kind, "endpoints": endpoints, "memory": memory(fleet),
                 "store_octets": (fleet.folder / "holdfast.db").stat().st_size}
        if not only_rates:
            found["changes_ms"] = tried(changes, fleet, 3 * repeats)
            fleet.settle()
            found["starts"] = tried(starts, fleet, sender, max(repeats, 2))
        found["rates"] = tried(rates, fleet, sender, repeats)
        found["memory_after"] = memory(fleet)
        found["took_s"] = time.time() - begun
    return found


def middle(rows, key):
    return statistics.median(row[key] for row in rows)
