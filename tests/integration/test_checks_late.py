#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A checker that is stopped, crowded or short of descriptors blames no backend."""
# Measures time: runs alone.

import collections
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time

import backends
from backends import OK, Backend, answer
from probes import BUILD, PATIENCE_S, Cases, Probes, wait_until
from servers import die_with_parent, free_port

case = Cases()


def stop_for(process, seconds):
    """SIGSTOP until that much time has passed, which is what the test is about."""
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    process.send_signal(signal.SIGCONT)


class Stubborn:
    """Answers well while it is told to, and otherwise hangs up once it is let go."""

    def __init__(self):
        self.well, self.let_go = True, threading.Event()
        self.asked = threading.Event()

    def __call__(self, visit):
        visit.read_request()
        if self.well:
            visit.send(OK)
            return
        self.asked.set()
        self.let_go.wait(PATIENCE_S)


def fail_once_while(stopped):
    """The result of a check that was asked, and cut off while the checker was stopped or not."""
    stubborn = Stubborn()
    with Backend(stubborn) as backend:
        with Probes([{"name": "web", "type": "http", "port": backend.port, "interval": 500,
                      "timeout": 400, "fall": 1}]) as running:
            running.wait_for("web", "passed")
            stubborn.well = False
            assert stubborn.asked.wait(PATIENCE_S)
            start = running.count("web")
            if stopped:
                running.process.send_signal(signal.SIGSTOP)
            stubborn.well = True
            stubborn.let_go.set()
            wait_until(lambda: backend.present == 0, "the backend to hang up")
            if stopped:
                stop_for(running.process, 0.8)
            running.wait_for("web", "passed", start=start)
            return running.reports["web"][start:]


@case
def a_stopped_checker_fells_nobody():
    reports = fail_once_while(stopped=True)
    assert reports[0]["result"] == "late", reports
    assert re.search(r"^the checker itself stood still for \d+ ms: ", reports[0]["why"]), reports
    assert {report["verdict"] for report in reports} == {"up"}, reports


@case
def the_same_without_the_stop_fails():
    reports = fail_once_while(stopped=False)
    assert reports[0]["result"] == "failed", reports
    assert reports[0]["verdict"] == "down", reports


@case
def an_answer_that_came_in_time_counts():
    """The answer arrives while the checker is busy, for so short that it does not call itself
    late; by the time it reads, the deadline has passed."""
    pids, moments = [], []

    def behaviour(visit):
        visit.read_request()
        time.sleep(0.85)  # of the time limit of 1 s
        os.kill(pids[0], signal.SIGUSR1)
        busy_ms = time.monotonic() * 1000
        time.sleep(0.06)  # it is busy for longer
        with contextlib.suppress(OSError):
            visit.send(OK)
        moments.append((busy_ms, time.monotonic() * 1000))

    def went_as_planned(report, busy_ms, sent_ms):
        """Under load a backend may be late itself; both sides read the same clock."""
        started_ms = report["finished_ms"] - report["duration_us"] / 1000
        return busy_ms > started_ms + 820 and sent_ms < started_ms + 980

    with Backend(behaviour) as backend:
        with Probes([{"name": "web", "type": "http", "port": backend.port, "interval": 1500,
                      "timeout": 1000}]) as running:
            pids.append(running.process.pid)
            planned = []
            for number in range(10):
                report = running.wait_for_more("web", 1)[0]
                wait_until(lambda: len(moments) > number, "the backend")
                planned += [report] if went_as_planned(report, *moments[number]) else []
                if len(planned) == 2:
                    break
    assert not [report for report in planned if report["result"] == "failed"], planned
    return None if planned else "the machine is too busy"


@case
def many_probes_survive_many_stops():
    keys = {"type": "http", "path": "/healthz", "address": "127.0.0.11", "port": free_port(),
            "interval": 1000, "timeout": 900, "fall": 1}
    command = [BUILD / "holdfast-demo-backend", "--listen", f"127.0.0.11@{keys['port']}",
               "--name", "web"]
    with subprocess.Popen(command, preexec_fn=die_with_parent) as backend:
        try:
            with Probes([{**keys, "name": "web", "rise": 1, "copies": 40}]) as running:
                running.wait_for("web", "passed")
                running.wait_for_more("web", 80)
                start = len(running.all)
                for seconds in (1.0, 0.05, 1.4, 0.95, 0.3):
                    stop_for(running.process, seconds)
                    running.wait_for_more("web", 60)
                failed = [r for r in running.all[start:] if r["result"] == "failed"]
                assert not failed, failed[:3]
        finally:
            backend.kill()


def first_ends(reports):
    """When each probe ended for the first time."""
    ends = {}
    for report in reports:
        ends.setdefault(report["probe"], report["finished_ms"])
    return ends


def assert_spread(ends, interval_ms):
    """No tenth of the interval may have half of them."""
    slots = collections.Counter(ended // (interval_ms // 10) for ended in ends.values())
    assert max(slots.values()) < len(ends) / 2, slots


@case
def starts_are_spread():
    keys = {"type": "tcp", "interval": 1000, "timeout": 500, "copies": 200}
    with Backend(answer(OK)) as backend:
        with Probes([{**keys, "name": "web", "port": backend.port}]) as running:
            running.wait(lambda: len({r["probe"] for r in running.all}) == 200, "every probe")
            running.wait_for_more("web", 300)
            reports = list(running.all)
    first = first_ends(reports)
    assert_spread(first, 1000)
    second = first_ends([r for r in reports if r["finished_ms"] > first[r["probe"]]])
    gaps = sorted(second[probe] - first[probe] for probe in second)
    assert 900 < gaps[len(gaps) // 2] < 1100, gaps


@case
def starts_are_spread_again_after_a_stop():
    keys = {"type": "tcp", "interval": 1000, "timeout": 500, "copies": 200}
    with Backend(answer(OK)) as backend:
        with Probes([{**keys, "name": "web", "port": backend.port}]) as running:
            running.wait(lambda: len({r["probe"] for r in running.all}) == 200, "every probe")
            stop_for(running.process, 2.5)
            seen = len(running.all)
            running.wait(lambda: len({r["probe"] for r in running.all[seen:]}) == 200, "all again")
            assert_spread(first_ends(running.all[seen:]), 1000)


@case
def a_report_says_how_late_it_began():
    keys = {"type": "tcp", "interval": 1000, "timeout": 500, "copies": 40}
    with Backend(answer(OK)) as backend:
        with Probes([{**keys, "name": "web", "port": backend.port}]) as running:
            running.wait(lambda: len({r["probe"] for r in running.all}) == 40, "every probe")
            lags = sorted(report["lag_us"] for report in running.all)
            assert lags[20] < 100000, lags
            seen = len(running.all)
            stop_for(running.process, 0.4)  # less than half the interval: all of them begin
            running.wait(lambda: len({r["probe"] for r in running.all[seen:]}) == 40, "all again")
            most = max(report["lag_us"] for report in running.all[seen:])
            assert 200000 < most < 1000000, most


@case
def running_out_of_descriptors_fells_nobody():
    with Backend(backends.after(0.1, OK)) as backend:
        keys = {"type": "http", "port": backend.port, "interval": 800, "timeout": 700}
        with Probes([{**keys, "name": "web", "copies": 120}], "--descriptors", "20") as running:
            running.wait_for("web", "late", "^connect: too many open files .on the checker")
            running.wait_for("web", "passed")
            running.wait_for_more("web", 200)
            failed = [report for report in running.all if report["result"] == "failed"]
            assert not failed, failed[:3]


@case
def checks_under_way_are_bounded():
    """64 descriptors: 32 checks at once; the others wait for their turn."""
    with Backend(backends.after(0.13, OK)) as backend:
        keys = {"type": "http", "port": backend.port, "interval": 1500, "timeout": 1000}
        with Probes([{**keys, "name": "web", "copies": 300}], descriptors=64) as running:
            running.wait(lambda: sum(r["result"] == "passed" for r in running.all) >= 400, "passes")
            assert 20 <= backend.unanswered_max <= 32, backend.unanswered_max


@case
def a_check_that_finds_no_turn_says_so():
    with Backend(backends.stall) as backend:
        keys = {"type": "http", "port": backend.port, "interval": 300, "timeout": 280}
        with Probes([{**keys, "name": "web", "copies": 200}], descriptors=32) as running:
            running.wait_for("web", "late", "^not started: 16 checks are under way, .* the limit$")
            running.wait_for("web", "failed", "timed out")


@case
def a_removed_probe_is_silent():
    with Backend(answer(OK)) as backend:
        keys = {"type": "http", "port": backend.port, "interval": 50, "timeout": 40}
        with Probes([{**keys, "name": "web", "copies": 5}], "--remove-after", "2") as running:
            running.wait(lambda: len(running.all) == 10, "10 reports")
            visits = len(backend.visits)
            time.sleep(0.2)  # four intervals: time in which nothing may happen
            assert len(running.all) == 10 and len(backend.visits) == visits


if __name__ == "__main__":
    sys.exit(case.main())
