#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log of a live `holdfast run`: one correlation from a verdict to the acknowledged write, JSON,
and journald's fields, for which a socket of the test takes journald's place."""

import json
import os
import re
import shlex
import socket
import sys
import threading

from processes import Cases, wait_until
from rundir import BACKENDS, Run

case = Cases()


def fail_backend(run, host):
    """One backend, which was in the answer, is gone for good."""
    wait_until(lambda: host in (run.query("api.example.test.") or []), run.log.read_text)
    backend = next(backend for backend in run.backends if backend.host == host)
    backend.__exit__(None, None, None)
    run.backends.remove(backend)


def events(text):
    """Each line of logfmt as a dict."""
    for line in text.splitlines():
        if line.startswith("ts="):
            yield dict(word.split("=", 1) for word in shlex.split(line) if "=" in word)


def way(found, cid):
    """(event, role, gen) of all lines with this correlation."""
    return [(e["event"], e["role"].split("-")[0], e.get("gen")) for e in found
            if e.get("cid") == cid]


def expect_way(read, backend):
    """A verdict of this backend, its plan, and a write of that plan have one correlation."""
    def look():
        found = list(read())
        verdicts = [e for e in found if e["event"] == "verdict" and e["verdict"] == "down"]
        for verdict in verdicts:
            steps = way(found, verdict["cid"])
            plans = [gen for event, role, gen in steps
                     if (event, role) == ("plan_published", "planner")]
            if plans and ("written", "enactor", plans[0]) in steps:
                assert verdict["backend"] == backend, verdict
                assert len(plans) == 1, steps
                assert int(verdict["cid"], 16) != 0
                return verdict["cid"]
        return None
    return wait_until(look, lambda: f"{list(read())[-30:]}")


def backend_name(run, host):
    found = re.search(rf"name: (\S+), address: {re.escape(host)}\b", run.config.read_text())
    assert found, run.config.read_text()
    return found.group(1)


@case()
def a_search_for_one_correlation_shows_the_way_from_verdict_to_write():
    with Run() as run:
        run.start()
        run.wait_for_names()
        name = backend_name(run, BACKENDS[0])
        fail_backend(run, BACKENDS[0])
        cid = expect_way(lambda: events(run.log.read_text()), name)
        lines = [line for line in run.log.read_text().splitlines() if f"cid={cid}" in line]
        assert "event=verdict" in lines[0], lines  # in this order in the log, too


@case()
def json_lines_say_the_same():
    with Run() as run:
        run.start(run.command("run", "--log-format", "json"))
        run.wait_for_names()

        def read():
            return [json.loads(line) for line in run.log.read_text().splitlines()
                    if line.startswith("{")]
        name = backend_name(run, BACKENDS[0])
        fail_backend(run, BACKENDS[0])
        expect_way(read, name)
        assert {"planner", "enactor-1", "janitor", "run"} <= {event["role"] for event in read()}
        assert not list(events(run.log.read_text())), "a line of another form"


class Journal:
    """Takes datagrams as journald does, all the time: a socket holds few of them."""

    def __init__(self, folder):
        self.path = str(folder / "journal")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.entries = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            datagram = self.socket.recv(65536).decode()
            self.entries.append(dict(re.findall(r"^([A-Z_]+)=(.*)$", datagram, re.MULTILINE)))


@case()
def journald_gets_fields():
    with Run() as run:
        journal = Journal(run.folder)
        run.log.touch()
        status = run.log.stat()
        env = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}",
               "HOLDFAST_JOURNAL_SOCKET": journal.path}
        run.start(env=env)
        run.wait_for_names()
        name = backend_name(run, BACKENDS[0])
        fail_backend(run, BACKENDS[0])

        def read():
            return [{key.removeprefix("HOLDFAST_").lower(): value for key, value in entry.items()}
                    for entry in list(journal.entries)]
        expect_way(read, name)
        verdict = next(entry for entry in journal.entries
                       if entry.get("HOLDFAST_VERDICT") == "down")
        assert verdict["PRIORITY"] == "4" and verdict["SYSLOG_IDENTIFIER"] == "holdfast", verdict
        assert verdict["MESSAGE"].startswith(f"verdict backend={name} verdict=down why="), verdict
        assert "event=verdict" not in run.log.read_text(), "said twice"


if __name__ == "__main__":
    sys.exit(case.main())
