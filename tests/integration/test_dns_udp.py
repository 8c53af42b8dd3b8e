#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single questions over UDP, and over TCP where UDP does not bring it: through a relay in front of
a real knotd that counts what goes over which, and that drops, cuts or forges datagrams."""

import os
import select
import socket
import threading

import dns.update

import servers
from dnsprobe import A, NOERROR, NXDOMAIN, TXT, ZONE, Probe, Tap

OK = ("OK", NOERROR)


class Relay(threading.Thread):
    """UDP and TCP on one port, passed on to a server; spoil(reply) may change a UDP reply into any
    list of datagrams."""

    def __init__(self, target_port, spoil):
        super().__init__(daemon=True)
        self.target = (servers.HOST, target_port)
        self.spoil = spoil
        self.port = servers.free_port()
        self.udp_count = self.tcp_count = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((servers.HOST, self.port))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((servers.HOST, self.port))
        self.tcp.listen()
        self.stopping, self.stop_writer = socket.socketpair()
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_writer.close()
        self.join(5)
        for sock in (self.udp, self.tcp, self.stopping):
            sock.close()

    def pass_datagram(self):
        question, client = self.udp.recvfrom(65535)
        self.udp_count += 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.settimeout(5)
            server.sendto(question, self.target)
            for reply in self.spoil(server.recv(65535)):
                self.udp.sendto(reply, client)

    def run(self):
        pairs = {}
        while True:
            ready, _, _ = select.select([self.udp, self.tcp, self.stopping, *pairs], [], [])
            if self.stopping in ready:
                return
            for sock in ready:
                if sock is self.udp:
                    self.pass_datagram()
                elif sock is self.tcp:
                    self.tcp_count += 1
                    client, _ = self.tcp.accept()
                    server = socket.create_connection(self.target)
                    pairs[client], pairs[server] = server, client
                elif sock in pairs:
                    data = sock.recv(65535)
                    if data:
                        pairs[sock].sendall(data)
                    else:
                        other = pairs.pop(sock)
                        pairs.pop(other).close()
                        other.close()


def ask(server, spoil, owner="api.example.test.", kind=A):
    with Relay(server.port, spoil) as relay, Probe(relay.port, server.key) as probe:
        probe.send(f"query {owner} {kind}")
        result = probe.receive()
        return result, relay.udp_count, relay.tcp_count


def check_answer(outcome, records, tcp_count, rcode=NOERROR):
    result, udp, tcp = outcome
    assert result.counts == {("OK", rcode): 1}, result
    assert len(result.records) == records, result.records
    assert (udp, tcp) == (1, tcp_count), (udp, tcp)


def over_udp(server):
    check_answer(ask(server, lambda reply: [reply]), 1, 0)


def nothing_there(server):
    check_answer(ask(server, lambda reply: [reply], "none.example.test.", TXT), 0, 0, NXDOMAIN)


def lost(server):
    check_answer(ask(server, lambda reply: []), 1, 1)


def truncated(server):
    check_answer(ask(server, lambda reply: [reply], "many.example.test."), 90, 1)


def forged(server):
    """A datagram with another id is passed over; one that is not signed right is asked again."""
    other = lambda reply: [bytes([reply[0] ^ 1]) + reply[1:], reply]
    check_answer(ask(server, other), 1, 0)
    spoiled = lambda reply: [reply[:-12] + bytes(12)]
    check_answer(ask(server, spoiled), 1, 1)
    check_answer(ask(server, lambda reply: [reply[:20]]), 1, 1)


def many_at_once(server):
    """More questions than may go over UDP at once: the rest goes over TCP, none is lost."""
    with Relay(server.port, lambda reply: [reply]) as relay, Probe(relay.port, server.key) as probe:
        probe.send(f"flood 200 api.example.test. {A}")
        result = probe.receive()
        assert result.counts == {OK: 200}, result
        assert 0 < relay.udp_count <= 200 and relay.tcp_count == 1, relay.udp_count


def silent_both(server):
    """A server that is gone: the outcome comes from TCP, within its time limit."""
    port = servers.free_port()
    with Probe(port, server.key, timeout_ms=1000) as probe:
        probe.send(f"query api.example.test. {A}")
        result = probe.receive()
        assert OK not in result.counts and len(result.counts) == 1, result


def main():
    os.environ["DNSPROBE_UDP"] = "1"
    tap = Tap()
    for kind in (servers.Knotd, servers.Named, servers.Pdns):
        with kind(zones=["example.test"]) as server:
            update = dns.update.UpdateMessage(ZONE)
            update.add("api", 5, "A", "192.0.2.1")
            for i in range(1, 91):
                update.add("many", 5, "A", f"192.0.2.{i}")
            assert server.update(update) == "NOERROR"
            name = kind.__name__
            tap.run(f"{name}: a question goes over UDP alone", over_udp, server)
            tap.run(f"{name}: so does one without an answer", nothing_there, server)
            tap.run(f"{name}: a lost reply is asked for over TCP", lost, server)
            tap.run(f"{name}: so is a truncated one", truncated, server)
            tap.run(f"{name}: forged and broken replies", forged, server)
            tap.run(f"{name}: many questions at once", many_at_once, server)
            tap.run(f"{name}: nobody there", silent_both, server)
    tap.end()


if __name__ == "__main__":
    main()
