#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trouble with the server: nothing is lost or goes back, the report says what is wrong."""

import contextlib
import struct
import sys

import dns.message
import dns.rcode
import dns.rdatatype

from installation import Installation, expect_zone
from processes import Cases, wait_until
from proxy import Proxy, is_update
from servers import Key, Knotd, Named, Pdns, new_secret

COUNT = 300
ROUNDS = 10

case = Cases()


@contextlib.contextmanager
def behind_a_proxy(kind):
    """Generation 1 everywhere; one enactor reaches the server through a proxy, one directly."""
    with kind(zones=["example.test"]) as server, Proxy(server.port) as proxy, \
            Installation(server, port=proxy.port, batch=5, window=4, timeout="1s") as prod:
        plans = prod.plans()
        plans(f"publish 1 0 {COUNT}")
        enactor = prod.enactor()
        prod.wait_in_step(COUNT)
        plans("claim")
        with prod.reader(COUNT, 4000) as reader:
            yield prod, proxy, plans, enactor, reader


@case(Knotd, Named)
def replies_are_lost_and_connections_cut(kind):
    with behind_a_proxy(kind) as (prod, proxy, plans, _, reader):
        unknown = 0
        for mode, why in (("mute", "timed out"), ("deaf", "timed out"), ("refuse", None),
                          ("cut", None), ("cut-short", None), ("slow", None)):
            gen = plans(f"publish 1 0 {COUNT}")
            reader.wait_some(gen)
            proxy.mode = mode
            cuts = proxy.cuts
            if why is not None:
                report = prod.wait_report(lambda report: report["state"] == "unreachable", mode)
                print(f"# {mode}: {report['why']}")
            elif mode.startswith("cut"):
                wait_until(lambda: proxy.cuts >= cuts + 3, f"three cuts ({mode})")
            elif mode == "slow":
                prod.wait_report(lambda report: report["latency_ms"] > 300, "a slow server")
            head = plans(f"publish 1 0 {COUNT}")
            proxy.mode = "pass"
            prod.wait_in_step(COUNT, 1, head)
            report = prod.wait_report(lambda report: report["why"] == "", f"no trouble: {mode}")
            expect_zone(prod, dict.fromkeys(range(COUNT), head))
            assert mode in ("refuse", "slow") or report["unknown"] > unknown, (mode, report)
            unknown = report["unknown"]
        reader.expect_clean()


@case(Knotd)
def a_reply_that_was_lost_is_read_back(kind):
    """The write took effect: it is found to be done, and not written again."""
    with behind_a_proxy(kind) as (prod, proxy, plans, _, reader):
        gen = plans("publish 1 0 1")
        reader.wait_laps()
        for _ in range(ROUNDS):
            unknown = prod.wait_in_step(COUNT, 1, gen)["unknown"]
            proxy.mode = "mute"
            gen = plans("publish 1 0 5")
            prod.wait_report(lambda report, unknown=unknown: report["unknown"] > unknown, "a doubt")
            fences = [prod.fence(f"e{number}") for number in range(5)]
            proxy.mode = "pass"
            prod.wait_in_step(COUNT, 1, gen)
            if all(f" gen={gen} " in fence[0] for fence in fences):
                break  # else it was looking at some of them when it fell mute, and did not write
        assert all(f" gen={gen} " in fence[0] for fence in fences), fences
        assert [prod.fence(f"e{number}") for number in range(5)] == fences
        reader.expect_clean()


@case(Knotd, Named, Pdns)
def a_write_that_arrives_late_is_refused(kind):
    """The outage inside the network: the enactor is well, its messages come after newer ones."""
    with kind(zones=["example.test"]) as server, Proxy(server.port) as proxy, \
            Installation(server, batch=5, window=8, timeout="1s") as prod:
        plans = prod.plans()
        plans(f"publish 1 0 {COUNT}")
        prod.enactor(1, port=proxy.port)
        for number in (2, 3):
            prod.enactor(number)
        for number in (1, 2, 3):
            prod.wait_in_step(COUNT, number)
        plans("claim")
        with prod.reader(COUNT, 4000) as reader:
            proxy.mode = "hold"
            plans(f"publish 1 0 {COUNT}")
            wait_until(lambda: sum(is_update(message) for _, message in proxy.held) >= 3,
                       "writes to be held")
            head = plans(f"publish 5 0 {COUNT}")
            reader.wait_high(head)
            content = server.axfr()
            refused = proxy.refusals
            late = proxy.release()
            wait_until(lambda: proxy.refusals >= refused + late, "the server to refuse them all")
            reader.wait_laps()
            assert server.axfr() == content
            proxy.mode = "pass"
            prod.wait_in_step(COUNT, 1, head)
            print(f"# {kind.kind}: {late} writes arrived late, and were refused")
            reader.expect_clean()
        expect_zone(prod, dict.fromkeys(range(COUNT), head))


def refuse_ixfr(server, rcode, signed, seen):
    """A judge: the server does not know IXFR, or has nobody allowed to ask for it."""
    def judge(message, _):
        request = dns.message.from_wire(message[2:], keyring=server.keyring)
        if not (request.question and request.question[0].rdtype == dns.rdatatype.IXFR):
            return "pass"
        seen.append(rcode)
        reply = dns.message.make_response(request)
        reply.set_rcode(rcode)
        if not signed:
            reply.tsig = None
        wire = reply.to_wire()
        return struct.pack("!H", len(wire)) + wire
    return judge


@case(Knotd)
def where_ixfr_is_refused_the_whole_zone_is_read(kind):
    with behind_a_proxy(kind) as (prod, proxy, plans, enactor, _):
        ways = ((dns.rcode.NOTIMP, True), (dns.rcode.REFUSED, True), (dns.rcode.FORMERR, False))
        for number, (rcode, signed) in enumerate(ways):
            seen, name = [], f"e{number}"
            proxy.judge = refuse_ixfr(prod.server, rcode, signed, seen)
            wanted = prod.answer(name)
            prod.edit(("replace", name, 1, "A", "192.0.2.99"))
            wait_until(lambda: prod.answer(name) == wanted, f"a repair: {prod.report()}")
            assert seen, dns.rcode.to_text(rcode)
            prod.wait_in_step(COUNT)
        head = plans(f"publish 1 0 {COUNT}")
        prod.wait_in_step(COUNT, 1, head)
        assert not [line for line in enactor.log_text().splitlines()
                    if "event=server_trouble " in line and "no reply in time" not in line]


@case(Knotd)
def more_changes_than_are_held_are_read_as_a_whole_zone(kind):
    """One enactor sleeps over one generation, and over more than it holds the changes of."""
    count = 1500
    with kind(zones=["example.test"]) as server, \
            Installation(server, audit="60s", batch=200, window=64) as prod:
        plans = prod.plans()
        head = plans(f"publish 1 0 {count}")
        for number, share in ((1, "0/2"), (2, "0/1")):
            prod.add(f"enactor-{number}", "enactor", "--name", f"enactor-{number}",
                     "--offset", share, "--log-level", "debug")
            prod.wait_in_step(count, number, head)
        plans("claim")
        sleeper = prod.processes[0]
        for generations, how in ((1, "changes"), (6, "whole")):
            prod.pause(sleeper)
            asleep = len(sleeper.log_text())
            for _ in range(generations):
                head = plans(f"publish 1 0 {count}")
                prod.wait_in_step(count, 2, head)
            sleeper.resume()
            prod.wait_in_step(count, 1, head)
            reads = [line for line in sleeper.log_text()[asleep:].splitlines()
                     if "event=zone_read " in line]
            assert any(f"how={how} " in line for line in reads), (how, reads)
            assert how == "whole" or not any("how=whole " in line for line in reads), reads
            expect_zone(prod, dict.fromkeys(range(count), head))


@case(Knotd, Named)
def urgent_writes_do_without_a_connection_of_their_own(kind):
    """A repair is urgent. Its connection is cut, or never answers; the others' is well."""
    with behind_a_proxy(kind) as (prod, proxy, plans, enactor, reader):
        wanted = prod.answer()
        for number, fate in enumerate(("close", "deaf")):
            tried = []

            def judge(message, first):
                if not is_update(first):
                    return "pass"  # the other connection began with a question
                tried.append(message)
                return fate

            proxy.judge = judge
            for name in ("e0", "e1"):
                prod.edit(("replace", name, 1, "A", f"192.0.2.{number}"))
                wait_until(lambda: prod.answer(name) == wanted, f"a repair: {prod.report()}")
            assert len(tried) == 1, (fate, len(tried))  # it rests
            proxy.judge = None
            enactor.restart()
            prod.wait_in_step(COUNT)


@case(Knotd, Named, Pdns)
def a_wrong_key_is_said(kind):
    with kind(zones=["example.test"]) as server:
        wrong = Key(server.key.name, server.key.algorithm, new_secret())
        with Installation(server, key=wrong) as prod:
            prod.plans()("publish 1 0 5")
            enactor = prod.enactor()
            report = prod.wait_report(lambda report: report["state"] == "unreachable", "trouble")
            print(f"# {kind.kind}: {report['why']}")
            assert "key" in report["why"].lower() or "tsig" in report["why"].lower(), report
            assert prod.answer() == []
            prod.write_key(server.key)
            enactor.restart()
            prod.wait_in_step(5)


@case(Knotd, Named, Pdns)
def a_zone_that_is_not_there_is_said(kind):
    with kind(zones=["example.org"]) as server, Installation(server) as prod:
        prod.plans()("publish 1 0 5")
        prod.enactor()
        report = prod.wait_report(lambda report: report["state"] == "unreachable", "trouble")
        print(f"# {kind.kind}: {report['why']}")
        assert "authoritative" in report["why"] or "REFUSED" in report["why"], report


@case(Knotd)
def a_server_that_comes_late_is_waited_for(kind):
    with kind(zones=["example.test"]) as server:
        server.stop()
        with Installation(server) as prod:
            prod.plans()(f"publish 1 0 {COUNT}")
            prod.enactors()
            for number in (1, 2, 3):
                report = prod.wait_report(lambda report: report["state"] == "unreachable",
                                          "trouble", number)
                assert "refused" in report["why"], report
            server.start()
            for number in (1, 2, 3):
                prod.wait_in_step(COUNT, number)


if __name__ == "__main__":
    sys.exit(case.main())
