#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A write that comes too late, on a live `holdfast run`: the DNS server refuses it, and the API
says which, whose, and what it met."""

import contextlib
import os
import signal
import sys

from apihelp import ApiRun, Stream
from probes import Cases
from rundir import NAMES, wait_for

case = Cases()
API = NAMES[0]
SHOPS = 40
ROUNDS = 5


@contextlib.contextmanager
def stopped(run, name):
    pid = run.pause(name)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def fall_asleep_in_a_rollout(run, client):
    """enactor-1 is stopped with a plan in hand that the others write, and the next one, too."""
    def knows_all():
        found = client.get("/api/v1/enactors")
        return all(row["plan_generation"] == found["head_generation"] for row in found["enactors"])

    def behind():
        return client.get("/api/v1/status?fresh=yes")["endpoints"]["behind"]
    with stopped(run, "knotd-local"):
        run.fail(1)
        wait_for(lambda: client.get("/api/v1/backends?search=web-2")["backends"][0]["verdict"]
                 == "down", "web-2 to be down")
        wait_for(lambda: behind() > SHOPS / 2 and knows_all(), "a rollout that everybody knows")
        pid = run.pause("enactor-1")
    try:
        wait_for(lambda: "127.0.0.12" not in (run.query(API) or ["127.0.0.12"]), "web-2 to leave")
        run.recover(1)
        wait_for(lambda: "127.0.0.12" in (run.query(API) or []), "web-2 to return")
        wait_for(lambda: behind() == 0, "the others to write it all")
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: behind() == 0 and knows_all(), "enactor-1 to catch up")


@case
def a_stale_write_is_refused_and_told():
    with ApiRun() as run:
        text = run.config.read_text().replace("type: knot  ", "batch: 1\n    window: 1\n"
                                              "    timeout: 60s\n    type: knot  ")
        shops = "".join(f"  shop-{i}.example.test: {{ pools: [web], ttl: 5s }}\n"
                        for i in range(SHOPS))
        run.config.write_text(text.replace("endpoints:\n", "endpoints:\n" + shops, 1).replace(
            "rise: 2, fall: 2", "rise: 1, fall: 2, hold_down: 0s"))
        run.start()
        run.wait_for_names()
        run.wait_ready()
        client = run.tcp()
        stream = Stream(client)
        wait_for(lambda: client.get("/api/v1/status?fresh=yes")["well"], "everything to be well")

        def stale():
            return client.get("/api/v1/writes?kind=stale&enactor=enactor-1")["writes"]
        before = len(stale())
        for _ in range(ROUNDS):  # it may have had nothing in hand when it was stopped
            fall_asleep_in_a_rollout(run, client)
            if len(stale()) > before:
                break
        found = stale()[0]
        assert found["generation"] < found["met_generation"], found
        assert found["met_writer"] in ("enactor-2", "enactor-3"), found
        stream.wait("writes", lambda data: found["endpoint"] in
                    [row["endpoint"] for row in data["writes"] if row["kind"] == "stale"])
        explained = client.get(f"/api/v1/endpoints/{found['endpoint']}")
        assert explained["state"] == "in-step", explained
        assert explained["server"]["fence"]["generation"] >= found["met_generation"], explained
        assert any(row["kind"] == "stale" for row in client.get(
            f"/api/v1/endpoints/{found['endpoint']}/writes")["writes"])
        report = next(row for row in client.get("/api/v1/enactors")["enactors"]
                      if row["name"] == "enactor-1")
        assert sum(zone["refused"] for zone in report["zones"]) > 0, report


sys.exit(case.main())
