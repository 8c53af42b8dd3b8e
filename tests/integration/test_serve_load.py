#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server under load: streams by the thousand, and clients that are slow, silent or gone.

# Measures time: runs alone.
"""

import contextlib
import json
import socket
import sys
import threading
import time

from probes import Cases, wait_until
from serveprobe import Server, Streams, read_answer, request

case = Cases()

STREAMS = 1000
STREAMS_MAX = 1200
QUEUE_MAX = 256
BEHIND = 256 << 10
ANSWERS_MAX = 256 << 20
IDLE_S = 30
SLACK_S = 8  # a tick, and a machine that is busy
STREAM_KIB = 48  # memory of one stream, at most
BUSY_SHARE = 0.3  # of a core, the handler's look at its file included
LATE_US = 200_000  # of an event that comes every 10 ms, on a machine that is busy


def named(name, number=None):
    """A condition on a stream's events: one of this name, with this number as its data."""
    return lambda events: any(event.name == name and (number is None or event.data == str(number))
                              for event in events)


class Dripper(threading.Thread):
    """Sends octets one by one, slowly, until the server closes; says after how many seconds."""

    def __init__(self, server, octets, again=b"x", pause_s=1):
        super().__init__(daemon=True)
        self.link, self.octets, self.again, self.pause_s = server.connect(), octets, again, pause_s
        self.took_s = None
        self.start()

    def run(self):
        start = time.monotonic()
        with contextlib.suppress(OSError), self.link:
            self.link.sendall(self.octets)
            self.link.settimeout(self.pause_s)
            while True:
                with contextlib.suppress(TimeoutError):
                    if not self.link.recv(65536):
                        break
                if self.again:
                    self.link.sendall(self.again)
        self.took_s = time.monotonic() - start


@contextlib.contextmanager
def drippers():
    """All kinds of slow clients, beside what else is tested in the meantime."""
    with Server() as server:
        head = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n"
        kinds = {
            "a silent client": Dripper(server, b"", b""),
            "a kept connection": Dripper(server, request("/echo"), b""),
            "a slow line": Dripper(server, b"GET /"),
            "slow fields": Dripper(server, head, b"X: y\r\n"),
            "a slow chunk": Dripper(server, b"GET /echo HTTP/1.1\r\nHost: localhost\r\nX: y"),
        }
        yield server, kinds


@case
def every_stream_hears_every_event():
    with Server() as server:
        before = server.count()["resident_kib"]
        with Streams(server, STREAMS) as streams:
            streams.wait(lambda events: len(events) >= 1, "the greeting")
            counts = server.count()
            assert counts["streams"] == STREAMS and counts["connections"] == STREAMS, counts
            grown = counts["resident_kib"] - before
            assert grown < STREAMS * STREAM_KIB, f"{grown} KiB for {STREAMS} streams"
            start = time.monotonic()
            for number in range(10):
                server.say(f"event tick {number}")
            streams.wait(named("tick", 9), "the tenth event")
            took_s = time.monotonic() - start
            for number in range(STREAMS):
                heard = [event.data for event in streams.events(number) if event.name == "tick"]
                assert heard == [str(n) for n in range(10)], (number, heard)
            print(f"# {STREAMS} streams: {grown} KiB; ten events to all in {took_s:.2f} s")


@case
def streams_have_a_limit_and_places_of_the_dead_become_free():
    with Server() as server, Streams(server, STREAMS_MAX) as streams:
        streams.wait(lambda events: len(events) >= 1, "the greeting")
        answer = server.ask("/events")
        assert answer.status == 503 and answer.fields["retry-after"] == "1", answer
        assert server.echo("/echo")["path"] == "/echo", "requests are still answered"
        for link in streams.links[:100]:
            streams.selector.unregister(link)
            link.close()

        def are_noticed():
            server.say("event tick 1")
            return server.count()["streams"] <= STREAMS_MAX - 100

        wait_until(are_noticed, "the dead to be noticed by events")
        with Streams(server, 100) as fresh:
            fresh.wait(lambda events: len(events) >= 1, "the greeting of new streams")


@case
def a_slow_reader_is_closed_at_the_bound_and_costs_no_memory():
    with Server() as server, Streams(server, 20) as fast:
        fast.wait(lambda events: len(events) >= 1, "the greeting")
        slow = []
        for _ in range(20):
            link = socket.socket()
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            link.connect((server.host, server.port))
            link.sendall(request("/events"))
            slow.append(link)
        server.wait_count(lambda counts: counts["streams"] == 40, "forty streams")
        before = server.count()["resident_kib"]
        sent = 0
        while server.count()["streams"] > 20:
            assert sent < 500, "slow readers are kept"
            server.say("flood 16 1000")
            server.say(f"event mark {sent}")
            fast.wait(named("mark", sent), "the fast ones to keep up")
            sent += 1
        counts = server.count()
        grown = counts["resident_kib"] - before
        assert counts["streams_dropped"] == 20 and counts["streams"] == 20, counts
        assert grown < 12 << 10, f"{grown} KiB more"
        assert sent * 17000 > BEHIND, "they may be that far behind"
        for link in slow:
            link.settimeout(20)
            with contextlib.suppress(ConnectionError):
                while link.recv(65536):
                    pass
            link.close()


@case
def a_stream_that_comes_back_hears_what_it_missed():
    with Server() as server:
        server.say("event tick 1")
        with Streams(server, 1) as streams:
            streams.wait(lambda events: events and events[0].id, "an id before the first event")
            last = streams.events(0)[0].id
            epoch = last.split("-")[0]
            assert last.endswith("-1") and not named("tick")(streams.events(0)), "only news"
        for number in (2, 3):
            server.say(f"event tick {number}")
        server.count()
        with Streams(server, 1, last) as streams:
            streams.wait(named("tick", 3), "what it missed")
            names = [(event.name, event.data) for event in streams.events(0) if event.name]
            assert names == [("tick", "2"), ("tick", "3")], names
        for stale in ("00000000-1", f"{epoch}-99", f"{epoch}-", "x", f"{epoch}-1x"):
            with Streams(server, 1, stale) as streams:
                streams.wait(named("reset"), f"a reset for {stale}")
                assert streams.events(0)[0].id == f"{epoch}-3", "it can come back from here"
        server.say("flood 1024 10")
        server.count()
        with Streams(server, 1, f"{epoch}-3") as streams:
            streams.wait(lambda events: len(events) == 1025 and events[-1].id == f"{epoch}-1027",
                         "all that is kept")
        with Streams(server, 1, f"{epoch}-2") as streams:
            streams.wait(named("reset"), "a reset for what is not kept")
        server.say("flood 300 1000")
        server.count()
        with Streams(server, 1, f"{epoch}-1027") as streams:
            streams.wait(named("reset"), "a reset for too much")


@case
def a_full_queue_answers_503_and_the_rest_is_answered():
    with Server() as server:
        links = [server.connect(timeout=60) for _ in range(QUEUE_MAX + 11)]
        links[0].sendall(request("/hold"))
        server.wait_count(lambda counts: counts["waiting"] == 1, "the handler to be busy")
        for link in links[1:]:
            link.sendall(request("/echo"))
        server.wait_count(lambda counts: counts["requests_5"] == 10, "ten to be refused")
        counts = server.count()
        assert counts["waiting"] == QUEUE_MAX + 1 and counts["refused_busy"] == 10, counts
        server.hold.touch()
        answers = [read_answer(link) for link in links]
        assert answers[0].status == 200 and len(answers) == QUEUE_MAX + 11
        refused = [answer for answer in answers if answer.status == 503]
        assert len(refused) == 10 and all(a.fields["retry-after"] == "1" for a in refused)
        assert json.loads(refused[0].body)["error"]["code"] == "busy"
        assert server.count()["waiting"] == 0
        for link in links:
            link.close()


@case
def the_loop_goes_on_while_the_handler_is_busy():
    with Server() as server, Streams(server, 1) as streams, server.connect() as link:
        link.sendall(request("/hold"))
        server.wait_count(lambda counts: counts["waiting"] == 1, "the handler to be busy")
        server.say("beat 10")
        streams.wait(lambda events: len(events) >= 200, "two hundred beats")
        server.hold.touch()
        assert read_answer(link).status == 200
        late = sorted(json.loads(event.data)["late_us"] for event in streams.events(0)
                      if event.name == "beat")
        print(f"# beats late: median {late[len(late) // 2]} us, most {late[-1]} us")
        assert late[-1] < LATE_US, f"a beat was {late[-1]} us late"


@case
def clients_that_wait_cost_nothing():
    waiting = [b"", b"GET /ec", b"GET /echo HTTP/1.1\r\nHost: loc", request("/events"),
               request("/bytes?size=20000000"), request("/echo"), request("/hold"),
               b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               b"Content-Length: 9\r\n\r\n{",
               b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n9\r\n{"]
    with Server() as server, contextlib.ExitStack() as links:
        for octets in waiting * 5:
            links.enter_context(server.connect(unix=True)).sendall(octets)
        server.wait_count(lambda counts: counts["connections"] == 5 * len(waiting), "all of them")
        server.say("flood 200 1000")
        assert server.busy_share() < BUSY_SHARE, "it is busy with clients that wait"
        server.hold.touch()


@case
def clients_that_go_away_leave_nothing():
    with Server() as server:
        assert server.ask("/bytes?size=33554432").status == 200
        before = server.count()["resident_kib"]
        for number in range(40):
            with server.connect() as link:
                link.sendall(request("/bytes?size=33554432"))
                if number % 2:
                    link.recv(1000)
                if number % 3 == 0:  # a reset instead of an end
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        server.wait_count(lambda counts: counts["connections"] == 0 and counts["waiting"] == 0,
                          "connections of the dead to be gone")
        grown = server.count()["resident_kib"] - before
        assert grown < 64 << 10, f"{grown} KiB more"


@case
def answers_that_nobody_reads_have_a_limit():
    size = 48 << 20
    with Server() as server, contextlib.ExitStack() as links:
        busy = None
        for _ in range(2 * ANSWERS_MAX // size):
            link = links.enter_context(server.connect())
            count = server.count()
            link.sendall(request(f"/bytes?size={size}"))
            server.wait_count(lambda now, was=count: now["requests_2"] > was["requests_2"] or
                              now["requests_5"] > was["requests_5"], "an answer")
            if server.count()["requests_5"] > 0:
                busy = read_answer(link)
                break
        assert busy is not None and busy.status == 503, "there is no limit"
        assert server.count()["resident_kib"] < (ANSWERS_MAX + 4 * size) >> 10
        links.close()
        wait_until(lambda: server.ask("/echo").status == 200, "room for answers")


@case
def connections_have_a_limit():
    with Server("--descriptors", "200") as server, contextlib.ExitStack() as links:
        most = 200 - 128
        for _ in range(most):
            link = links.enter_context(server.connect())
            link.sendall(request("/echo"))
            assert read_answer(link).status == 200
        with server.connect() as one_more:
            one_more.settimeout(20)
            with contextlib.suppress(ConnectionError):
                assert one_more.recv(1) == b"", "one too many is closed"
        assert server.count()["connections"] == most
        links.close()
        server.wait_count(lambda counts: counts["connections"] == 0, "places to become free")
        assert server.echo("/echo")["path"] == "/echo"


@case
def it_ends_with_streams_open_and_requests_waiting():
    with Server() as server, Streams(server, 200) as streams, contextlib.ExitStack() as links:
        streams.wait(lambda events: len(events) >= 1, "the greeting")
        waiting = [links.enter_context(server.connect()) for _ in range(20)]
        waiting[0].sendall(request("/hold"))
        server.wait_count(lambda counts: counts["waiting"] == 1, "the handler to be busy")
        for link in waiting[1:]:
            link.sendall(request("/echo"))
        server.wait_count(lambda counts: counts["waiting"] == 20, "a queue")
        server.say("stop")
        for link in waiting[1:]:
            assert read_answer(link).status == 503
        server.hold.touch()
        assert read_answer(waiting[0]).status == 200, "the handler ends what it has begun"
        server.wait_line("closed")

        def are_closed():
            streams.read()
            return all(streams.is_closed)

        wait_until(are_closed, "the streams to end")


def main():
    """The slow ones are watched while the other cases run."""
    with drippers() as (server, kinds):

        @case
        def a_slow_client_is_closed_in_time():
            for name, dripper in kinds.items():
                dripper.join(IDLE_S + SLACK_S)
                assert dripper.took_s is not None, f"{name} is kept"
                assert IDLE_S - 1 <= dripper.took_s <= IDLE_S + SLACK_S, (name, dripper.took_s)
            assert server.count()["connections"] == 0

        return case.main()


if __name__ == "__main__":
    sys.exit(main())
