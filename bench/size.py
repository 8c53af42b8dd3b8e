# SPDX-License-Identifier: GPL-3.0-or-later
"""A large fleet on knotd, beside a small one: memory of planner and enactor, and start (point.py).

Records are 4 A and 4 AAAA of each endpoint: 80 octets of RDATA, held by planner and enactor both.
What an endpoint costs is the difference between the two fleets, so that what a process costs anyway
is not in it; the absolute figures are there as well.
"""

import point
from goals import judge, tried

RDATA = 4 * 4 + 4 * 16
OCTETS, TIMES = 400, 2.0  # to be reached
ROLES = ("planner", "enactor")


def measure(sizes):
    return {"points": [{"endpoints": endpoints, **tried(point.measure, endpoints, sizes["starts"])}
                       for endpoints in sizes["size"]]}


def ends(result):
    """The smallest and the largest fleet; or an error."""
    failed = [found for found in result["points"] if "error" in found]
    if failed:
        return failed[0]
    return {"few": result["points"][0], "many": result["points"][-1]}


def each(case, role, key, when="memory"):
    """Octets of a further endpoint."""
    few, many = case["few"], case["many"]
    return (1024 * (many[when][role][key] - few[when][role][key])
            / (many["endpoints"] - few["endpoints"]))


def together(case, key, when="memory"):
    """Of planner and enactor, beyond the records that both hold."""
    return sum(each(case, role, key, when) - RDATA for role in ROLES)


def absolute(case, key, when="memory"):
    many = case["many"]
    return sum(1024 * many[when][role][key] for role in ROLES) / many["endpoints"]


def start_times(found):
    return point.middle(found["starts"], "write_s") / (
        point.middle(found["starts"], "transfer_s") + point.middle(found["starts"], "read_s"))


def words_of_memory(case):
    beyond = together(case, "rss")
    return (f"{beyond:.0f} (planner {each(case, 'planner', 'rss') - RDATA:.0f}, enactor "
            f"{each(case, 'enactor', 'rss') - RDATA:.0f}; records, libraries and all: "
            f"{absolute(case, 'rss'):.0f})", beyond <= OCTETS)


def words_of_start(case):
    found = case["many"]
    return (f"{start_times(found):.2f} ({point.middle(found['starts'], 'write_s'):.1f} s; transfer "
            f"{point.middle(found['starts'], 'transfer_s'):.1f}, plan "
            f"{point.middle(found['starts'], 'read_s'):.1f})", start_times(found) <= TIMES)


def goals(result):
    count = f"{result['points'][-1]['endpoints']:,}"
    case = ends(result)
    yield judge(f"memory, {count} endpoints: planner and enactor at most {OCTETS} octets each "
                "beyond the records", case, words_of_memory)
    yield judge(f"start, {count} endpoints: to the first useful write at most {TIMES:.0f} times "
                "AXFR and plan", case, words_of_start)


def tables(result):
    memory, starts = [], []
    for found in result["points"]:
        if "error" in found:
            continue
        for when, name in (("memory", "in step"), ("memory_after", "after a bulk change")):
            for role in (*ROLES, "server"):
                kib = found[when][role]
                memory.append((f"{found['endpoints']:,}", name, role,
                               *(f"{kib[key] / 1024:.0f}" for key in ("rss", "hwm")),
                               *(f"{1024 * kib[key] / found['endpoints']:,.0f}"
                                 for key in ("rss", "hwm"))))
        if "error" not in found["starts"]:
            keys = ("write_s", "cpu_s", "transfer_s", "read_s")
            starts.append((f"{found['endpoints']:,}", *(f"{point.middle(found['starts'], key):.2f}"
                                                        for key in keys),
                           f"{start_times(found):.2f}", f"{found['store_octets'] / 2**20:.0f}"))
    yield ("Memory, knotd, one enactor", ("endpoints", "when", "process", "RSS MiB", "HWM MiB",
                                          "RSS each", "HWM each"), memory)
    case = ends(result)
    if "error" not in case:
        rows = [(role, when, f"{each(case, role, 'rss', when):.0f}",
                 f"{each(case, role, 'rss', when) - RDATA:.0f}",
                 f"{each(case, role, 'hwm', when) - RDATA:.0f}")
                for when in ("memory", "memory_after") for role in (*ROLES, "server")]
        yield (f"A further endpoint: from {case['few']['endpoints']:,} to "
               f"{case['many']['endpoints']:,}, octets",
               ("process", "when", "RSS", "RSS beyond RDATA", "HWM beyond RDATA"), rows)
    yield ("Start of an enactor while one endpoint is out of step, medians, seconds",
           ("endpoints", "exec to first write", "its CPU", "bare AXFR", "bare read of the plan",
            "times both", "store MiB"), starts)
