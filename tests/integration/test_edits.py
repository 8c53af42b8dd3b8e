#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands in the zone: edits are healed, strangers are left alone, the kill switch holds."""

import sys

from installation import Installation, expect_zone, rolled_out, running
from processes import OWNER, ZONE, Cases, wait_until
from servers import Knotd, Named, Pdns

COUNT = 30
EDITED = 11  # e0 to e10 are edited; the reader watches the others

STRANGERS = """www 60 IN A 192.0.2.7
www 60 IN TXT "of somebody else"
mail 60 IN MX 10 www
e0 60 IN A 192.0.2.99
e1 60 IN CNAME www
e2 1 IN A 127.0.0.11
e2 1 IN A 127.0.0.12
e2 1 IN A 127.0.0.13
e2 1 IN A 127.0.0.14
e2 1 IN A 127.0.0.15
e2 1 IN A 127.0.0.16
"""

case = Cases()


def strangers(content):
    """What is in the zone beside what Holdfast may write."""
    return {(name, kind): value for (name, kind), value in content.items()
            if kind != "SOA" and not name.startswith(("e", "_holdfast.e", "_holdfast-zone."))}


def all_well(prod, answer):
    """Every endpoint answers so, under a fence of its own."""
    content = prod.server.axfr()
    for number in range(prod.fleet):
        name = f"e{number}.{prod.zone}."
        fence = content.get((f"_holdfast.{name}", "TXT"), (0, []))[1]
        well = (content.get((name, "A")) == (1, answer) and (name, "CNAME") not in content
                and len(fence) == 1 and fence[0].startswith(f'"holdfast=1 owner={OWNER} gen='))
        if not well:
            return False
    return True


def heal(prod, answer, *edits):
    for edit in edits:
        prod.edit(edit)
    wait_until(lambda: all_well(prod, answer),
               lambda: f"{edits} to be healed: {prod.report()} {prod.server.axfr()}")


@case(Knotd, Named, Pdns)
def edits_by_hand_are_healed(kind):
    with running(kind, COUNT, unread=EDITED) as (prod, roles, reader):
        answer = prod.set_states({1, 2, 3})
        prod.wait_answers(answer)
        prod.edit(("add", "www", 60, "A", "192.0.2.7"))
        before = strangers(prod.server.axfr())
        heal(prod, answer,
             ("delete", "e0", "A", "127.0.0.11"),
             ("replace", "e1", 1, "A", "192.0.2.1"),
             ("add", "e2", 1, "A", "192.0.2.1"),
             ("delete", "e3", "A"),
             ("delete", "_holdfast.e4"),
             ("delete", "e5"), ("delete", "_holdfast.e5"),
             ("replace", "_holdfast.e6", 0, "TXT", "garbage"),
             ("add", "_holdfast.e7", 0, "TXT", "garbage"),
             ("delete", "e8", "A"), ("add", "e8", 60, "CNAME", "www"),
             ("replace", "e9", 77, "A", *answer),
             ("delete", "_holdfast.e10"), ("add", "e10", 1, "A", "192.0.2.1"))
        prod.change({4, 5}, {6})
        assert strangers(prod.server.axfr()) == before
        reader.expect_clean()


@case(Knotd, Named)
def hands_are_found_by_what_changed(kind):
    """An edit is healed without the zone being transferred whole."""
    with kind(zones=[ZONE]) as server, Installation(server) as prod:
        plans = prod.plans()
        plans(f"publish 1 0 {COUNT}")
        enactor = prod.add("enactor-1", "enactor", "--name", "enactor-1", "--log-level", "debug")
        prod.wait_in_step(COUNT)
        plans("claim")
        answer = prod.answer("e3")
        for _ in range(5):  # a whole transfer is due now and then
            begun = len(enactor.log_text())
            prod.edit(("delete", "e3", "A"))
            wait_until(lambda: prod.answer("e3") == answer, "e3 to be healed")
            reads = [line for line in enactor.log_text()[begun:].splitlines()
                     if "event=zone_read" in line]
            if reads and all(" how=changes " in line for line in reads):
                return
        raise AssertionError(f"found by whole transfers alone: {reads}")


@case(Knotd, Named)
def a_guard_that_is_deleted_comes_back(kind):
    with running(kind, COUNT, unread=EDITED) as (prod, roles, reader):
        answer = prod.set_states({1, 2, 3})
        prod.wait_answers(answer)
        before = prod.guard()[0]
        prod.edit(("delete", "_holdfast-zone"))
        wait_until(prod.guard, "a guard")
        assert prod.guard()[0].split(" floor=")[0] == before.split(" floor=")[0], prod.guard()
        # Its floor is above all entries now: what has no fence must be stamped anew first.
        heal(prod, answer, ("delete", "_holdfast.e4"),
             ("delete", "e5"), ("delete", "_holdfast.e5"))
        prod.change({4, 5}, {6})
        prod.edit(("delete", "_holdfast-zone"), ("delete", "_holdfast.e1"),
                  ("delete", "e2"), ("delete", "_holdfast.e2"))
        prod.change({1, 2})
        wait_until(lambda: all_well(prod, ["127.0.0.11", "127.0.0.12"]), "all to be well")
        reader.expect_clean()


@case(Knotd)
def a_damaged_guard_is_refused_and_adopted(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        prod.change({1, 2, 3})
        prod.edit(("replace", "_holdfast-zone", 0, "TXT", "garbage"))
        answer = prod.set_states({4, 5})
        prod.wait_report(lambda report: report["state"] == "refused" and "damaged" in report["why"],
                         "a refusal")
        content = prod.server.axfr()
        roles[1].restart()
        roles[1].wait_log("zone_refused")
        reader.wait_laps()
        assert prod.server.axfr() == content
        prod.command("adopt", "--zone", prod.zone)
        prod.wait_answers(answer)
        prod.change({6})
        reader.expect_clean()


@case(Knotd, Named)
def strangers_are_left_alone(kind):
    with running(kind, COUNT, records=STRANGERS, unread=2) as (prod, roles, reader):
        prod.edit(("add", "_holdfast.www", 60, "TXT",
                   "holdfast=1 owner=other gen=7 sum=00000000000000ff by=x.1"))
        before = strangers(prod.server.axfr())
        report = prod.wait_report(lambda report: report["foreign"]["total"] == 2, "two foreign")
        assert report["foreign"]["names"] == ["e0.example.test.", "e1.example.test."], report
        assert prod.answer("e0") == ["192.0.2.99"] and prod.fence("e0") == []
        assert prod.answer("e1", "CNAME") == ["www.example.test."] and prod.fence("e1") == []
        assert len(prod.fence("e2")) == 1, "what is as the plan wants it is taken over"
        prod.command("adopt", "e0.example.test")
        prod.command("adopt", "e1.example.test")
        answer = prod.set_states({1, 2})
        prod.wait_answers(answer)
        wait_until(lambda: all_well(prod, answer), "all to be well")
        assert strangers(prod.server.axfr()) == before
        reader.expect_clean()


def expect_refused(second, first, why):
    report = second.wait_report(lambda report: report["state"] == "refused", "a refusal")
    assert why in report["why"] and "holdfast adopt --zone example.test." in report["why"], report
    assert report["written"] == 0, report
    assert any("zone_refused" in process.log_text() for process in second.processes)
    content = first.server.axfr()
    with first.reader(COUNT, 3000, tagged=False) as reader:
        second.set_states({2})
        second.processes[1].restart()
        second.wait_report(lambda report: report["state"] == "refused", "a refusal")
        reader.wait_laps(20)
        assert first.server.axfr() == content
        first.change({1, 2})
        reader.expect_clean()


@case(Knotd, Named)
def a_second_installation_is_refused(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        with Installation(prod.server) as twin, Installation(prod.server, owner="test") as other:
            for second in (twin, other):
                second.configure_fleet(COUNT)
                second.planner()
                second.enactors()
                second.janitor()
            expect_refused(twin, prod, "names owner prod with another store")
            expect_refused(other, prod, "names owner prod")
        reader.expect_clean()


@case(Knotd, Named)
def of_two_that_start_at_once_one_gets_the_zone(kind):
    with kind(zones=["example.test"]) as server, Installation(server) as one, \
            Installation(server, owner="test") as two:
        for each in (one, two):
            each.configure_fleet(COUNT)
            each.planner()
        for enactors in zip(one.enactors(), two.enactors()):
            assert enactors
        one.wait_report(lambda report: report["state"] in ("open", "refused"), "a decision")
        first, second = (one, two) if one.report()["state"] == "open" else (two, one)
        first.wait_in_step(COUNT)
        expect_refused(second, first, f"names owner {first.owner}")


@case(Knotd, Named)
def a_frozen_zone_is_not_written_by_one_that_is_cut_off(kind):
    """Its store is locked: it cannot know of the freeze, and is in mid rollout."""
    count = 150
    with rolled_out(kind, count, batch=1, window=1) as (prod, plans, enactors):
        with prod.reader(count) as reader:
            for enactor in enactors[1:]:
                enactor.stop()
            gen = plans(f"publish 1 0 {count}")
            reader.wait_some(gen)
            prod.pause(enactors[0])
            with prod.store_locked():
                enactors[0].resume()
                open_guard = prod.guard()[0]
                prod.edit(("replace", "_holdfast-zone", 0, "TXT",
                           open_guard.replace("state=open", "state=frozen")))
                content = prod.server.axfr()
                enactors[0].wait_log("state=frozen")
                reader.wait_laps(4)
                assert prod.server.axfr() == content
                assert content[(f"_holdfast.e{count - 1}.example.test.", "TXT")]
                fences = [value for (name, kind), (_, value) in content.items() if kind == "TXT"]
                done = sum(f" gen={gen} " in fence[0] for fence in fences)
                assert 0 < done < count, f"{done} were done: it was not in mid rollout"
            enactors[0].restart()
            enactors[0].wait_log("state=frozen")
            assert prod.server.axfr() == content
            prod.edit(("replace", "_holdfast-zone", 0, "TXT", open_guard))
            prod.wait_in_step(count, 1, gen)
            reader.expect_clean()
        expect_zone(prod, dict.fromkeys(range(count), gen))


@case(Knotd)
def an_old_plan_does_not_mend_what_lost_its_fence(kind):
    """Fences are deleted by hand while the only enactor sleeps; it wakes cut off from the store."""
    count = 100
    with rolled_out(kind, count, batch=5, window=1) as (prod, plans, enactors):
        with prod.reader(count) as reader:
            gen = plans(f"publish 1 0 {count}")
            reader.wait_some(gen)
            prod.pause(enactors[0])
            head = plans(f"publish 20 0 {count}")
            reader.wait_high(head)
            for enactor in enactors[1:]:
                enactor.kill()
            with prod.store_locked():
                prod.edit(*[("delete", f"_holdfast.e{number}") for number in range(count)])
                enactors[0].resume()
                reader.wait_laps(20)
            prod.wait_in_step(count, 1, head)
            expect_zone(prod, dict.fromkeys(range(count), head))
            reader.expect_clean()


@case(Knotd)
def freeze_and_thaw(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        prod.change({1, 2})
        prod.command("freeze")
        content = prod.server.axfr()
        answer = prod.set_states({3, 4})
        prod.wait_report(lambda report: report["state"] == "frozen", "a freeze")
        for role in roles[:3]:
            role.restart()
        prod.wait_report(lambda report: report["state"] == "frozen", "a freeze")
        reader.wait_laps(20)
        assert prod.server.axfr() == content
        prod.command("thaw")
        prod.wait_answers(answer)
        reader.expect_clean()


@case(Knotd, Named)
def what_is_retired_does_not_come_back(kind):
    """An enactor that sleeps over retirement and the end of the tombstones continues."""
    count, gone = 300, 20
    with rolled_out(kind, count, batch=2, window=1) as (prod, plans, enactors):
        prod.janitor()
        with prod.reader(count - gone, first=gone) as reader:
            gen = plans(f"publish 1 0 {count}")
            reader.wait_some(gen)
            prod.pause(enactors[0])
            reader.wait_high(gen)
            plans(f"retire 0 {gone}")
            plans(f"publish 5 {gone} {count}")
            head = plans(f"publish 1 {gone} {count}")
            reader.wait_high(head)
            wait_until(lambda: not any(prod.fence(f"e{number}") for number in range(gone)),
                       lambda: f"the tombstones to go: {prod.fence()} {prod.logs()}")
            enactors[0].resume()
            prod.wait_report(lambda report: report["plan_gen"] >= head, "the head", 1)
            reader.wait_laps()
            content = prod.server.axfr()
            back = [at for at in content if at[0] in
                    {f"{prefix}e{n}.example.test." for n in range(gone)
                     for prefix in ("", "_holdfast.")}]
            assert not back, back
            reader.expect_clean()


if __name__ == "__main__":
    sys.exit(case.main())
