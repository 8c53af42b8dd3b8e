#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load on the HTTP API, as a process of its own: many event streams, and requests without a pause.

    bench/apiload.py PORT STREAMS CONNECTIONS SECONDS PATH...

Connections ask for the paths in turn, each as soon as the last answer is there. Writes a line when
all streams are open, and at the end one of JSON: requests, octets, events, and each request's time.
It has the least priority: clients are on other machines.
"""

import json
import os
import selectors
import socket
import sys
import time

HOST = "127.0.0.1"
OPEN_S = 60
PIECE = 1 << 18


class Connection:
    """Asks for one path after another."""

    def __init__(self, port, paths, number):
        self.link = socket.create_connection((HOST, port))
        self.paths, self.turn = paths, number
        self.answers, self.octets, self.failed, self.times_ms = 0, 0, 0, []
        self.ask()

    def ask(self):
        path = self.paths[self.turn % len(self.paths)]
        self.turn += 1
        self.seen, self.head_end, self.size = bytearray(), -1, 0
        self.asked = time.perf_counter()
        self.link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def on_readable(self):
        octets = self.link.recv(PIECE)
        if not octets:
            raise ConnectionError("the server closed a connection")
        self.octets += len(octets)
        self.seen += octets
        if self.head_end < 0:
            self.head_end = self.seen.find(b"\r\n\r\n")
            if self.head_end < 0:
                return
            head = bytes(self.seen[:self.head_end]).lower()
            self.failed += not head.startswith(b"http/1.1 200")
            self.size = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(self.seen) >= self.head_end + 4 + self.size:
            self.answers += 1
            self.times_ms.append(1000 * (time.perf_counter() - self.asked))
            self.ask()


class Stream:
    """Hears events; only their count is kept."""

    def __init__(self, port):
        self.link = socket.create_connection((HOST, port))
        self.link.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.events, self.is_open = 0, False

    def on_readable(self):
        octets = self.link.recv(PIECE)
        if not octets:
            raise ConnectionError("the server closed a stream")
        self.is_open = self.is_open or b"retry:" in octets
        self.events += octets.count(b"event: ")


def run(selector, until, ended=lambda: False):
    while time.monotonic() < until and not ended():
        for key, _ in selector.select(0.1):
            key.data.on_readable()


def main():
    port, streams, connections, seconds = map(int, sys.argv[1:5])
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    selector = selectors.DefaultSelector()
    heard = []
    for _ in range(streams):
        heard.append(Stream(port))
        selector.register(heard[-1].link, selectors.EVENT_READ, heard[-1])
    run(selector, time.monotonic() + OPEN_S, lambda: all(stream.is_open for stream in heard))
    if not all(stream.is_open for stream in heard):
        sys.exit("not all streams opened")
    asked = [Connection(port, sys.argv[5:], number) for number in range(connections)]
    for connection in asked:
        selector.register(connection.link, selectors.EVENT_READ, connection)
    print("open", flush=True)
    run(selector, time.monotonic() + seconds)
    times = sorted(time_ms for connection in asked for time_ms in connection.times_ms)
    print(json.dumps({"answers": sum(c.answers for c in asked),
                      "failed": sum(c.failed for c in asked),
                      "octets": sum(c.octets for c in asked),
                      "events": sum(stream.events for stream in heard),
                      "times_ms": times[::max(1, len(times) // 1000)]}))


main()
