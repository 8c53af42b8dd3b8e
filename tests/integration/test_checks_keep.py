#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check keeps between its runs: connections, if it is told to, and TLS sessions."""
# Measures time: runs alone.

import contextlib
import datetime
import socket
import sys
import tempfile
import time

import backends
from backends import OK, Backend
from probes import Cases, Probes, wait_until

case = Cases()

FAST = {"type": "http", "interval": 400, "timeout": 380}
KEEP = {**FAST, "reuse": "yes"}


class Server:
    """A behaviour that is told what to do with request number n of connection number c; what each
    connection was asked, and whether its handshake was a resumed one."""

    def __init__(self, respond):
        self.respond, self.requests, self.resumed = respond, [], []

    def __call__(self, visit):
        number = len(self.requests)
        self.requests.append([])
        self.resumed.append(getattr(visit.connection, "session_reused", None))
        while request := visit.read_request():
            self.requests[number].append(request)
            if self.respond(visit, number, len(self.requests[number])) == "close":
                return


def well(visit, connection, request):
    visit.send(OK)


def all_passed(running):
    wrong = [report for report in running.all if report["result"] == "failed"]
    assert not wrong, wrong[:3]


def run(keys, respond, count, *options, context=None, **more):
    """The server behind that many reports, none of which was a failure."""
    server = Server(respond)
    with Backend(server, context=context) as backend:
        with Probes([{**keys, "name": "web", "port": backend.port}], *options, **more) as running:
            running.wait_for_more("web", count)
            all_passed(running)
    return server


@case
def a_connection_is_kept_if_asked_for():
    server = run(KEEP, well, 6)
    assert len(server.requests) == 1, server.requests
    assert not any(b"Connection:" in request for request in server.requests[0])


@case
def a_connection_is_fresh_if_not():
    server = run(FAST, well, 6)
    assert len(server.requests) >= 6, server.requests
    assert all(len(requests) == 1 and b"\r\nConnection: close\r\n" in requests[0]
               for requests in server.requests), server.requests


@case
def a_server_that_says_close_is_heard():
    def respond(visit, connection, request):
        visit.send(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    server = run(KEEP, respond, 6)
    assert {len(requests) for requests in server.requests} == {1}, server.requests


@case
def a_server_that_closes_between_checks_is_well():
    def respond(visit, connection, request):
        visit.send(OK)
        return "close"

    server = run(KEEP, respond, 6)
    assert len(server.requests) >= 6, server.requests


@case
def a_server_that_closes_at_the_next_request_is_well():
    """The request crosses the close: it is sent again, on a fresh connection."""
    def respond(visit, connection, request):
        if request == 2:
            return "close"
        return visit.send(OK)

    server = run(KEEP, respond, 6)
    assert [len(requests) for requests in server.requests[:3]] == [2, 2, 2], server.requests


@case
def a_server_that_closes_with_a_timeout_is_well():
    def respond(visit, connection, request):
        if request == 2:
            visit.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
            return "close"
        return visit.send(OK)

    server = run(KEEP, respond, 6)
    assert [len(requests) for requests in server.requests[:3]] == [2, 2, 2], server.requests


@case
def a_server_that_closes_fresh_connections_is_not():
    server = Server(lambda visit, connection, request: "close")
    with Backend(server) as backend:
        with Probes([{**KEEP, "name": "web", "port": backend.port}]) as running:
            running.wait_for("web", "failed", "^response: closed without a response$")
            assert not [r for r in running.all if r["result"] == "passed"]


@case
def an_answer_that_breaks_off_is_a_failure():
    def respond(visit, connection, request):
        if request == 2:
            visit.send(b"HTTP/1.1 2")
            return "close"
        return visit.send(OK)

    server = Server(respond)
    with Backend(server) as backend:
        with Probes([{**KEEP, "name": "web", "port": backend.port}]) as running:
            running.wait_for("web", "failed", "^response: closed before the end of the header$")


@case
def a_connection_that_fell_silent_costs_one_failure():
    silent = []

    def respond(visit, connection, request):
        if request == 3 and not silent:
            silent.append(connection)
        else:
            visit.send(OK)

    server = Server(respond)
    with Backend(server) as backend:
        with Probes([{**KEEP, "name": "web", "port": backend.port}]) as running:
            running.wait_for("web", "failed", "^status line: timed out after 380 ms$")
            more = running.wait_for_more("web", 3)
            assert {report["result"] for report in more} == {"passed"}, more
    assert len(server.requests[silent[0]]) == 3, server.requests


@case
def a_failure_ends_the_connection():
    def respond(visit, connection, request):
        visit.send(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")

    server = Server(respond)
    with Backend(server) as backend:
        with Probes([{**KEEP, "name": "web", "port": backend.port}]) as running:
            running.wait_for_more("web", 6)
    assert {len(requests) for requests in server.requests} == {1}, server.requests


@case
def octets_behind_the_answer_end_the_connection():
    """A second response that nobody asked for must not answer the next check."""
    def respond(visit, connection, request):
        visit.send(OK + OK)

    server = run(KEEP, respond, 6)
    assert {len(requests) for requests in server.requests} == {1}, server.requests


@case
def octets_between_checks_end_the_connection():
    def respond(visit, connection, request):
        visit.send(OK)
        time.sleep(0.02)  # the behaviour itself: the answer has been read
        with contextlib.suppress(OSError):
            visit.send(OK)

    server = run(KEEP, respond, 6)
    assert {len(requests) for requests in server.requests} == {1}, server.requests


@case
def kept_connections_are_bounded():
    """48 descriptors: 12 connections are kept; the others are fresh ones, and well."""
    server = Server(well)
    keys = {**KEEP, "interval": 400, "timeout": 300, "copies": 40}
    with Backend(server) as backend:
        with Probes([{**keys, "name": "web", "port": backend.port}], descriptors=48) as running:
            running.wait_for_more("web", 200)
            all_passed(running)
        kept = [requests for requests in server.requests if len(requests) > 3]
        assert len(kept) == 12, len(kept)


# TLS


@contextlib.contextmanager
def authority():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        yield backends.Authority(folder)


def https(authority, **more):
    return {"type": "https", "host": "web.test", "ca": authority.ca, "interval": 400,
            "timeout": 380, "resume": 60000, **more}


@case
def sessions_are_resumed():
    with authority() as ca:
        context = backends.tls(ca.issue("web", "DNS:web.test"))
        server = run(https(ca), well, 6, context=context)
        assert server.resumed[:6] == [False] + [True] * 5, server.resumed


@case
def sessions_of_tls_1_2_are_resumed():
    with authority() as ca:
        context = backends.tls(ca.issue("web", "DNS:web.test"))
        context.maximum_version = backends.ssl.TLSVersion.TLSv1_2
        server = run(https(ca), well, 6, context=context)
        assert server.resumed[:6] == [False] + [True] * 5, server.resumed


@case
def sessions_are_not_resumed_if_told_so():
    with authority() as ca:
        context = backends.tls(ca.issue("web", "DNS:web.test"))
        server = run(https(ca, resume=0), well, 5, context=context)
        assert set(server.resumed) == {False}, server.resumed


@case
def a_full_handshake_is_made_again_in_time():
    """Every second: resumed handshakes do not prolong the session."""
    with authority() as ca:
        context = backends.tls(ca.issue("web", "DNS:web.test"))
        server = run(https(ca, resume=1000), well, 8, context=context)
        full = [number for number, resumed in enumerate(server.resumed) if not resumed]
        assert len(full) >= 3 and max(b - a for a, b in zip(full, full[1:])) <= 3, server.resumed


@case
def a_kept_connection_ends_with_its_session():
    with authority() as ca:
        context = backends.tls(ca.issue("web", "DNS:web.test"))
        server = run(https(ca, resume=1000, reuse="yes"), well, 8, context=context)
        counts = [len(requests) for requests in server.requests]
        assert len(counts) >= 3 and 2 <= max(counts) <= 4, counts


@case
def new_ticket_keys_cost_a_full_handshake_only():
    with authority() as ca:
        certificate = ca.issue("web", "DNS:web.test")
        server = Server(well)
        with Backend(server, context=backends.tls(certificate)) as backend:
            with Probes([{**https(ca), "name": "web", "port": backend.port}]) as running:
                wait_until(lambda: server.resumed[-1:] == [True], "a resumed session")
                backend.context = backends.tls(certificate)
                seen = len(server.resumed) + 1  # one may have begun with the old keys
                wait_until(lambda: False in server.resumed[seen - 1:], "a full handshake")
                full = server.resumed.index(False, seen - 1)
                wait_until(lambda: server.resumed[full:full + 2] == [False, True], "another")
                all_passed(running)


@case
def a_server_that_breaks_off_resumption_is_well():
    """It closes where a ClientHello carries a ticket, which makes it longer."""
    with authority() as ca:
        context = backends.tls(ca.issue("web", "DNS:web.test"))
        sizes, served = [], []

        def behaviour(visit):
            sizes.append(len(visit.connection.recv(4096, socket.MSG_PEEK)))
            if sizes[-1] > sizes[0] + 100:
                return
            with context.wrap_socket(visit.connection, server_side=True) as connection:
                visit.connection = connection
                visit.read_request()
                visit.send(OK)
                served.append(connection.session_reused)

        with Backend(behaviour) as backend:
            with Probes([{**https(ca), "name": "web", "port": backend.port}]) as running:
                running.wait_for_more("web", 6)
                all_passed(running)
        assert set(served) == {False} and len(sizes) > len(served), (sizes, served)


@case
def another_certificate_is_noticed_when_the_session_ends():
    """With ticket keys that stay, as servers do that reload only their certificate."""
    with authority() as ca:
        context = backends.tls(ca.issue("web", "DNS:web.test"))
        old = ca.issue("old", "DNS:web.test", days=-1)
        server = Server(well)
        with Backend(server, context=context) as backend:
            with Probes([{**https(ca, resume=1000), "name": "web",
                          "port": backend.port}]) as running:
                wait_until(lambda: server.resumed[-1:] == [True], "a resumed session")
                context.load_cert_chain(old.chain, old.key)
                begun = time.monotonic()
                why = "^tls: certificate: certificate has expired$"
                running.wait_for("web", "failed", why)
                assert time.monotonic() - begun < 2
                more = running.wait_for_more("web", 3)
                assert {report["result"] for report in more} == {"failed"}, more


@case
def a_session_ends_with_the_certificate():
    """The check does not hear of the certificate any more, but knows when it ends."""
    with authority() as ca:
        ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        context = backends.tls(ca.issue_until("short", "DNS:web.test", ends))
        server = Server(well)
        with Backend(server, context=context) as backend:
            with Probes([{**https(ca), "name": "web", "port": backend.port}]) as running:
                wait_until(lambda: server.resumed[-1:] == [True], "a resumed session")
                running.wait_for("web", "failed", "^tls: certificate: certificate has expired$")
                late = datetime.datetime.now(datetime.timezone.utc) - ends
                assert late.total_seconds() < 2, late


@case
def a_failure_ends_the_session():
    def respond(visit, connection, request):
        visit.send(OK if connection != 2 else b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")

    with authority() as ca:
        server = Server(respond)
        with Backend(server, context=backends.tls(ca.issue("web", "DNS:web.test"))) as backend:
            with Probes([{**https(ca), "name": "web", "port": backend.port}]) as running:
                wait_until(lambda: len(server.resumed) >= 5, "five handshakes")
    assert server.resumed[:5] == [False, True, True, False, True], server.resumed


@case
def a_session_is_for_one_name_only():
    with authority() as ca:
        context = backends.tls(ca.issue("web", "DNS:web.test"))
        with Backend(Server(well), context=context) as backend:
            with Probes([{**https(ca), "name": "web", "port": backend.port},
                         {**https(ca, host="other.test"), "name": "other",
                          "port": backend.port}]) as running:
                running.wait_for_more("web", 4)
                running.wait_for_more("other", 4)
                assert {r["result"] for r in running.reports["other"]} == {"failed"}


if __name__ == "__main__":
    sys.exit(case.main())
