#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed in a zone, read by IXFR from knotd, named and pdns_server.

Differences are proved by replaying them: on what AXFR said before they must give exactly what AXFR
says now, and never delete what is not there or add what is.
"""

import sys

import dns.update

import servers
from dnsprobe import NOERROR, NOTAUTH, REFUSED, SOA, ZONE
from dnsprobe import Probe, Tap, expect

# named sends differences only while they are smaller than the zone (max-ixfr-ratio).
NAMES = 4000
RECORDS = "".join(f"h{i} 30 IN A 10.9.0.1\nh{i} 30 IN A 10.9.0.2\n" for i in range(NAMES))
UPDATES, NAMES_EACH = 20, 100
LARGE = UPDATES * NAMES_EACH * 3
HISTORY = 20
HOST = "10.0.0.1"


class ShallowKnotd(servers.Knotd):
    """A journal that forgets soon: knotd's own default."""

    def configure(self):
        super().configure()
        path = self.folder / "knot.conf"
        path.write_text(
            path.read_text().replace("journal-max-depth: 100000", f"journal-max-depth: {HISTORY}")
        )


def change(server, *steps):
    """One UPDATE of ("add" or "delete", name, arguments…)."""
    update = dns.update.UpdateMessage(ZONE)
    for verb, name, *args in steps:
        getattr(update, verb)(name, *args)
    assert server.update(update) == "NOERROR"


def serial(server):
    return int(server.rrset(ZONE, "SOA")[0].split()[2])


def zone(probe):
    """What AXFR says, without the SOA."""
    result = expect(probe("axfr"), "OK", NOERROR)
    return {tuple(record) for record in result.records[1:]}


def newest(result):
    """The serial of the one SOA that an IXFR tells of, after the checks that all of them pass."""
    first, *rest = result.changes
    assert first[:3] == ["newest", ZONE, str(SOA)], first
    assert result.record_count == len(result.changes), result
    assert all(line[2] != str(SOA) and line[0] != "newest" for line in rest), "SOA records"
    return int(first[4][-40:-32], 16)


def replay(before, result):
    """The content that an IXFR leads to, and whether it was told as differences."""
    content, senses = set(before), {line[0] for line in result.changes[1:]}
    if "whole" in senses:
        assert senses == {"whole"}, senses
        whole = [tuple(line[1:]) for line in result.changes[1:]]
        assert len(whole) == len(set(whole)), "a record came twice"
        return set(whole), False
    for sense, *record in result.changes[1:]:
        record = tuple(record)
        if sense == "deleted":
            assert record in content, f"deleted, and not there: {record}"
            content.remove(record)
        else:
            assert record not in content, f"added, and there: {record}"
            content.add(record)
    return content, True


def expect_changes(server, probe, before, since):
    """IXFR since a serial tells the way from before to what is there now."""
    result = expect(probe(f"ixfr {since}"), "OK", NOERROR)
    assert newest(result) == serial(server), result.changes[0]
    content, in_differences = replay(before, result)
    assert content == zone(probe)
    assert in_differences == (server.kind != "pdns_server"), "differences or a whole zone"
    return result


def expect_whole(server, probe, since):
    result = expect(probe(f"ixfr {since}"), "OK", NOERROR)
    assert newest(result) == serial(server)
    assert replay([], result) == (zone(probe), False)


def case_unchanged(server):
    with Probe(server.port, server.key) as probe:
        now = serial(server)
        result = expect(probe(f"ixfr {now}"), "OK", NOERROR)
        assert result.record_count == 1 and newest(result) == now, result


def case_future(server):
    """The server's zone is older than ours: it says which it has, and no more."""
    with Probe(server.port, server.key) as probe:
        now = serial(server)
        for ahead in (1, 1000, 2**31 - 1):
            result = expect(probe(f"ixfr {(now + ahead) % 2**32}"), "OK", NOERROR)
            assert result.record_count == 1 and newest(result) == now, result


def case_changed(server):
    with Probe(server.port, server.key) as probe:
        before, since = zone(probe), serial(server)
        change(server, ("add", "c0", 30, "A", "10.0.0.1", "10.0.0.2"))
        result = expect_changes(server, probe, before, since)
        assert ["c0." + ZONE, "1", "30", "0a000001"] in [line[1:] for line in result.changes]
        # Several, of which some undo others: only the right order replays.
        for i in range(4):
            change(
                server,
                ("delete", "c0", "A", f"10.0.0.{1 + i % 2}"),
                ("add", f"c{i + 1}", 30, "A", "10.0.0.1"),
            )
            change(server, ("add", "c0", 30, "A", f"10.0.0.{1 + i % 2}"))
            change(server, ("delete", f"c{i}", "A") if i > 0 else ("delete", "h0", "A"))
        result = expect_changes(server, probe, before, since)
        if server.kind != "pdns_server":
            assert result.record_count > 16, "all differences, one by one"
        # Another TTL, and a fence in quotes.
        before, since = zone(probe), serial(server)
        change(
            server,
            ("delete", "c0", "A"),
            ("add", "c0", 60, "A", "10.0.0.1", "10.0.0.2"),
            ("add", "_holdfast.c0", 60, "TXT", '"f1"'),
        )
        expect_changes(server, probe, before, since)


def case_only_the_soa(server):
    with Probe(server.port, server.key) as probe:
        before, since = zone(probe), serial(server)
        change(server, ("replace", ZONE, 300, "SOA", f"ns hostmaster {since + 50} 1 2 3 4"))
        assert serial(server) == since + 50
        expect_changes(server, probe, before, since)


def case_killed(server):
    """What changed is still told by a server that died meanwhile."""
    with Probe(server.port, server.key) as probe:
        before, since = zone(probe), serial(server)
        change(server, ("add", "killed", 30, "A", "10.0.0.1"))
        server.restart(kill=True)
        change(server, ("add", "killed", 30, "A", "10.0.0.2"))
        expect_changes(server, probe, before, since)


def case_large(server):
    with Probe(server.port, server.key, timeout_ms=30000) as probe:
        before, since = zone(probe), serial(server)
        for at in range(UPDATES):
            names = [f"h{at * NAMES_EACH + i + 1}" for i in range(NAMES_EACH)]
            change(
                server,
                *[("delete", name, "A", "10.9.0.1") for name in names],
                *[("add", name, 30, "A", "10.9.1.1") for name in names],
                *[("add", name, 30, "AAAA", "fd00::1") for name in names],
            )
        result = expect_changes(server, probe, before, since)
        if server.kind != "pdns_server":
            assert result.record_count == 1 + LARGE, result.record_count
        print(f"# {server.kind}: {result.record_count} records in {result.latency_ms} ms")


def case_before_history(server):
    """From before the first change: the whole zone."""
    with Probe(server.port, server.key) as probe:
        expect_whole(server, probe, 0)


def case_refused(server):
    """Wrong keys and zones end as they do with AXFR."""
    wrong = server.key._replace(secret=servers.new_secret())
    with Probe(server.port, wrong) as probe:
        expect(probe("ixfr 1"), "EAUTH")
    with Probe(server.port, server.key._replace(name="stranger.")) as probe:
        expect(probe("ixfr 1"), "EAUTH")
    with Probe(server.port, None) as probe:
        expect(probe("ixfr 1"), "EREFUSED", REFUSED if server.kind == "named" else NOTAUTH)
    with Probe(server.port, server.key, zone="elsewhere.test.") as probe:
        expect(probe("ixfr 1"), "EREFUSED" if server.kind == "named" else "EAUTH", NOTAUTH)


def case_stopped(server):
    with Probe(server.port, server.key, timeout_ms=1000) as probe:
        server.pause()
        expect(probe("ixfr 1"), "ETIMEOUT", why="stalled")
        server.resume()
    with Probe(server.port, server.key, timeout_ms=20000) as probe:
        server.pause()
        probe.send("ixfr 1")
        server.kill()
        expect(probe.receive(), "ECONN")
        expect(probe("ixfr 1"), "ECONN", why="refused")
        server.start()
        expect(probe(f"ixfr {serial(server)}"), "OK", NOERROR)


def case_history_merged():
    """knotd merges what its journal cannot keep: that is told from the zone file's serial only."""
    with ShallowKnotd([ZONE], records=RECORDS) as server, Probe(server.port, server.key) as probe:
        before, since = zone(probe), serial(server)
        for i in range(2 * HISTORY):
            change(server, ("add", "g", 30, "A", f"10.0.0.{i + 1}"))
            change(server, ("delete", "g", "A", f"10.0.0.{i}"), ("add", f"g{i}", 30, "A", HOST))
        expect_changes(server, probe, before, since)
        expect_whole(server, probe, since + 1)
        before, since = zone(probe), serial(server)
        change(server, ("delete", "g1", "A"))
        expect_changes(server, probe, before, since)


def case_history_gone():
    """named after what `rndc sync -clean` does: a new zone file, and no journal."""
    with servers.Named([ZONE], records=RECORDS) as server, Probe(server.port, server.key) as probe:
        since = serial(server)
        change(server, ("add", "g", 30, "A", HOST))
        content = sorted(server.axfr().items(), key=lambda item: item[0][1] != "SOA")
        server.stop()
        file = server.zone_file(ZONE)
        file.write_text(
            "".join(
                f"{name} {ttl} IN {kind} {text}\n"
                for (name, kind), (ttl, texts) in content
                for text in texts
            )
        )
        file.with_name(file.name + ".jnl").unlink()
        server.start()
        assert serial(server) == since + 1
        expect_whole(server, probe, since)
        before, since = zone(probe), serial(server)
        change(server, ("delete", "g", "A"))
        expect_changes(server, probe, before, since)


def case_small_zone():
    """named sends a zone that is smaller than its differences whole."""
    with servers.Named([ZONE]) as server, Probe(server.port, server.key) as probe:
        since = serial(server)
        change(server, ("add", "g", 30, "A", HOST))
        change(server, ("delete", "g", "A"))
        expect_whole(server, probe, since)


CASES = [
    ("nothing changed", case_unchanged),
    ("a serial from the future", case_future),
    ("several changes", case_changed),
    ("only the SOA changed", case_only_the_soa),
    ("changes before a kill", case_killed),
    ("some thousands of records", case_large),
    ("a serial from before the first change", case_before_history),
    ("wrong keys, no zone", case_refused),
    ("server stopped, killed, started", case_stopped),
]


def main():
    tap = Tap()
    only = sys.argv[1:]
    for kind in servers.ALL:
        if only and kind.kind not in only:
            continue
        with kind([ZONE], records=RECORDS) as server:
            for name, case in CASES:
                tap.run(f"{kind.kind}: {name}", case, server)
    for kind, name, case in (
        (servers.Knotd, "history merged", case_history_merged),
        (servers.Named, "history gone", case_history_gone),
        (servers.Named, "a small zone", case_small_zone),
    ):
        if not only or kind.kind in only:
            tap.run(f"{kind.kind}: {name}", case)
    tap.end()


if __name__ == "__main__":
    main()
