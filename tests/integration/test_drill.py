#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""holdfast-drill: run, sweep, advise, test and from-config, as people and scripts use them."""

# Measures time: runs alone.

import csv
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

from probes import BUILD, Cases
from servers import Knotd

case = Cases()
DRILL = BUILD / "holdfast-drill"
EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "drill"
OUTAGE = EXAMPLES / "outage-2025-10.yaml"
LEASES = EXAMPLES / "leases.yaml"


def drill(*words, status=0, timeout=300):
    """What it prints to standard output and to standard error."""
    done = subprocess.run([DRILL, *map(str, words)], text=True, capture_output=True,
                          timeout=timeout)
    assert done.returncode == status, f"{words}: {done.returncode}, {done.stdout}{done.stderr}"
    return done.stdout, done.stderr


def drill_json(*words, **more):
    return json.loads(drill(*words, "--output", "json", **more)[0])


def held(run):
    """The share of leases held by minute."""
    return next(s["values"] for s in run["series"] if s["measure"] == "held_share")


def cpu_s(pid):
    """The time that a process has computed so far, by all of its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@case
def the_outage_goes_as_it_went_and_remedies_spare_the_collapse():
    plain, all_of_them = drill_json("run", OUTAGE, "--hosts", 10000, "--with", "none,all")["runs"]
    # Leases lapse while the name is empty; nothing is won in the 109 minutes after 02:25 but the
    # first burst; after 04:14 all come back in 74 minutes.
    assert held(plain)[17] == 1 and held(plain)[174] < 0.05
    assert held(plain)[283] - held(plain)[205] < 0.02 and held(plain)[283] < 0.25
    assert held(plain)[358] > 0.99, held(plain)[358]
    assert plain["wasted_share"] > 0.5 and plain["queue_peak"] > 10000
    assert held(all_of_them)[250] > 0.95 and all_of_them["wasted_share"] < 0.01
    assert plain["complete"] and plain["scenario"] == "outage-2025-10"


@case
def the_same_seed_is_the_same_run():
    runs = [drill("run", LEASES, "--hosts", 2000, "--seed", seed, "--csv", "-")[0]
            for seed in (1, 1, 2)]
    assert runs[0] == runs[1] and runs[0] != runs[2]
    rows = list(csv.DictReader(io.StringIO(runs[0])))
    assert {"answered_share", "held_share", "queue_peak"} <= {row["measure"] for row in rows}


@case
def a_report_stands_alone():
    with tempfile.TemporaryDirectory() as folder:
        page = pathlib.Path(folder) / "report.html"
        text, _ = drill("run", LEASES, "--hosts", 2000, "--with", "none,all", "--html", page)
        html = page.read_text()
        assert not re.search(r"(src|href)\s*=|url\(|https?://|@import", html)
        assert html.count("<svg") > 5 and "prefers-color-scheme:dark" in html
        assert "leases, all" in html and "never" in html
        assert "time to recover" in text and "▁" in text
        drill("run", LEASES, "--hosts", "2k", "--html", folder + "/none/x.html", status=1)
        assert "1 to 20M" in drill("run", LEASES, "--hosts", "1.5", status=2)[1]


@case
def ctrl_c_prints_what_is_known():
    words = [DRILL, "run", LEASES, "--hosts", "1000000"]
    process = subprocess.Popen(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time_limit = time.monotonic() + 60
    # To read the scenario takes a thousandth of this: what computes for so long has begun.
    while cpu_s(process.pid) < 0.1 and time.monotonic() < time_limit:
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "this is so far" in out, (process.returncode, out, err)
    assert "leases held" in out


@case
def what_would_not_end_or_fit_is_said_before():
    _, err = drill("run", LEASES, "events_max=1k", status=1)
    assert re.search(r"leases.yaml:\d+:1: events_max: found a run of \S+ events, expected at most "
                     "1000", err), err
    _, err = drill("run", LEASES, "memory_max=1M", status=1)
    assert "memory_max: found a run of" in err, err
    _, err = drill("run", LEASES, "services.claims.workers=-1", status=1)
    assert re.search(r"leases.yaml:\d+:\d+: services.claims.workers: found -1, expected", err), err
    _, err = drill("run", LEASES, "services.clams.workers=5", status=1)
    assert "found nothing called" in err, err
    _, err = drill("run", LEASES, "--with", "pase", status=1)
    assert 'did you mean "pace"?' in err, err
    _, err = drill("run", EXAMPLES / "none.yaml", status=1)
    assert "No such file" in err, err
    drill("run", status=2)
    drill("run", LEASES, "--seed", "x", status=2)


@case
def a_sweep_draws_the_border_of_collapse():
    with tempfile.TemporaryDirectory() as folder:
        page = folder + "/map.html"
        text, _ = drill("sweep", LEASES, "--hosts", 2000, "--of", "hosts", "--seeds", 1,
                        "services.claims.queue_max=5k..500k/3",
                        "leases.hosts.claim.timeout=4m..10m/2", "--html", page)
        assert "never" in text and "┃" in text, text
        assert "border of collapse" in pathlib.Path(page).read_text()
    points = drill_json("sweep", LEASES, "--hosts", 2000, "--of", "hosts", "--seeds", 1,
                        "services.claims.queue_max=5k..500k/3")["points"]
    assert [point["collapsed"] for point in points] == [False, True, True], points
    drill("sweep", LEASES, status=2)
    drill("sweep", LEASES, "services.claims.queue_max=9..1", status=2)
    drill("sweep", LEASES, "services.claims.queue_max=1s..9/s", status=2)


@case
def advice_finds_a_way_out_of_the_collapse():
    found = drill_json("advise", LEASES, "--hosts", 2000, "--of", "hosts", "--seeds", 1,
                       "leases.hosts.spread=10m..2h/3", "services.claims.queue_max=100k..1M/2")
    assert found["as_it_is_recover_s"] is None and 0 < found["best_recover_s"] < 5000, found
    best = {setting["key"]: setting["best"] for setting in found["settings"]}
    assert best["leases.hosts.spread"] == "1h5m", best


@case
def the_shipped_suite_passes_and_collapses_without_each_remedy():
    with tempfile.TemporaryDirectory() as folder:
        junit = folder + "/junit.xml"
        text, _ = drill("test", EXAMPLES / "suite.yaml", "--hosts", 10000, "--seeds", 1,
                        "--junit", junit)
        assert re.search(r"\d+ passed, 0 failed", text), text
        suite = xml.etree.ElementTree.parse(junit).getroot().find("testsuite")
        assert suite.get("failures") == "0" and int(suite.get("tests")) > 40


@case
def a_recovery_that_fails_is_told():
    with tempfile.TemporaryDirectory() as folder:
        suite = pathlib.Path(folder) / "suite.yaml"
        junit = pathlib.Path(folder) / "junit.xml"
        suite.write_text(f"tests: {{ strict: {{ scenario: {LEASES}, hosts: 2k, expect: "
                         "[ { measure: recover, of: hosts, at_most: 10m } ] } }\n")
        text, _ = drill("test", suite, "--seeds", 1, "--junit", junit, status=1)
        assert "FAIL  strict" in text and "0 passed, 1 failed" in text, text
        assert "<failure" in junit.read_text()
        suite.write_text(suite.read_text().replace("of: hosts", "of: host"))
        _, err = drill("test", suite, status=1)
        assert re.search(r'suite.yaml:1:\d+: tests.strict: found recover of "host", expected a '
                         "part", err), err


@case
def an_installation_becomes_a_scenario():
    config = EXAMPLES.parent / "quickstart" / "holdfast.yaml"
    with tempfile.TemporaryDirectory() as folder:
        scenario = pathlib.Path(folder) / "mine.yaml"
        scenario.write_text(drill("from-config", "-c", config)[0])
        assert "has not started its knotd yet" in scenario.read_text()
        assert "nodes: 6" in scenario.read_text() and "interval: 1s" in scenario.read_text()
        plain, short = drill_json("run", scenario, "--with", "none,negative-ttl")["runs"]
        found = plain["recover_s"], short["recover_s"]
        assert found[0] > 300 and found[1] < 60, found
        own = pathlib.Path(folder) / "holdfast.yaml"
        own.write_text(config.read_text() +
                       "services: { shop: { endpoints: [api.example.test] } }\n"
                       "dependents: { till: { tolerates: 5m, services: [shop] } }\n")
        scenario.write_text(drill("from-config", "-c", own)[0])
        assert "  till: # tolerates 5m\n    rate: 150/s" in scenario.read_text()
        run = drill_json("run", scenario)["runs"][0]
        assert "till" in {dependent["label"] for dependent in run["dependents"]}
    drill("from-config", "-c", config, "--endpoint", "nobody.example.test", status=1)


SOA_CONFIG = """
installation: prod
store: sqlite:{folder}/unused.db
targets:
  edge:
    type: rfc2136
    server: {server}
    tsig: {{ name: holdfast, algorithm: hmac-sha256, secret_file: {folder}/secret }}
zones: {{ example.test: {{ target: edge }}, example.net: {{ target: edge }} }}
pools:
  web:
    check: {{ type: tcp, port: 80, interval: 1s, timeout: 500ms, rise: 2, fall: 2 }}
    backends: [ {{ name: web-1, address: 127.0.0.11 }} ]
endpoints:
  api.example.test: {{ pools: [web], ttl: 5s }}
  www.example.test: {{ pools: [web], ttl: 5s }}
  www.example.net: {{ pools: [web], ttl: 5s }}
"""


@case
def the_negative_ttl_is_asked_and_a_dead_server_costs_seconds():
    with tempfile.TemporaryDirectory() as folder, Knotd(["example.test", "example.net"]) as server:
        config = pathlib.Path(folder) / "holdfast.yaml"
        config.write_text(SOA_CONFIG.format(folder=folder, server=server.address))
        server.write_secret(f"{folder}/secret")
        text, said = drill("from-config", "-c", config)
        assert text.count("soa_ttl: 300s\n    soa_minimum: 5s") == 3, text
        assert text.count("# From the SOA of example.test.") == 2 and "No SOA" not in said, said
        server.pause()
        begun = time.monotonic()
        text, said = drill("from-config", "-c", config)
        assert 2 < time.monotonic() - begun < 6, "three endpoints in two zones: it waits once"
        assert text.count("soa_ttl: 900s\n    soa_minimum: 900s") == 3, text
        assert text.count("# Assumed; no SOA: example.test.: no answer in time") == 3, text
        assert said.count("No SOA, 900s is assumed") == 1, said
        server.resume()
        server.kill()
        text, said = drill("from-config", "-c", config)
        assert text.count("connection refused") == 3 and said.count("connection refused") == 2, text
        scenario = pathlib.Path(folder) / "mine.yaml"
        scenario.write_text(text)
        drill("run", scenario)


if __name__ == "__main__":
    sys.exit(case.main())
