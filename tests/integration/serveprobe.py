# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs serveprobe, the HTTP server with a handler for tests, and talks to it octet by octet."""

import collections
import http.client
import json
import os
import pathlib
import selectors
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from probes import PATIENCE_S, wait_until
from servers import HOST, die_with_parent, free_port

BUILD = pathlib.Path(os.environ.get("HOLDFAST_BUILD", "build")).resolve()
JSON = {"Content-Type": "application/json"}

Answer = collections.namedtuple("Answer", "status fields body")


class Server:
    """A running serveprobe, with a folder of its own."""

    def __init__(self, *options, tcp=True, unix=True, folder=None, host=HOST):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="holdfast-serve-"))
        self.has_own_folder = folder is None
        self.host, self.port = host, free_port()
        self.socket, self.hold = self.folder / "api.sock", self.folder / "hold"
        self.log = self.folder / "log"
        words = [BUILD / "tests/integration/serveprobe", "--hold", self.hold, *options]
        words += ["--listen", f"{host}@{self.port}"] if tcp else []
        words += ["--socket", self.socket] if unix else []
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, text=True, preexec_fn=die_with_parent)
        self.lines = []
        self.changed = threading.Condition()
        threading.Thread(target=self.read, daemon=True).start()
        self.wait_line("ready")

    def read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(json.loads(line))
                self.changed.notify_all()
        with self.changed:
            self.lines.append({"ended": True})
            self.changed.notify_all()

    def wait_line(self, key, start=0):
        """The first line from number start on that has this key."""
        def found():
            return next((line for line in self.lines[start:] if key in line or "ended" in line),
                        None)
        with self.changed:
            if not self.changed.wait_for(found, PATIENCE_S):
                raise AssertionError(f"waited in vain for {key}; {self.log.read_text()[-500:]}")
            if key not in found():
                raise AssertionError(f"serveprobe ended; {self.log.read_text()[-500:]}")
            return found()

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def count(self):
        with self.changed:
            start = len(self.lines)
        self.say("count")
        return self.wait_line("streams", start)

    def wait_count(self, condition, what):
        """Until condition(counters)."""
        wait_until(lambda: condition(self.count()), what)

    def busy_share(self, span_s=1.0):
        """The share of one core that it takes from now on."""
        def used_s():
            words = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().split()
            return (int(words[13]) + int(words[14])) / os.sysconf("SC_CLK_TCK")
        start, before = time.monotonic(), used_s()
        time.sleep(span_s)  # what is measured is this time
        return (used_s() - before) / (time.monotonic() - start)

    def connect(self, unix=False, timeout=PATIENCE_S, host=None):
        if unix:
            link = socket.socket(socket.AF_UNIX)
            link.settimeout(timeout)
            link.connect(str(self.socket))
            return link
        return socket.create_connection((host or self.host, self.port), timeout)

    def raw(self, octets, **where):
        """The answer to these octets; None where the connection is closed without one."""
        with self.connect(**where) as link:
            try:
                link.sendall(octets)
                return read_answer(link)
            except (ConnectionError, http.client.BadStatusLine):
                return None

    def ask(self, path, method="GET", fields=None, body=None, host="localhost", **where):
        return self.raw(request(path, method, fields, body, host), **where)

    def echo(self, *words, **keys):
        answer = self.ask(*words, **keys)
        assert answer is not None and answer.status == 200, answer
        return json.loads(answer.body)

    def close(self):
        """Ends it in order, which must leave nothing open."""
        if self.process.poll() is None:
            self.process.stdin.close()
        status = self.process.wait(PATIENCE_S)
        assert status == 0, f"serveprobe ended with {status}: {self.log.read_text()[-2000:]}"
        assert not self.socket.exists(), "the socket was left"

    def release(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.has_own_folder and "HOLDFAST_KEEP" not in os.environ:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *exception):
        try:
            if kind is None:
                self.close()
        finally:
            self.release()


def request(path, method="GET", fields=None, body=None, host="localhost", version="1.1"):
    lines = [f"{method} {path} HTTP/{version}"]
    lines += [f"Host: {host}"] if host is not None else []
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def read_answer(link, method="GET"):
    response = http.client.HTTPResponse(link, method=method)
    response.begin()
    fields = {}
    for name, value in response.getheaders():
        fields[name.lower()] = value
    try:
        body = response.read()
    except http.client.IncompleteRead as short:
        body = short.partial
    return Answer(response.status, fields, body)


class Event(collections.namedtuple("Event", "id name data")):
    """One server-sent event; a block without a name has None there."""

    @classmethod
    def parse(cls, block):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        return cls(fields.get("id"), fields.get("event"), fields.get("data"))


class Streams:
    """Many event streams, read by one selector, each as fast as it comes."""

    def __init__(self, server, count, last_id=None, unix=False):
        self.selector = selectors.DefaultSelector()
        self.texts = [bytearray() for _ in range(count)]
        self.is_closed = [False] * count
        self.links = []
        fields = {"Last-Event-ID": last_id} if last_id else {}
        for number in range(count):
            link = server.connect(unix=unix)
            link.sendall(request("/events", fields=fields))
            link.setblocking(False)
            self.selector.register(link, selectors.EVENT_READ, number)
            self.links.append(link)

    def read(self, timeout=0.02):
        for key, _ in self.selector.select(timeout):
            try:
                octets = key.fileobj.recv(1 << 20)
            except ConnectionError:
                octets = b""
            self.texts[key.data] += octets
            if not octets:
                self.is_closed[key.data] = True
                self.selector.unregister(key.fileobj)

    def events(self, number):
        """What has come, without the header and the framing of chunks."""
        head, _, body = bytes(self.texts[number]).partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            return []
        text = bytearray()
        while True:
            size, _, rest = body.partition(b"\r\n")
            length = int(size, 16) if size else 0
            if length == 0 or len(rest) < length:
                break
            text += rest[:length]
            body = rest[length + 2:]
        blocks = text.decode().split("\n\n")[:-1]
        return [Event.parse(block) for block in blocks]

    def wait(self, condition, what):
        """Reads until condition(events of a stream) is true of each."""
        waiting = set(range(len(self.texts)))

        def all_are():
            self.read()
            for number in list(waiting):
                if condition(self.events(number)):
                    waiting.discard(number)
            return not waiting

        wait_until(all_are, what)

    def close(self):
        for link in self.links:
            link.close()
        self.selector.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
