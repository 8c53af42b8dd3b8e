#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outage: a delayed enactor goes on with an old plan after everything old was cleaned up.

1,000 endpoints, three enactors. One is stopped in mid rollout, 200 further generations are
published and applied by the others, the janitor deletes every old plan, the stopped one continues.
"""

import sys

from installation import Installation, expect_zone, rolled_out
from processes import BAD, Cases, wait_until
from servers import Knotd, Named

COUNT = 1000
LATER = 200

case = Cases()


def outage(prod, plans, enactors, reader, delayed):
    """One round of the schedule; the head at its end, and what the delayed one was refused."""
    before = prod.report(delayed + 1)["refused"]
    gen = plans(f"publish 1 0 {COUNT}")
    reader.wait_some(gen)
    prod.pause(enactors[delayed])
    reader.wait_high(gen)
    head = plans(f"publish {LATER} 0 {COUNT}")
    reader.wait_high(head)
    wait_until(lambda: prod.plan_count() == 1,
               lambda: f"the janitor to delete every old plan: {prod.plans_left()}\n{prod.logs()}")
    enactors[delayed].resume()
    for number in (1, 2, 3):
        prod.wait_in_step(COUNT, number, head)
    reader.wait_laps()
    expect_zone(prod, dict.fromkeys(range(COUNT), head))
    return prod.report(delayed + 1)["refused"] - before


@case(Knotd, Named)
def the_outage_does_not_happen(kind):
    with rolled_out(kind, COUNT, batch=5, window=2) as (prod, plans, enactors):
        prod.janitor()
        with prod.reader(COUNT) as reader:
            # Another round where the delayed one had nothing in hand when it was stopped.
            rounds = (outage(prod, plans, enactors, reader, delayed) for delayed in (0, 2, 1))
            refused = next((count for count in rounds if count > 0), 0)
            reader.expect_clean()
        print(f"# writes of the delayed enactor that the server refused: {refused}")
        assert refused > 0, "the schedule did not make a stale write"


@case(Knotd)
def a_delayed_enactor_without_a_store_changes_nothing(kind):
    """It goes on with its old plan for as long as it likes: only the DNS server says no."""
    with rolled_out(kind, COUNT, batch=5, window=2) as (prod, plans, enactors):
        with prod.reader(COUNT) as reader:
            gen = plans(f"publish 1 0 {COUNT}")
            reader.wait_some(gen)
            prod.pause(enactors[0])
            head = plans(f"publish 20 0 {COUNT}")
            reader.wait_high(head)
            for number in (1, 2):
                enactors[number].kill()
            with prod.store_locked():
                enactors[0].resume()
                reader.wait_laps(8)
            expect_zone(prod, dict.fromkeys(range(COUNT), head))
            prod.wait_in_step(COUNT, 1, head)
            reader.expect_clean()


@case(Knotd, Named)
def without_fences_the_reader_sees_the_outage(kind):
    with kind(zones=["example.test"]) as server, Installation(server) as prod:
        plans = prod.plans()
        plans(f"publish 1 0 {COUNT}")
        writers = [prod.unfenced(number, COUNT) for number in range(3)]
        wait_until(lambda: prod.installed().count(1) == 3, "the first plan of three writers")
        with prod.reader(COUNT) as reader:
            gen = plans(f"publish 1 0 {COUNT}")
            reader.wait_some(gen)
            prod.pause(writers[0])
            head = plans(f"publish {LATER} 0 {COUNT}")
            reader.wait_high(head)
            wait_until(lambda: prod.installed().count(head) == 2, "the last plan of two writers")
            writers[0].resume()
            wait_until(lambda: reader.counts()["backwards"] > 0 and reader.last["empty"] > 0,
                       lambda: f"the old plan to be installed, and deleted: {reader.last}")
            print(f"# the reader saw {reader.stop()}")


@case(Knotd)
def the_reader_sees_what_must_never_be_seen(kind):
    """Each failure is made by hand, and counted."""
    with kind(zones=["example.test"]) as server, Installation(server) as prod:
        prod.plans()("publish 5 0 10")
        enactor = prod.enactor()
        prod.wait_in_step(10)
        enactor.stop()
        with prod.reader(10) as reader:
            reader.wait_laps()
            assert not any(reader.counts()[key] for key in BAD), reader.last
            edits = [
                ("partial", ("delete", "e0", "A", "10.0.5.2")),
                ("partial", ("add", "e1", 1, "A", "10.0.6.1")),
                ("backwards", ("replace", "e2", 1, "A", "10.0.4.1", "10.0.4.2", "10.0.4.3")),
                ("backwards", ("replace", "_holdfast.e3", 0, "TXT",
                               prod.fence("e3")[0].replace("gen=5", "gen=4"))),
                ("empty", ("delete", "e4", "A")),
                ("no_fence", ("delete", "_holdfast.e5")),
                ("damaged_fence", ("replace", "_holdfast.e6", 0, "TXT", "garbage")),
            ]
            for key, edit in edits:
                before = reader.counts()[key]
                prod.edit(edit)
                wait_until(lambda: reader.counts()[key] > before, lambda: f"{key}: {reader.last}")
            prod.edit(("delete", "e7"), ("delete", "_holdfast.e7"))
            wait_until(lambda: reader.counts()["nxdomain"] > 0, lambda: f"{reader.last}")


if __name__ == "__main__":
    sys.exit(case.main())
