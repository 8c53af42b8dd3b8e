# SPDX-License-Identifier: GPL-3.0-or-later
"""`holdfast run` in a folder of its own, on free ports, with backends that are well.

    with Run() as run:
        run.start()
        run.wait_for_names()
        run.pid("enactor-1")
        run.kill()              # the supervisor alone, as a crash would
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update

from backends import OK, Backend
from servers import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HOLDFAST_BUILD", "build")).resolve()
HOST = "127.0.0.1"
ZONE = "example.test."
NAMES = ["api.example.test.", "www.example.test.", "db.example.test."]
BACKENDS = [f"127.0.0.{last}" for last in range(11, 17)]
PATIENCE_S = 30
ROLES = ["planner", "janitor", "api", "enactor-1", "enactor-2", "enactor-3"]
KNOTD = "knotd-local"


def wait_for(condition, what, limit_s=PATIENCE_S):
    """The condition's value as soon as it is true; fails the test when it does not become so."""
    deadline = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            said = what() if callable(what) else what
            raise AssertionError(f"after {limit_s} s still not: {said}")
        time.sleep(0.05)


def is_alive(pid):
    """Whether the process is there and no zombie."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def port_is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            if kind == socket.SOCK_STREAM:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind((HOST, port))
            except OSError:
                return False
    return True


def well(visit):
    visit.read_request()
    visit.send(OK)


class Run:
    """A copy of the quickstart on ports of its own. close() ends every process that works there."""

    def __init__(self, folder=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="hf-run-"))
        self.data = self.folder / "data"
        self.config = self.folder / "holdfast.yaml"
        self.log = self.folder / "log"
        self.port, self.backend_port = free_port(), free_port()
        self.process = None
        text = (ROOT / "examples/quickstart/holdfast.yaml").read_text()
        text = re.sub(r"listen: \S+", f"listen: {HOST}@{self.port}", text)
        text = text.replace("port: 8080", f"port: {self.backend_port}")
        self.config.write_text(text + "\napi: { listen: off }\n")
        self.backends = []

    def __enter__(self):
        self.backends = [Backend(well, host, self.backend_port) for host in BACKENDS]
        for backend in self.backends:
            backend.__enter__()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stop(signal.SIGTERM)
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        for backend in self.backends:
            backend.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    def fail(self, number):
        """Nobody listens on a backend's address any more."""
        self.backends[number].close()

    def recover(self, number):
        self.backends[number] = Backend(well, BACKENDS[number], self.backend_port)

    def command(self, *words):
        return [str(BUILD / "holdfast"), *words, "--config", str(self.config)]

    def start(self, words=None, **options):
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                words or self.command("run"), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                **options)
        return self

    def stop(self, number=signal.SIGINT):
        """The exit status."""
        if self.process is None:
            return None
        self.process.send_signal(number)
        status = self.process.wait(PATIENCE_S)
        self.process = None
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def processes(self):
        """Process ids of all that belong to this folder: by working directory or command line."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                cwd = os.readlink(entry / "cwd")
                line = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(self.folder) in cwd + " " + line and is_alive(int(entry.name)):
                found.append(int(entry.name))
        return found

    def state(self):
        """Rows of run.json by name; {} while there is none of this supervisor."""
        try:
            told = json.loads((self.data / "run.json").read_text())
        except FileNotFoundError:
            return {}
        if self.process is None or told["pid"] != self.process.pid:
            return {}
        return {row["name"]: row for row in told["processes"]}

    def pid(self, name):
        return wait_for(lambda: self.state().get(name, {}).get("pid"), f"{name} runs")

    def pause(self, name):
        """SIGSTOP, but not while it holds a lock of the store: it would be killed."""
        pid = self.pid(name)
        while True:
            os.kill(pid, signal.SIGSTOP)
            wait_for(lambda: ") T " in pathlib.Path(f"/proc/{pid}/stat").read_text(),
                     f"{name} to stop")
            if not self.has_lock(pid):
                return pid
            os.kill(pid, signal.SIGCONT)
            wait_for(lambda: not self.has_lock(pid), f"{name} to give back the lock")

    def has_lock(self, pid):
        inodes = {str(path.stat().st_ino) for path in (self.data, self.data / "holdfast.db")}
        lines = pathlib.Path("/proc/locks").read_text().splitlines()
        return any(words[4] == str(pid) and words[5].rpartition(":")[2] in inodes
                   for words in map(str.split, lines))

    def secret(self):
        return (self.data / "tsig-local.key").read_text().strip()

    def query(self, name, kind="A"):
        """The addresses or texts of an answer; None without an answer."""
        question = dns.message.make_query(name, kind)
        try:
            reply = dns.query.udp(question, HOST, port=self.port, timeout=1)
        except (dns.exception.Timeout, OSError):
            return None
        return [item.to_text() for rrset in reply.answer for item in rrset]

    def update(self, name, addresses):
        """Writes by hand, with the key of the private knotd; the response code."""
        update = dns.update.Update(
            ZONE, keyring=dns.tsigkeyring.from_text({"holdfast": self.secret()}),
            keyalgorithm="hmac-sha256")
        update.delete(name, "A")
        for address in addresses:
            update.add(name, 60, "A", address)
        return dns.rcode.to_text(dns.query.tcp(update, HOST, port=self.port, timeout=5).rcode())

    def wait_for_names(self):
        for name in NAMES:
            wait_for(lambda name=name: self.query(name), f"{name} answers")

    def wait_for_start(self):
        wait_for(lambda: b"event=all_started" in self.log.read_bytes(), "everything runs")


class Reader(threading.Thread):
    """Asks for a name all the time; empty answers after the first whole one are kept."""

    def __init__(self, run, name=NAMES[0]):
        super().__init__(daemon=True)
        self.run_, self.name = run, name
        self.answers = self.silences = self.longest_silence_s = 0
        self.empty, self.seen = [], False
        self.ending = threading.Event()

    def run(self):
        last = time.monotonic()
        while not self.ending.is_set():
            answer = self.run_.query(self.name)
            if answer is None:
                self.silences += 1
                time.sleep(0.01)
                continue
            now = time.monotonic()
            self.longest_silence_s = max(self.longest_silence_s, now - last)
            last = now
            self.answers += 1
            self.seen = self.seen or bool(answer)
            if self.seen and not answer:
                self.empty.append(now)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()
