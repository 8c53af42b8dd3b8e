#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS client against knotd, named and pdns_server."""

import sys
import time

import dns.rdatatype
import dns.update

import servers
from dnsprobe import A, NOERROR, NOTAUTH, NXDOMAIN, NXRRSET, REFUSED, SOA, TXT, YXRRSET, ZONE
from dnsprobe import Probe, Tap, expect

TRANSFER_ENDPOINTS = 10000


def quoted(*words):
    return sorted(f'"{word}"' for word in words)


# Names differ from case to case, so that the cases do not depend on each other.


def case_lifecycle(server):
    """Create, replace, lose the race, change the TTL, retire, forget."""
    api, fence = "api." + ZONE, "_holdfast.api." + ZONE
    with Probe(server.port, server.key) as probe:
        probe("guard g1")
        expect(probe(f"put {api} - f1 none 0 - 30 10.0.0.1,10.0.0.2,fd00::1"), "OK", NOERROR)
        assert server.rrset(api, "A") == ["10.0.0.1", "10.0.0.2"]
        assert server.rrset(api, "AAAA") == ["fd00::1"]
        assert server.rrset(fence, "TXT") == quoted("f1")
        # A writer that believes that it is first, and one that read an older fence.
        expect(probe(f"put {api} - f1 none 0 - 30 10.0.0.9"), "OK", YXRRSET)
        expect(probe(f"put {api} f0 f2 any 0 - 30 10.0.0.9"), "OK", NXRRSET, "has changed")
        assert server.rrset(api, "A") == ["10.0.0.1", "10.0.0.2"]
        # Differences.
        before, after = "10.0.0.1,10.0.0.2,fd00::1", "10.0.0.2,10.0.0.3"
        expect(probe(f"put {api} f1 f2 audited 30 {before} 30 {after}"), "OK", NOERROR)
        assert server.rrset(api, "A") == ["10.0.0.2", "10.0.0.3"]
        assert server.rrset(api, "AAAA") == []
        assert server.rrset(fence, "TXT") == quoted("f2")
        # Another TTL: all records get it.
        expect(probe(f"put {api} f2 f3 audited 30 {after} 60 {after}"), "OK", NOERROR)
        assert [record[2] for record in probe(f"query {api} {A}").records] == ["60", "60"]
        # The RRsets as a prerequisite.
        expect(probe(f"put {api} f3 f4 exact 60 10.0.0.2 60 10.0.0.7"), "OK", NXRRSET)
        expect(probe(f"put {api} f3 f4 exact 60 {after},fd00::1 60 10.0.0.7"), "OK", NXRRSET)
        expect(probe(f"put {api} f3 f4 exact 60 {after} 60 10.0.0.7"), "OK", NOERROR)
        assert server.rrset(api, "A") == ["10.0.0.7"]
        # Nothing in common.
        expect(probe(f"put {api} f4 f5 audited 60 10.0.0.7 60 10.0.0.8,fd00::2"), "OK", NOERROR)
        assert server.rrset(api, "A") == ["10.0.0.8"]
        # Retired: a tombstone; then forgotten.
        expect(probe(f"put {api} f5 f6 any 0 - 0 -"), "OK", NOERROR)
        assert server.rrset(api, "A") == server.rrset(api, "AAAA") == []
        assert server.rrset(fence, "TXT") == quoted("f6")
        expect(probe(f"put {api} f6 - any 0 - 0 -"), "OK", NOERROR)
        assert server.rrset(fence, "TXT") == []


def case_guard(server):
    """Every write is conditional on the guard; changing it stops all writers."""
    guarded = "guarded." + ZONE
    with Probe(server.port, server.key) as probe:
        probe("guard g1")
        expect(probe("set-guard frozen"), "OK", NOERROR)
        expect(probe(f"put {guarded} - f1 none 0 - 30 10.0.0.1"), "OK", NXRRSET)
        assert server.rrset(guarded, "A") == []
        probe("guard -")
        expect(probe("set-guard g1"), "OK", YXRRSET)
        probe("guard frozen")
        expect(probe("set-guard g1"), "OK", NOERROR)
        probe("guard g1")
        expect(probe(f"put {guarded} - f1 none 0 - 30 10.0.0.1"), "OK", NOERROR)


def case_claim(server):
    """A zone without a guard is claimed once."""
    with Probe(server.port, server.key) as probe:
        probe("guard -")
        expect(probe("set-guard g1"), "OK", NOERROR)
        expect(probe("set-guard g2"), "OK", YXRRSET)
        assert server.rrset("_holdfast-zone." + ZONE, "TXT") == quoted("g1")


def case_cname(server):
    """A CNAME that somebody put in an endpoint's place."""
    name = "alias." + ZONE
    update = dns.update.UpdateMessage(ZONE)
    update.add("alias", 60, "CNAME", "other.test.")
    assert server.update(update) == "NOERROR"
    with Probe(server.port, server.key) as probe:
        probe("guard g1")
        expect(probe(f"put {name} - f1 none 0 - 30 10.0.0.1"), "OK", YXRRSET)
        expect(probe(f"put {name} - f1 any 0 - 30 10.0.0.1"), "OK", NOERROR)
        assert server.rrset(name, "CNAME") == []
        assert server.rrset(name, "A") == ["10.0.0.1"]


def case_deletions_first(server):
    """Why deletions come first: BIND counts what is there while it applies a message."""
    old, new = [[f"10.{net}.0.{i}" for i in range(100)] for net in (1, 2)]
    update = dns.update.UpdateMessage(ZONE)
    update.add("first", 30, "A", *old)
    assert server.update(update) == "NOERROR"
    update = dns.update.UpdateMessage(ZONE)
    update.add("first", 30, "A", *new)
    for address in old:
        update.delete("first", "A", address)
    rcode = server.update(update)
    assert rcode == ("SERVFAIL" if server.kind == "named" else "NOERROR"), rcode


def case_full_rrset(server):
    """The largest RRset there may be, replaced by as large a one in one message."""
    name = "full." + ZONE
    old = ",".join(f"10.1.0.{i}" for i in range(100))
    new = ",".join(f"10.1.0.{i}" for i in range(1, 101))
    with Probe(server.port, server.key) as probe:
        probe("guard g1")
        expect(probe(f"put {name} - f1 none 0 - 30 {old}"), "OK", NOERROR)
        expect(probe(f"put {name} f1 f2 audited 30 {old} 30 {new}"), "OK", NOERROR)
        assert server.rrset(name, "A") == sorted(new.split(","))
        other = ",".join(f"10.2.0.{i}" for i in range(100))
        expect(probe(f"put {name} f2 f3 audited 30 {new} 30 {other}"), "OK", NOERROR)
        assert server.rrset(name, "A") == sorted(other.split(","))


def case_query(server):
    with Probe(server.port, server.key) as probe:
        result = expect(probe(f"query {ZONE} {SOA}"), "OK", NOERROR)
        assert result.record_count == 1 and result.records[0][0] == ZONE
        result = expect(probe(f"query NS.{ZONE} {A}"), "OK", NOERROR)
        assert result.records == [["ns." + ZONE, "1", "300", "7f000001"]], result.records
        assert expect(probe(f"query ns.{ZONE} {TXT}"), "OK", NOERROR).record_count == 0
        assert expect(probe(f"query nobody.{ZONE} {TXT}"), "OK", NXDOMAIN).record_count == 0
        # Knot does not sign when it refuses for want of a zone.
        result = probe(f"query elsewhere.invalid. {A}")
        expect(result, "EAUTH" if server.kind == "knotd" else "EREFUSED")
    with Probe(server.port, None) as probe:
        expect(probe(f"query ns.{ZONE} {A}"), "OK", NOERROR)


def case_pipelining(server):
    """500 messages at once, then 500 more that replace by differences."""
    with Probe(server.port, server.key, timeout_ms=30000) as probe:
        probe("guard g1")
        result = probe("burst 500 1 - f1 1")
        assert result.counts == {("OK", NOERROR): 500}, result
        result = probe("burst 500 1 f1 f2 2")
        assert result.counts == {("OK", NOERROR): 500}, result
        for number in (0, 250, 499):
            assert "10.0.1.2" in server.rrset(f"e{number}.{ZONE}", "A")
        result = probe("burst 500 1 f1 f3 3")
        assert result.counts == {("OK", NXRRSET): 500}, result
        result = probe(f"flood 1024 _holdfast.e1.{ZONE} {TXT}")
        assert result.counts == {("OK", NOERROR): 1024} and result.record_count == 1024, result
        result = probe(f"flood 1030 _holdfast.e1.{ZONE} {TXT}")
        assert "busy 6" in result.lines and result.counts == {("OK", NOERROR): 1024}, result


def case_transfer(server):
    with Probe(server.port, server.key, timeout_ms=30000) as probe:
        probe("guard g1")
        result = probe(f"burst {TRANSFER_ENDPOINTS // 100} 100 - t1 1")
        # The names of the pipelining case are there already: those messages are refused.
        result = probe("axfr")
        expect(result, "OK", NOERROR)
        seen = {(name, int(kind), rdata) for name, kind, _, rdata in result.records}
        assert len(seen) == len(result.records), "a record came twice"
        assert [record[1] for record in result.records].count(str(SOA)) == 1
        assert result.records[0][:2] == [ZONE, str(SOA)]
        texts = {rdata for name, kind, rdata in seen if kind == TXT}
        assert texts >= {"027431", "026731"}, texts
        reference = server.axfr()
        assert {(name, kind) for name, kind, _ in seen} == {
            (name, dns.rdatatype.from_text(kind)) for name, kind in reference
        }
        assert len(seen) == sum(len(texts) for _, texts in reference.values())
        assert len(seen) > 4 * TRANSFER_ENDPOINTS
        print(f"# {server.kind}: {len(seen)} records in {result.latency_ms} ms")


def case_wrong_secret(server):
    key = server.key._replace(secret=servers.new_secret())
    why = "not signed" if server.kind == "pdns_server" else "BADSIG"
    with Probe(server.port, key) as probe:
        probe("guard g1")
        expect(probe(f"put wrong.{ZONE} - f1 none 0 - 30 10.0.0.1"), "EAUTH", why=why)
        expect(probe(f"query ns.{ZONE} {A}"), "EAUTH")
        expect(probe("axfr"), "EAUTH")
    assert server.rrset("wrong." + ZONE, "A") == []


def case_wrong_key(server):
    key = server.key._replace(name="stranger.")
    why = "not signed" if server.kind == "pdns_server" else "BADKEY"
    with Probe(server.port, key) as probe:
        probe("guard g1")
        expect(probe(f"put wrong.{ZONE} - f1 none 0 - 30 10.0.0.1"), "EAUTH", why=why)
        expect(probe("axfr"), "EAUTH")


def case_no_key(server):
    rcode = NOTAUTH if server.kind == "knotd" else REFUSED
    with Probe(server.port, None) as probe:
        probe("guard g1")
        expect(probe(f"put wrong.{ZONE} - f1 none 0 - 30 10.0.0.1"), "OK", rcode)
        expect(probe("axfr"), "EREFUSED")


def case_no_such_zone(server):
    with Probe(server.port, server.key, zone="elsewhere.test.") as probe:
        probe("guard g1")
        # Knot does not sign these refusals, PowerDNS only that of the UPDATE.
        result = probe("put e.elsewhere.test. - f1 none 0 - 30 10.0.0.1")
        expect(result, "EAUTH" if server.kind == "knotd" else "OK", NOTAUTH, "NOTAUTH")
        assert "zone" in result.why.split(": ", 1)[1], result
        result = probe("axfr")
        expect(result, "EREFUSED" if server.kind == "named" else "EAUTH", NOTAUTH, "NOTAUTH")
        assert result.record_count == 0


def case_restart(server):
    """Requests end with the connection; the next one makes a new connection."""
    name = "restart." + ZONE
    with Probe(server.port, server.key, timeout_ms=20000) as probe:
        probe("guard g1")
        expect(probe(f"put {name} - f1 none 0 - 30 10.0.0.1"), "OK", NOERROR)
        server.pause()
        probe.send(f"put {name} f1 f2 any 0 - 30 10.0.0.2")
        server.kill()
        expect(probe.receive(), "ECONN")
        expect(probe(f"query {name} {A}"), "ECONN", why="refused")
        expect(probe("axfr"), "ECONN", why="refused")
        server.start()
        result = expect(probe(f"query _holdfast.{name} {TXT}"), "OK", NOERROR)
        assert result.records[0][3] == "026631", result.records
        expect(probe(f"put {name} f1 f2 any 0 - 30 10.0.0.2"), "OK", NOERROR)


def case_stopped(server):
    """A server that is stopped for a while: time runs out, then all is well again."""
    name = "stopped." + ZONE
    with Probe(server.port, server.key, timeout_ms=2000) as probe:
        probe("guard g1")
        expect(probe(f"put {name} - f1 none 0 - 30 10.0.0.1"), "OK", NOERROR)
        server.pause()
        expect(probe(f"put {name} f1 f2 any 0 - 30 10.0.0.2"), "ETIMEOUT", why="no reply in time")
        expect(probe("axfr"), "ETIMEOUT", why="stalled")
        server.resume()
        deadline = time.monotonic() + 20
        while ("OK", NOERROR) not in probe(f"query {name} {A}").counts:
            assert time.monotonic() < deadline, "the server does not come back"


CASES = [
    ("claims a zone once", case_claim),
    ("creates, replaces, retires", case_lifecycle),
    ("writes under the guard only", case_guard),
    ("replaces a CNAME", case_cname),
    ("replaces RRsets of 100 records", case_full_rrset),
    ("counts additions before deletions", case_deletions_first),
    ("asks questions", case_query),
    ("pipelines 500 messages", case_pipelining),
    ("transfers a zone", case_transfer),
    ("wrong secret", case_wrong_secret),
    ("wrong key", case_wrong_key),
    ("no key", case_no_key),
    ("no such zone", case_no_such_zone),
    ("server killed and started", case_restart),
    ("server stopped and continued", case_stopped),
]


def main():
    tap = Tap()
    only = sys.argv[1:]
    for kind in servers.ALL:
        if only and kind.kind not in only:
            continue
        with kind([ZONE]) as server:
            for name, case in CASES:
                tap.run(f"{kind.kind}: {name}", case, server)
    tap.end()


if __name__ == "__main__":
    main()
