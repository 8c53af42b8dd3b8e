# SPDX-License-Identifier: GPL-3.0-or-later
"""A bulk change: of five backends another one is out, and every endpoint's answer changes from four
and four addresses to another four and four.

On servers of one kind that began alike, turn by turn: raw.c with the fastest shape, batch and
window of a few candidates; one enactor; three enactors. Since other work on the machine comes and
goes, ratios are those of neighbours in a round, and their median counts. In one zone nsupdate gets
the same differences once, without fences.
"""

import statistics
import time

import servers
from fleet import BATCHES, cpu_s, ready
from goals import judge, median, tried
from rawserver import SHAPE, Raw, nsupdate
from watch import watch_serials

KINDS = (servers.Knotd, servers.Named)
OTHER_SHAPES = ("whole", "pinned")
CANDIDATES = {  # batch, window for each zone
    ("knotd", False): ((50, 64), (200, 64), (400, 32)),
    ("knotd", True): ((100, 8), (200, 4), (200, 8)),
    ("named", False): ((50, 1), (100, 1), (100, 8)),
    ("named", True): ((25, 1), (50, 1), (100, 1)),
}
NSUPDATE_BATCH = 100
NSUPDATE_MAX = 20000  # endpoints: enough for a rate
RATES = {False: 0.90, True: 0.80}  # to be reached, of raw's: in one zone, in several
SLOWER, MORE_MESSAGES = 1.10, 1.2  # three enactors beside one, at most


def change(fleet):
    """One change by Holdfast; how the rollout went."""
    before = fleet.sums()
    pids = [role.pid for role in fleet.enactors]
    cpu = cpu_s(fleet.server.pid), sum(map(cpu_s, pids))
    fleet.planner.skip_log()
    fleet.drain()
    ended = {}

    def check():
        if fleet.in_step():
            ended["in_step"] = time.time()
        return "in_step" in ended

    first, last = watch_serials(fleet.server, fleet.zones, check)
    published = fleet.planner.wait_for("plan_published")
    after = fleet.sums()
    return {
        "first_write_s": first - published,
        "seconds": last - published,
        "in_step_s": ended["in_step"] - published,
        "server_cpu_s": cpu_s(fleet.server.pid) - cpu[0],
        "enactors_cpu_s": sum(map(cpu_s, pids)) - cpu[1],
        **{key: after[key] - before[key] for key in after},
    }


def raw_change(sender, server, command):
    cpu = cpu_s(server.pid)
    return {**sender(command), "server_cpu_s": cpu_s(server.pid) - cpu}


def find_best(sender, server, kind, several):
    """The fastest command of raw.c, and what all of them took."""
    found = {}
    for batch, window in CANDIDATES[(kind, several)]:
        command = f"{SHAPE} {batch} {window}"
        found[command] = raw_change(sender, server, command)
    best = min(found, key=lambda command: found[command]["seconds"])
    for shape in () if several else OTHER_SHAPES:
        command = best.replace(SHAPE, shape)
        found[command] = raw_change(sender, server, command)
    return best, found


def plain_change(server, endpoints, folder):
    """By nsupdate, which gets some of the endpoints; seconds are those of all at that rate."""
    count = min(endpoints, NSUPDATE_MAX)
    cpu = cpu_s(server.pid)
    scale = endpoints / count
    seconds = nsupdate(server, count, NSUPDATE_BATCH, folder)
    return {"seconds": seconds * scale, "server_cpu_s": (cpu_s(server.pid) - cpu) * scale}


def rounds_of(steps, count):
    """Each step once a round, begun by another one in turn."""
    rounds = []
    names = list(steps)
    for i in range(count):
        turn = names[i % len(names):] + names[:i % len(names)]
        found = {name: steps[name]() for name in turn}
        rounds.append({name: found[name] for name in names})
    return rounds


def one(kind, zones, endpoints, count):
    one_fleet, gen = ready(kind, endpoints, 1, twins=2 if zones == 1 else 1, zones=zones)
    with one_fleet:
        three_fleet, _ = ready(kind, endpoints, 3, zones=zones)
        raw_server, plain_server = one_fleet.twins[0], one_fleet.twins[-1]
        with three_fleet, Raw(raw_server, one_fleet.folder, endpoints) as sender:
            sender(f"adopt {gen}")
            best, found = find_best(sender, raw_server, kind.kind, zones > 1)
            rounds = rounds_of({
                "raw": lambda: raw_change(sender, raw_server, best),
                "one": lambda: change(one_fleet),
                "three": lambda: change(three_fleet),
            }, count)
            plain = {"error": "one zone only"} if zones > 1 else tried(
                plain_change, plain_server, endpoints, one_fleet.folder)
        return {"best": best, "candidates": found, "rounds": rounds, "nsupdate": plain}


def measure(sizes):
    return {"endpoints": sizes["rollout"], "cases": [
        {"server": kind.kind, "zones": zones,
         **tried(one, kind, zones, sizes["rollout"], sizes["rounds"])}
        for kind in KINDS for zones in (1, 16)]}


def ratio(case, of, to, key="seconds"):
    return statistics.median(turn[of][key] / turn[to][key] for turn in case["rounds"])


def goals(result):
    for case in result["cases"]:
        where = f"{case['server']}, {case['zones']} zone{'s' * (case['zones'] > 1)}"
        least = RATES[case["zones"] > 1]
        yield judge(f"rollout, {where}: one enactor at least {least:.2f} of raw", case,
                    lambda case, least=least: (f"{ratio(case, 'raw', 'one'):.2f}",
                                               ratio(case, "raw", "one") >= least))
        yield judge(f"rollout, {where}: three enactors take at most {SLOWER:.2f} of one", case,
                    lambda case: (f"{ratio(case, 'three', 'one'):.2f}",
                                  ratio(case, "three", "one") <= SLOWER))
        yield judge(f"rollout, {where}: three send at most {MORE_MESSAGES} of one's messages", case,
                    lambda case: (f"{ratio(case, 'three', 'one', 'messages'):.2f}",
                                  ratio(case, "three", "one", "messages") <= MORE_MESSAGES))
        if case["zones"] == 1:
            yield judge(f"rollout, {where}: ahead of nsupdate", case, beside_nsupdate)


def beside_nsupdate(case):
    seconds = case["nsupdate"]["seconds"]
    times = seconds / statistics.median(turn["one"]["seconds"] for turn in case["rounds"])
    return f"{times:.1f} times as fast", times > 1


def speeds(endpoints, case):
    def row(name, rows, ratio_text=""):
        seconds = [found["seconds"] for found in rows]
        middle = statistics.median(seconds)
        cpu = [found["server_cpu_s"] for found in rows if "server_cpu_s" in found]
        own = [found["enactors_cpu_s"] for found in rows if "enactors_cpu_s" in found]
        return (name, f"{min(seconds):.2f}", f"{middle:.2f}", f"{max(seconds):.2f}",
                f"{endpoints / middle:,.0f}", ratio_text,
                f"{statistics.median(cpu):.1f}" if cpu else "",
                f"{statistics.median(own):.2f}" if own else "")

    for key, name in (("raw", f"raw: {case['best']}"), ("one", "1 enactor"),
                      ("three", "3 enactors")):
        yield row(name, [turn[key] for turn in case["rounds"]], f"{ratio(case, 'raw', key):.2f}")
    for command, found in case["candidates"].items():
        yield row(f"raw, once: {command}", [found])
    if "seconds" in case["nsupdate"]:
        yield row(f"nsupdate, some of them: {NSUPDATE_BATCH} a message, no fences",
                  [case["nsupdate"]])


def costs(endpoints, case):
    for key, name in (("one", "1 enactor"), ("three", "3 enactors")):
        rows = [turn[key] for turn in case["rounds"]]
        yield (case["server"], case["zones"], name, f"{median(rows, 'messages'):.0f}",
               -(-endpoints // BATCHES[case["server"]]), f"{median(rows, 'refused'):.0f}",
               f"{median(rows, 'unknown'):.0f}", f"{median(rows, 'read'):.0f}",
               f"{median(rows, 'written') - endpoints:.0f}",
               f"{1000 * median(rows, 'first_write_s'):.0f}", f"{median(rows, 'in_step_s'):.1f}")


def tables(result):
    endpoints = result["endpoints"]
    cases = [case for case in result["cases"] if "error" not in case]
    for case in cases:
        yield (f"Bulk change of {endpoints:,} endpoints on {case['server']}, {case['zones']} "
               f"zone{'s' * (case['zones'] > 1)}: from plan to last write",
               ("batch and window for each zone", "best s", "median", "worst", "endpoints/s",
                "rate of raw", "server CPU s", "enactors CPU s"), list(speeds(endpoints, case)))
    yield ("What it took: medians of a change; batch 200 and window 64 on knotd, else defaults",
           ("server", "zones", "", "messages", "fewest", "refused", "unknown",
            "fences read back", "written twice", "plan to first write, ms",
            "in step by reports, s"), [row for case in cases for row in costs(endpoints, case)])
