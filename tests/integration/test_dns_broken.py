#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS client against a server that is silent, cuts, lies or makes mistakes."""

import socket
import time

import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring

import dnsfake
import servers
from dnsprobe import FORMERR, NOERROR, NOTAUTH, NOTIMP, REFUSED, SERVFAIL, SOA, ZONE
from dnsprobe import Probe, Tap, expect

KEY = servers.Key("holdfast.", "hmac-sha256", servers.new_secret())
KEYRING = dns.tsigkeyring.from_text({KEY.name: KEY.secret})
TSIG_KEY = dns.tsig.Key(KEY.name, KEY.secret, KEY.algorithm)
PUT = f"put e.{ZONE} - f1 none 0 - 30 10.0.0.1"
SOA3, SOA4, SOA5, SOA6, SOA_RRSET, NEXT_SOA = [
    dns.rrset.from_text(ZONE, 300, "IN", "SOA", f"ns. h. {serial} 1 1 1 1")
    for serial in range(3, 9)
]
BODY = [dns.rrset.from_text(f"e{i}.{ZONE}", 30, "IN", "A", f"10.0.0.{i}") for i in range(250)]


def one_command(behaviour, command, what, rcode=None, why=None, timeout_ms=5000, key=KEY):
    with dnsfake.Fake(behaviour, KEYRING) as fake:
        with Probe(fake.port, key, timeout_ms=timeout_ms) as probe:
            probe("guard g1")
            result = probe(command)
        assert fake.errors == [], fake.errors
        return expect(result, what, rcode, why)


def silent(connection):
    while connection.receive():
        pass


def answers(**how):
    def behaviour(connection):
        while request := connection.receive():
            connection.send(connection.reply(request, **how))

    return behaviour


def sends(make):
    """What make returns for a good reply is put on the wire as it is; then waits."""

    def behaviour(connection):
        request = connection.receive()
        wire = connection.reply(request)
        connection.sock.sendall(make(len(wire).to_bytes(2, "big") + wire))
        connection.receive()

    return behaviour


def cuts(make, reset=False):
    def behaviour(connection):
        request = connection.receive()
        wire = connection.reply(request)
        connection.sock.sendall(make(len(wire).to_bytes(2, "big") + wire))
        if reset:
            connection.cut()

    return behaviour


PACE_S = 0.005  # lets the client read what is there; a good client passes at any pace


def byte_by_byte(connection):
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while request := connection.receive():
        wire = connection.reply(request)
        wire = len(wire).to_bytes(2, "big") + wire
        for at, octet in enumerate(wire):
            connection.sock.sendall(bytes([octet]))
            if at < 5 or at > len(wire) - 5:
                time.sleep(PACE_S)


def reversed_order(connection):
    requests = [connection.receive() for _ in range(100)]
    for request in reversed(requests):
        connection.send(connection.reply(request))
    connection.receive()


def strangers_first(connection):
    request = connection.receive()
    good = connection.reply(request)
    bad = connection.reply(request, rcode=REFUSED, signed=False)
    for difference in (1, 16, 1024, 32768):
        wrong = ((request.id + difference) & 0xFFFF).to_bytes(2, "big")
        connection.send(wrong + bad[2:])
    connection.send(good)
    connection.send(good)  # and once more: nobody waits for it
    connection.receive()


def swapped(connection):
    """Replies to two requests with exchanged ids: the signatures give it away."""
    one, two = connection.receive(), connection.receive()
    wires = [connection.reply(one), connection.reply(two)]
    connection.send(two.id.to_bytes(2, "big") + wires[0][2:])
    connection.send(one.id.to_bytes(2, "big") + wires[1][2:])
    connection.receive()


def drops_one(connection):
    """Answers all but the first: as BIND does over its update-quota."""
    connection.receive()
    while request := connection.receive():
        connection.send(connection.reply(request))


def formerr_and_close(connection):
    request = connection.receive()
    connection.send(connection.reply(request, rcode=dns.rcode.FORMERR))


def old_clock(connection):
    request = connection.receive()
    now = time.time
    try:
        time.time = lambda: now() - 400
        wire = connection.reply(request)
    finally:
        time.time = now
    connection.send(wire)
    connection.receive()


def badtime(connection):
    request = connection.receive()
    response = dns.message.make_response(request, tsig_error=18)
    response.set_rcode(dns.rcode.NOTAUTH)
    connection.send(response.to_wire())
    connection.receive()


def flip_last(octets):
    """Changes the last octet of the MAC: behind it are original id, error and other size."""
    return octets[:-7] + bytes([octets[-7] ^ 1]) + octets[-6:]


def other_question(connection):
    request = connection.receive()
    request.question[0].name = dns.name.from_text("other." + ZONE)
    connection.send(connection.reply(request))
    connection.receive()


def transfers(rrsets, **how):
    def behaviour(connection):
        request = connection.receive()
        for wire in dnsfake.transfer_messages(request, TSIG_KEY, rrsets, **how):
            connection.send(wire)
        connection.receive()

    return behaviour


def transfer_is_cut(rrsets, count, stalls=False):
    """Only so many messages of a transfer; then the end, or nothing."""

    def behaviour(connection):
        request = connection.receive()
        for wire in dnsfake.transfer_messages(request, TSIG_KEY, rrsets)[:count]:
            connection.send(wire)
        if stalls:
            connection.receive()

    return behaviour


def retyped(connection):
    """The differences, as an answer to AXFR."""
    request = connection.receive()
    request.question[0].rdtype = dns.rdatatype.AXFR
    for wire in dnsfake.transfer_messages(request, TSIG_KEY, [IXFR_OK]):
        connection.send(wire)
    connection.receive()


def transfer_is_slow(connection):
    """Longer than the time limit in all, shorter between two messages."""
    request = connection.receive()
    for wire in dnsfake.transfer_messages(request, TSIG_KEY, [SOA_RRSET, *BODY[:6], SOA_RRSET]):
        connection.send(wire)
        time.sleep(0.3)
    connection.receive()


def case_reorder():
    with dnsfake.Fake(reversed_order, KEYRING) as fake, Probe(fake.port, KEY) as probe:
        probe("guard g1")
        assert probe("burst 100 1 - f1 1").counts == {("OK", NOERROR): 100}


def case_swapped():
    with dnsfake.Fake(swapped, KEYRING) as fake, Probe(fake.port, KEY) as probe:
        probe("guard g1")
        expect(probe("burst 2 1 - f1 1"), "EAUTH", why="signature is wrong")


def case_byte_by_byte():
    with dnsfake.Fake(byte_by_byte, KEYRING) as fake, Probe(fake.port, KEY) as probe:
        probe("guard g1")
        expect(probe(PUT), "OK", NOERROR)
        assert probe("burst 5 1 - f1 1").counts == {("OK", NOERROR): 5}
        assert fake.connection_count == 1, "the connection was good"


def case_dropped():
    with dnsfake.Fake(drops_one, KEYRING) as fake, Probe(fake.port, KEY, timeout_ms=3000) as probe:
        probe("guard g1")
        result = probe("burst 20 1 - f1 1")
        assert result.counts == {("OK", NOERROR): 19, ("ETIMEOUT", 0): 1}, result
        expect(probe(PUT), "OK", NOERROR)
        assert fake.connection_count == 1, "the connection was good"


def case_silent():
    with dnsfake.Fake(silent, KEYRING) as fake, Probe(fake.port, KEY, timeout_ms=300) as probe:
        probe("guard g1")
        result = expect(probe(PUT), "ETIMEOUT", why="no reply in time")
        assert 250 < result.latency_ms < 20000, result.latency_ms
        expect(probe(PUT), "ETIMEOUT")
        assert fake.connection_count == 2, "a silent connection is given up"


def case_forms_error():
    with dnsfake.Fake(formerr_and_close, KEYRING) as fake, Probe(fake.port, KEY) as probe:
        probe("guard g1")
        result = probe("burst 10 1 - f1 1")
        assert result.counts == {("OK", FORMERR): 1, ("ECONN", 0): 9}, result


def case_close_in_callback():
    with dnsfake.Fake(answers(), KEYRING) as fake, Probe(fake.port, KEY) as probe:
        probe("guard g1")
        probe("close-in-callback")
        result = probe("burst 50 1 - f1 1")
        assert sum(result.counts.values()) == 50, result
        assert result.counts[("ECONN", 0)] > 0, result


def case_unreachable():
    with Probe(servers.free_port(), KEY) as probe:
        probe("guard g1")
        expect(probe(PUT), "ECONN", why="refused")
        assert probe("burst 50 1 - f1 1").counts == {("ECONN", 0): 50}


def case_differences():
    """What an IXFR of two differences tells, however it is cut and signed."""
    told = ["newest", "deleted", "added", "added", *["deleted"] * 200, "added"]
    for rrsets in (IXFR_OK, [IXFR_OK]):
        for every in (1, 10, 100):
            behaviour = transfers(rrsets, every=every)
            with dnsfake.Fake(behaviour, KEYRING) as fake, Probe(fake.port, KEY) as probe:
                result = expect(probe("ixfr 3"), "OK", NOERROR)
                assert [line[0] for line in result.changes] == told, result
                assert fake.errors == [], fake.errors


def case_differences_close():
    with dnsfake.Fake(transfers(IXFR_OK), KEYRING) as fake, Probe(fake.port, KEY) as probe:
        probe("close-in-callback")
        expect(probe("ixfr 3"), "OK", NOERROR)


AXFR_OK = [SOA_RRSET, *BODY, SOA_RRSET]
IXFR_OK = [
    SOA_RRSET,
    *(SOA3, BODY[0], SOA5, BODY[1], BODY[2]),
    *(SOA5, *BODY[10:210], SOA_RRSET, BODY[3], SOA_RRSET),
]
CASES = [
    ("differences", case_differences),
    ("differences, closed within a callback", case_differences_close),
    ("silent server", case_silent),
    ("nobody listens", case_unreachable),
    ("replies out of order", case_reorder),
    ("replies with exchanged ids", case_swapped),
    ("octet by octet", case_byte_by_byte),
    ("one request is dropped", case_dropped),
    ("FORMERR, then the end", case_forms_error),
    ("closed within a callback", case_close_in_callback),
    ("replies to unknown ids", strangers_first, PUT, "OK", NOERROR),
    ("cut in mid message", cuts(lambda wire: wire[:-5]), PUT, "ECONN", None, "in mid message"),
    ("cut within the size", cuts(lambda wire: wire[:1]), PUT, "ECONN", None, "in mid message"),
    ("closed without a reply", cuts(lambda wire: b""), PUT, "ECONN", None, "closed"),
    ("reset", cuts(lambda wire: wire[:5], reset=True), PUT, "ECONN"),
    ("garbage", sends(lambda wire: b"\0\4HTTP"), PUT, "ECONN", None, "no DNS"),
    ("malformed reply", sends(lambda wire: wire[:8] + b"\xff" * (len(wire) - 8)), PUT, "EMALF"),
    ("octets behind the reply", sends(lambda wire: bytes([wire[0], wire[1] + 1]) + wire[2:] + b"x"),
     PUT, "EMALF"),
    ("a query comes back", sends(lambda wire: wire[:4] + bytes([wire[4] & 0x7F]) + wire[5:]),
     PUT, "EMALF", None, "no reply"),
    ("unsigned reply", answers(signed=False), PUT, "EAUTH", None, "not signed"),
    ("unsigned REFUSED", answers(signed=False, rcode=REFUSED), PUT, "EAUTH", REFUSED, "TSIG key"),
    ("signed REFUSED", answers(rcode=REFUSED), PUT, "OK", REFUSED, "does not let us write"),
    ("SERVFAIL", answers(rcode=SERVFAIL), PUT, "OK", SERVFAIL, "may have written"),
    ("NOTAUTH", answers(rcode=NOTAUTH), PUT, "OK", NOTAUTH, "not authoritative"),
    ("wrong signature", sends(flip_last), PUT, "EAUTH", None, "signature is wrong"),
    ("old signature", old_clock, PUT, "EAUTH", None, "clock"),
    ("BADTIME", badtime, PUT, "EAUTH", None, "clock"),
    ("question without AA", answers(aa=False), f"query {ZONE} {SOA}", "EREFUSED", None,
     "not authoritative"),
    ("question SERVFAIL", answers(rcode=SERVFAIL), f"query {ZONE} {SOA}", "ESERVFAIL"),
    ("question REFUSED", answers(rcode=REFUSED), f"query {ZONE} {SOA}", "EREFUSED"),
    ("answer to another question", other_question, f"query {ZONE} {SOA}", "EMALF"),
    ("transfer, all signed", transfers(AXFR_OK), "axfr", "OK"),
    ("transfer, every 10th signed", transfers(AXFR_OK, every=10), "axfr", "OK"),
    ("transfer, every 100th signed", transfers(AXFR_OK, every=100), "axfr", "OK"),
    ("transfer, every 101st signed", transfers(AXFR_OK, every=101), "axfr", "EAUTH", None,
     "too many"),
    ("transfer, end not signed", transfers(AXFR_OK, every=10, end_signed=False), "axfr", "EAUTH",
     None, "end is not signed"),
    ("transfer, signed message changed", transfers(AXFR_OK, tamper=50), "axfr", "EAUTH"),
    ("transfer, unsigned message changed", transfers(AXFR_OK, every=10, tamper=55), "axfr",
     "EAUTH"),
    ("transfer of a zone that changed", transfers([SOA_RRSET, *BODY, NEXT_SOA]), "axfr", "EMALF",
     None, "changed during"),
    ("transfer with a SOA in the middle", transfers([SOA_RRSET, *BODY, SOA_RRSET, BODY[0]][:-2]
     + [NEXT_SOA, BODY[0], SOA_RRSET]), "axfr", "EMALF", None, "changed during"),
    ("transfer without the first SOA", transfers([*BODY, SOA_RRSET]), "axfr", "EMALF", None,
     "does not begin"),
    ("transfer goes on", transfers([[*AXFR_OK, BODY[0]]]), "axfr", "EMALF", None, "goes on"),
    ("transfer cut", transfer_is_cut(AXFR_OK, 100), "axfr", "ECONN"),
    ("transfer is slow", transfer_is_slow, "axfr", "OK", None, None, 2000),
    ("transfer stalls", transfer_is_cut(AXFR_OK, 100, stalls=True), "axfr", "ETIMEOUT", None,
     "stalled", 400),
    ("differences, every 101st signed", transfers(IXFR_OK, every=101), "ixfr 3", "EAUTH", None,
     "too many"),
    ("differences, end not signed", transfers(IXFR_OK, every=10, end_signed=False), "ixfr 3",
     "EAUTH", None, "end is not signed"),
    ("differences, signed message changed", transfers(IXFR_OK, tamper=50), "ixfr 3", "EAUTH"),
    ("differences, unsigned message changed", transfers(IXFR_OK, every=10, tamper=55), "ixfr 3",
     "EAUTH"),
    ("differences from another serial", transfers(IXFR_OK), "ixfr 4", "EMALF", None,
     "do not begin at the serial"),
    ("differences with a gap", transfers([SOA_RRSET, SOA3, SOA4, SOA5, SOA_RRSET, SOA_RRSET]),
     "ixfr 3", "EMALF", None, "gap"),
    ("differences without their end", transfers([SOA_RRSET, SOA3, SOA4, BODY[0], SOA_RRSET]),
     "ixfr 3", "EMALF", None, "gap"),
    ("differences that lead back", transfers([SOA_RRSET, SOA4, SOA3]), "ixfr 4", "EMALF", None,
     "leads back"),
    ("differences that lead too far", transfers([SOA_RRSET, SOA4, NEXT_SOA]), "ixfr 4", "EMALF",
     None, "beyond"),
    ("differences to an older zone", transfers([[SOA_RRSET, NEXT_SOA]]), "ixfr 8", "EMALF", None,
     "not newer"),
    ("differences that go on", transfers([*IXFR_OK[:-1], [SOA_RRSET, BODY[0]]]), "ixfr 3", "EMALF",
     None, "goes on"),
    ("differences cut", transfer_is_cut(IXFR_OK, 100), "ixfr 3", "ECONN"),
    ("differences without the closing SOA", transfers(IXFR_OK[:-1]), "ixfr 3", "ETIMEOUT", None,
     "stalled", 400),
    ("differences cut before the closing SOA", transfer_is_cut(IXFR_OK, len(IXFR_OK) - 1),
     "ixfr 3", "ECONN"),
    ("differences stall", transfer_is_cut(IXFR_OK, 100, stalls=True), "ixfr 3", "ETIMEOUT", None,
     "stalled", 400),
    ("a newer SOA, and no more", transfers([SOA_RRSET]), "ixfr 3", "ETIMEOUT", None, "stalled",
     400),
    ("an older SOA alone", transfers([SOA_RRSET]), "ixfr 8", "OK", NOERROR),
    ("a whole zone of a SOA", transfers([SOA_RRSET, SOA_RRSET]), "ixfr 3", "EMALF", None,
     "nothing but its SOA"),
    ("differences, and no record", answers(), "ixfr 3", "EMALF", None, "is empty"),
    ("differences as an answer to AXFR", retyped, "ixfr 3", "EMALF", None, "another question"),
    ("differences, unsigned", answers(answer=[SOA_RRSET], signed=False), "ixfr 7", "EAUTH", None,
     "not signed"),
    ("differences SERVFAIL", answers(rcode=SERVFAIL), "ixfr 3", "ESERVFAIL", SERVFAIL),
    ("differences REFUSED", answers(rcode=REFUSED), "ixfr 3", "EREFUSED", REFUSED),
    ("differences NOTAUTH", answers(rcode=NOTAUTH), "ixfr 3", "EREFUSED", NOTAUTH),
    ("differences NOTIMP", answers(rcode=NOTIMP), "ixfr 3", "EREFUSED", NOTIMP, "NOTIMP"),
    ("differences FORMERR", answers(rcode=FORMERR), "ixfr 3", "EREFUSED", FORMERR, "FORMERR"),
    ("differences, truncated", sends(lambda wire: wire[:4] + bytes([wire[4] | 2]) + wire[5:]),
     "ixfr 3", "EMALF", None, "truncated"),
]


def main():
    tap = Tap()
    for name, case, *args in CASES:
        if args:
            tap.run(name, one_command, case, *args)
        else:
            tap.run(name, case)
    tap.end()


if __name__ == "__main__":
    main()
