#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is killed, stopped or continued in mid rollout: no answer is wrong, nothing is lost."""

import signal
import sys

from installation import expect_zone, rolled_out, running
from processes import Cases
from servers import Knotd, Named, Pdns

COUNT = 600

case = Cases()


def server_is_killed(prod, enactors, janitor):
    prod.server.restart(kill=True)


def server_is_restarted(prod, enactors, janitor):
    prod.server.restart()


def enactor_is_killed(prod, enactors, janitor):
    enactors[0].restart()


def all_enactors_are_killed(prod, enactors, janitor):
    for enactor in enactors:
        enactor.kill()
    for enactor in enactors:
        enactor.start()


def janitor_is_killed(prod, enactors, janitor):
    janitor.restart()


def server_stops_for_a_while(prod, enactors, janitor):
    """For longer than an enactor waits: its writes are in doubt, and may happen later."""
    prod.server.pause()
    enactors[1].wait_log("server_trouble")
    prod.server.resume()


def enactors_stop_one_after_another(prod, enactors, janitor):
    for enactor in (*enactors, janitor):
        prod.pause(enactor)
    for enactor in (janitor, *enactors):
        enactor.resume()


EVENTS = (server_is_killed, enactor_is_killed, server_stops_for_a_while, all_enactors_are_killed,
          janitor_is_killed, enactors_stop_one_after_another, server_is_restarted)


@case(Knotd, Named, Pdns)
def nothing_is_lost_in_mid_rollout(kind):
    with rolled_out(kind, COUNT, batch=5, window=2, timeout="1s") as (prod, plans, enactors):
        janitor = prod.janitor()
        with prod.reader(COUNT) as reader:
            for event in EVENTS:
                gen = plans(f"publish 1 0 {COUNT}")
                reader.wait_some(gen)
                event(prod, enactors, janitor)
                reader.wait_high(gen)
            for number in (1, 2, 3):
                prod.wait_in_step(COUNT, number, gen)
            expect_zone(prod, dict.fromkeys(range(COUNT), gen))
            reader.expect_clean()
        for process in (*enactors, janitor):
            process.stop()


@case(Knotd)
def signals_that_come_in_mid_reload_wait(kind):
    """One that finds nobody at home would end the process in the way that is the default."""
    reloads = 10
    with running(kind, 5) as (prod, roles, reader):
        for role in roles:
            before = role.log_text().count("event=config_read")
            while role.log_text().count("event=config_read") < before + reloads:
                assert role.running, role.log_text()[-2000:]
                role.send(signal.SIGHUP)
        prod.change((1, 2), (1, 2, 3))
        for role in roles:
            role.send(signal.SIGHUP)
            role.stop()
            assert role.log_text().rstrip().splitlines()[-1].count("stopped") == 1, role.log_text()
        reader.expect_clean()


if __name__ == "__main__":
    sys.exit(case.main())
