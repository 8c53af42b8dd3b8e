# SPDX-License-Identifier: GPL-3.0-or-later
"""The drill's engine alone: cost of an event by the number of hosts, memory, the outage.

Times are processor time of one core. Sizes take turns, and the best run of several counts: what
else the machine does makes a run slower, never faster.
"""

import json
import subprocess

from fleet import build
from goals import judge

TARGETS = {"events_per_second": 5000000, "outage_s": 20, "octets_per_host": 200, "ratio": 1.5}


def once(what, hosts):
    output = subprocess.run([f"{build()}/bench/drillbench", what, str(hosts)],
                            capture_output=True, text=True, check=True, timeout=900).stdout
    return json.loads(output)


def best(runs):
    return min(runs, key=lambda run: run["ns_per_event"])


def measure(sizes):
    wanted = sizes["drill"]
    runs = {hosts: [] for hosts in wanted["hosts"]}
    for _ in range(wanted["rounds"]):
        for hosts in runs:
            runs[hosts].append(once("hosts", hosts))
    outages = [once("outage", wanted["outage"]) for _ in range(wanted["rounds"])]
    return {
        "hosts": [best(runs[hosts]) for hosts in runs],
        "leases": once("leases", wanted["outage"]),
        "outage": min(outages, key=lambda run: run["all_s"]),
        "same_digest": len({run["digest"] for run in outages}) == 1,
    }


def tables(measured):
    yield ("An event, by the number of hosts",
           ("hosts", "ns an event", "events/s", "octets a host"),
           [(f"{run['hosts']:,}", f"{run['ns_per_event']:.0f}", f"{run['events_per_s']:,.0f}",
             f"{run['octets_per_host']:.0f}") for run in measured["hosts"]])
    yield ("Scenarios", ("scenario", "hosts", "events", "seconds", "octets a host"),
           [(run["what"], f"{run['hosts']:,}", f"{run['events']:,}", f"{run['all_s']:.1f}",
             f"{run['octets_per_host']:.0f}") for run in (measured["leases"], measured["outage"])])


def goals(measured):
    hosts, outage = measured["hosts"], measured["outage"]
    fastest = max(run["events_per_s"] for run in hosts)
    ratio = max(run["ns_per_event"] for run in hosts) / min(run["ns_per_event"] for run in hosts)
    yield judge("drill: at least 5,000,000 events a second on one core", measured,
                lambda _: (f"{fastest:,.0f}", fastest >= TARGETS["events_per_second"]))
    yield judge(f"drill: cost of an event from {hosts[0]['hosts']:,} to {hosts[-1]['hosts']:,} "
                "hosts at most 1.5 times", measured,
                lambda _: (f"{ratio:.2f}", ratio <= TARGETS["ratio"]))
    yield judge(f"drill: the outage with {outage['hosts']:,} hosts in at most 20 s", outage,
                lambda run: (f"{run['all_s']:.1f} s", run["all_s"] <= TARGETS["outage_s"]))
    yield judge("drill: at most 200 octets a host", outage,
                lambda run: (f"{run['octets_per_host']:.0f}",
                             run["octets_per_host"] <= TARGETS["octets_per_host"]))
    yield judge("drill: the same seed gives the same digest", measured,
                lambda _: (("no", "yes")[measured["same_digest"]], measured["same_digest"]))
