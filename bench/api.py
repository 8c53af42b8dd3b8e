# SPDX-License-Identifier: GPL-3.0-or-later
"""The control loop beside the API under full load.

One endpoint's backend fails or returns, as in reaction.py: from the planner's log of the verdict to
the answer of the DNS server. Blocks of flips with load take turns with blocks without, so that both
see the same machine. The load (apiload.py) is 1,000 event streams and eight connections that ask
all the time, of which the API answers as many as it can; the clients have the least priority, as
they would be on other machines.
"""

import json
import statistics
import subprocess
import sys

import servers
from fleet import ROOT, BenchError, Role, cpu_s, memory_kib, ready
from goals import judge, tried
from reaction import FLIPPED, Reactor, p99, pause

KINDS = (servers.Named, servers.Knotd)
ENACTORS = 3
CONNECTIONS = 8
PATHS = ("/api/v1/status", "/api/v1/endpoints?limit=100", "/api/v1/backends?limit=100", "/",
         "/api/v1/enactors", "/api/v1/targets")
RATIO = 1.2  # to be reached: verdict to answer, with load beside without


def flip(reactor, flips):
    found = []
    for _ in range(flips):
        found.append(reactor.react(FLIPPED[0]))
        pause(reactor.fleet.server.kind)
    return found


def flip_loaded(reactor, api, port, sizes):
    """The flips, and what the load came to: it is on from before the first to after the last."""
    words = [sys.executable, ROOT / "bench" / "apiload.py", port, sizes["api_streams"], CONNECTIONS,
             sizes["api_seconds"], *PATHS]
    load = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True,
                            preexec_fn=servers.die_with_parent)
    if load.stdout.readline() != "open\n":
        raise BenchError("the load did not begin")
    before = cpu_s(api.pid)
    found = flip(reactor, sizes["api_flips"])
    if load.poll() is not None:
        raise BenchError("the load ended before the flips: api_seconds is too small")
    said = json.loads(load.stdout.readline())
    load.wait()
    return found, {**said, "seconds": sizes["api_seconds"], "cpu_s": cpu_s(api.pid) - before,
                   "rss_kib": memory_kib(api.pid)["rss"]}


def one(kind, sizes):
    port = servers.free_port()
    fleet, _ = ready(kind, sizes["api"], ENACTORS, groups={FLIPPED[0]: 1},
                     extra=f"api: {{ listen: 127.0.0.1@{port} }}\n")
    reactor = Reactor(fleet, (FLIPPED[0],))
    try:
        api = Role(fleet, "api")
        api.wait_for("api_listens")
        flip(reactor, 3)
        alone, loaded, loads = [], [], []
        for _ in range(sizes["api_blocks"]):
            alone += flip(reactor, sizes["api_flips"])
            found, load = flip_loaded(reactor, api, port, sizes)
            loaded += found
            loads.append(load)
        api.stop()
        return {"alone": alone, "loaded": loaded, "loads": loads}
    finally:
        reactor.close()
        fleet.close()


def measure(sizes):
    return {"endpoints": sizes["api"], "streams": sizes["api_streams"],
            "cases": [{"server": kind.kind, **tried(one, kind, sizes)} for kind in KINDS]}


def times(case, key, part="all_ms"):
    return [row[part] for row in case[key]]


def ratio(case, of):
    return of(times(case, "loaded")) / of(times(case, "alone"))


def goals(result):
    for case in result["cases"]:
        for of, name in ((statistics.median, "median"), (p99, "p99")):
            yield judge(
                f"API with {result['streams']:,} streams and requests all the time, "
                f"{case['server']}: verdict to answer at most {RATIO} times, {name}", case,
                lambda case, of=of: (f"{ratio(case, of):.2f} ({of(times(case, 'loaded')):.1f} and "
                                     f"{of(times(case, 'alone')):.1f} ms)",
                                     ratio(case, of) <= RATIO))


def tables(result):
    rows, loads = [], []
    for case in (case for case in result["cases"] if "error" not in case):
        for key in ("alone", "loaded"):
            values = [times(case, key, part) for part in ("publish_ms", "write_ms", "all_ms")]
            rows.append((case["server"], key, len(values[0]),
                         *(f"{statistics.median(v):.1f} / {p99(v):.1f}" for v in values)))
        for load in case["loads"]:
            asked = load["times_ms"]
            loads.append((case["server"], f"{load['answers'] / load['seconds']:,.0f}",
                          load["failed"], f"{load['octets'] / load['seconds'] / 1e6:.1f}",
                          f"{load['events'] / load['seconds']:,.0f}",
                          f"{statistics.median(asked):.1f} / {p99(asked):.1f}",
                          f"{load['cpu_s'] / load['seconds']:.2f}", load["rss_kib"] // 1024))
    yield (f"Verdict to answer beside the API, median / p99 in ms, {result['endpoints']:,} names, "
           f"{ENACTORS} enactors", ("server", "API", "flips", "verdict to plan", "plan to answer",
                                    "verdict to answer"), rows)
    yield (f"The load: {result['streams']:,} streams, {CONNECTIONS} connections",
           ("server", "answers/s", "not 200", "MB/s", "events/s", "answer median / p99 ms",
            "API's cores", "API's MiB"), loads)
