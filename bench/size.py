# SPDX-License-Identifier: GPL-3.0-or-later
"""A large fleet: the first plan, memory of planner and enactors, from start to in step.

Records are 4 A and 4 AAAA of each endpoint: 80 octets of RDATA. Memory is what the kernel says a
process has resident when the fleet is in step (RSS) and the most that it ever had (HWM). "In step"
comes from reports, which an enactor writes at most once a second; the last write from the serial.
"""

import pathlib
import tempfile
import time

import servers
from fleet import ZONE, Fleet, cpu_s, memory_kib, wait_until, watch_serial
from rawserver import Raw

ENACTORS = 3
RDATA = 4 * 4 + 4 * 16
TRANSFERS = 3
BATCH, WINDOW = 25, 3 * 8  # of raw.c: what three enactors with defaults have in flight together


def start(fleet):
    """Starts the enactors; seconds from exec to the last write, if any, and to in step."""
    begun = time.time()
    fleet.start_enactors(ENACTORS)
    return begun


def one(kind, endpoints):
    with kind(zones=[ZONE]) as server, Fleet(server, endpoints) as fleet:
        fleet.states(("web-5",))
        planner = fleet.start_planner()
        published = planner.wait_for("plan_published")
        found = {
            "plan_s": published - planner.begun_s,
            "plan_cpu_s": cpu_s(planner.pid),
            "planner_first_kib": memory_kib(planner.pid),
        }
        begun = start(fleet)
        _, last = watch_serial(server, fleet.in_step)
        found["empty_last_write_s"] = last - begun
        found["empty_in_step_s"] = time.time() - begun
        found["enactors_cpu_s"] = sum(cpu_s(role.pid) for role in fleet.enactors)
        found["server_cpu_s"] = cpu_s(server.pid)
        fleet.settle()
        found["settled_s"] = time.time() - begun
        found["sums"] = fleet.sums()
        found["enactors_first_kib"] = [memory_kib(role.pid) for role in fleet.enactors]
        fleet.stop_enactors()
        begun = start(fleet)
        wait_until(fleet.in_step, "in step", 0.05)
        found["again_in_step_s"] = time.time() - begun
        found["again_cpu_s"] = sum(cpu_s(role.pid) for role in fleet.enactors)
        found["enactors_again_kib"] = [memory_kib(role.pid) for role in fleet.enactors]
        found["planner_kib"] = memory_kib(planner.pid)
        found["server_kib"] = memory_kib(server.pid)
        sender = Raw(server, 1, fleet.folder)
        found["transfer_s"] = min(sender("transfer")["seconds"] for _ in range(TRANSFERS))
        sender.close()
        found["store_octets"] = (fleet.folder / "holdfast.db").stat().st_size
        return found


def raw(kind, endpoints):
    """Seconds of bare UPDATEs that make the same endpoints on an empty zone."""
    with kind(zones=[ZONE]) as server, tempfile.TemporaryDirectory(prefix="hf-bench-") as folder:
        sender = Raw(server, endpoints, pathlib.Path(folder))
        seconds = sender(f"create {BATCH} {WINDOW}")["seconds"]
        sender.close()
        return seconds


def measure(sizes):
    cases = []
    for kind, counts in ((servers.Knotd, sizes["size"]), (servers.Named, sizes["size"][-1:])):
        for endpoints in counts:
            cases.append({"server": kind.kind, "endpoints": endpoints, **one(kind, endpoints),
                          "raw_create_s": raw(kind, endpoints)})
    return {"cases": cases}


def mib(kib):
    return f"{kib / 1024:.0f}"


def growth(cases):
    """What an endpoint costs beyond what a process costs anyway: between two sizes."""
    few, many = cases[0], max(cases, key=lambda case: case["endpoints"])
    if few["server"] != many["server"] or few["endpoints"] == many["endpoints"]:
        return
    rows = []
    for what, key in (("planner", "planner_kib"), ("enactor", "enactors_first_kib"),
                      ("enactor started on a zone in step", "enactors_again_kib"),
                      ("the DNS server", "server_kib")):
        small, large = (case[key] for case in (few, many))
        if isinstance(small, list):
            small, large = (max(kibs, key=lambda kib: kib["rss"]) for kibs in (small, large))
        each = (large["rss"] - small["rss"]) * 1024 / (many["endpoints"] - few["endpoints"])
        rows.append((what, f"{each:,.0f}", f"{each - RDATA:,.0f}"))
    yield (f"Memory of a further endpoint: from {few['endpoints']:,} to {many['endpoints']:,}, "
           f"{few['server']}", ("", "octets of RSS", "beyond the RDATA"), rows)


def tables(result):
    memory = []
    starts = []
    for case in result["cases"]:
        count = case["endpoints"]

        def row(what, kib, count=count, case=case):
            each = kib["rss"] * 1024 / count
            peak = kib["hwm"] * 1024 / count
            return (case["server"], f"{count:,}", what, mib(kib["rss"]), mib(kib["hwm"]),
                    f"{each:,.0f}", f"{each - RDATA:,.0f}", f"{peak:,.0f}")

        def most(rows):
            return max(rows, key=lambda kib: kib["hwm"])

        memory.append(row("planner", case["planner_kib"]))
        memory.append(row("planner at its first plan", case["planner_first_kib"]))
        memory.append(row("enactor after the first rollout", most(case["enactors_first_kib"])))
        memory.append(row("enactor started on a zone in step", most(case["enactors_again_kib"])))
        memory.append(row("the DNS server", case["server_kib"]))
        starts.append((
            case["server"], f"{count:,}", f"{case['plan_s']:.2f}", f"{case['plan_cpu_s']:.2f}",
            f"{case['empty_last_write_s']:.1f}", f"{case['raw_create_s']:.1f}",
            f"{case['again_in_step_s']:.1f}", f"{case['transfer_s']:.2f}",
            f"{case['sums']['messages']:,}", f"{case['sums']['refused']:,}",
            f"{case['sums']['read']:,}", f"{case['server_cpu_s']:.1f}",
            f"{case['enactors_cpu_s']:.1f}", f"{case['store_octets'] / 2**20:.0f}"))
    yield from growth(result["cases"])
    yield ("Memory: MiB, and octets an endpoint (the largest enactor)",
           ("server", "endpoints", "", "RSS", "HWM", "RSS each", "beyond the RDATA", "HWM each"),
           memory)
    yield ("Start: seconds from exec, three enactors",
           ("server", "endpoints", "planner: to the plan", "of CPU", "empty zone: to last write",
            "raw, 25 x 24", "zone in step: to in step", "bare AXFR", "messages", "refused",
            "fences read back", "server CPU", "enactors CPU", "store MiB"), starts)
