# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole Holdfast under measurement: planner and enactors as processes on one zone of a server.

The endpoints e0, e1, … answer with the healthy ones of five backends, each of an IPv4 and an IPv6
address: four of each while one is down. With flip=True e0 has two backends of its own, flip-1 and
flip-2, so that one verdict changes one endpoint. Health comes from a state file that is looked at
every 100 ms. Times are taken from the roles' logs (milliseconds), from the zone's serial and from
answers, never from reports, which enactors write once a second.
"""

import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

import dns.message
import dns.rdatatype

import servers

ROOT = pathlib.Path(__file__).resolve().parent.parent
ZONE = "bench.test"
PATIENCE_S = 120
BACKENDS = 5
QUIET_S = 0.5  # without a new serial: a rollout may have ended
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """What was to be measured did not happen."""


def build():
    return pathlib.Path(os.environ.get("HOLDFAST_BUILD") or ROOT / "build").resolve()


def wait_until(condition, what, pause_s=0.02, patience_s=PATIENCE_S):
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise BenchError(f"waited in vain for {what}")
        time.sleep(pause_s)


def cpu_s(pid):
    """Processor time of a process since its start."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def memory_kib(pid):
    """{"rss": …, "hwm": …}"""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return {"rss": int(values["VmRSS"]), "hwm": int(values["VmHWM"])}


class Asker:
    """Asks one question again and again over one UDP socket."""

    def __init__(self, server, name, kind):
        self.kind = dns.rdatatype.from_text(kind)
        query = dns.message.make_query(servers.absolute(name), self.kind)
        self.wire = query.to_wire()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((servers.HOST, server.port))
        self.socket.settimeout(1)

    def raw(self):
        """The reply's octets behind the header, or None when none came."""
        try:
            self.socket.send(self.wire)
            return self.socket.recv(4096)[2:]
        except OSError:
            return None

    def serial(self):
        reply = self.raw()
        if reply is None:
            return None
        answer = dns.message.from_wire(self.wire[:2] + reply).answer
        return answer[0][0].serial if answer else None

    def close(self):
        self.socket.close()


class Role:
    """A process of ours and its log."""

    def __init__(self, fleet, *words):
        self.log = fleet.folder / f"{'-'.join(words).replace('/', '_')}.log"
        self.offset = 0
        self.begun_s = time.time()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [build() / "holdfast", *words, "-c", fleet.folder / "holdfast.yaml"],
                cwd=fleet.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                preexec_fn=servers.die_with_parent)
        self.pid = self.process.pid

    def skip_log(self):
        """From now on only what comes later."""
        self.offset = self.log.stat().st_size

    def find(self, event):
        """The time of the first such event since skip_log(), or None."""
        with open(self.log, "rb") as log:
            log.seek(self.offset)
            for line in log.read().decode(errors="replace").splitlines():
                if f" event={event} " in line + " ":
                    stamp = line.split("ts=", 1)[1].split(" ", 1)[0].replace("Z", "+00:00")
                    return datetime.datetime.fromisoformat(stamp).timestamp()
        if self.process.poll() is not None:
            raise BenchError(f"it ended: {self.log.read_text()[-2000:]}")
        return None

    def wait_for(self, event, pause_s=0.005):
        return wait_until(lambda: self.find(event), f"event={event}", pause_s)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


CONFIGURATION = """\
installation: bench
store: sqlite:holdfast.db
defaults: {{ ttl: 30s, guard: {{ max_removal: 100% per 60s }} }}
targets:
  edge:
    type: rfc2136
    server: {server.address}
    tsig: {{ name: {server.key.name}, algorithm: {server.key.algorithm}, secret_file: key }}
    {target}
zones:
  {zone}: {{ target: edge }}
pools:
{pools}endpoints_file: endpoints.jsonl
"""


class Fleet:
    def __init__(self, server, endpoints, target="", flip=False):
        """target: lines of the target's configuration, as one flow of YAML keys."""
        self.server, self.endpoints, self.flip = server, endpoints, flip
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-bench-"))
        self.planner, self.enactors = None, []
        server.write_secret(self.folder / "key")
        self.states(())
        pools = self.pool("web", BACKENDS, 10) + (self.pool("flip", 2, 20) if flip else "")
        (self.folder / "holdfast.yaml").write_text(
            CONFIGURATION.format(server=server, target=target, zone=ZONE, pools=pools))
        with open(self.folder / "endpoints.jsonl", "w") as lines:
            for i in range(endpoints):
                pool = "flip" if flip and i == 0 else "web"
                lines.write(json.dumps({"name": f"e{i}.{ZONE}", "pools": [pool]}) + "\n")

    @staticmethod
    def pool(name, count, base):
        check = ("{ type: file, path: states, interval: 100ms, rise: 1, fall: 1, hold_down: 0s }")
        lines = [f"  {name}:", f"    check: {check}", "    backends:"]
        for i in range(1, count + 1):
            lines.append(f"      - {{ name: {name}-{i}, site: a, "
                         f"address: [192.0.2.{base + i}, '2001:db8::{base + i}'] }}")
        return "\n".join(lines) + "\n"

    def states(self, down):
        names = [f"web-{i}" for i in range(1, BACKENDS + 1)]
        names += ["flip-1", "flip-2"] if self.flip else []
        new = self.folder / "states.new"
        new.write_text("".join(f"{n} {'down' if n in down else 'up'}\n" for n in names))
        new.rename(self.folder / "states")

    # Roles

    def start_planner(self):
        self.planner = Role(self, "planner")
        return self.planner

    def start_enactors(self, count):
        self.enactors = [
            Role(self, "enactor", "--name", f"enactor-{i + 1}", "--offset", f"{i}/{count}")
            for i in range(count)]

    def stop_enactors(self):
        for role in self.enactors:
            role.stop()
        self.enactors = []
        with self.store() as store:
            store.execute("delete from ref where name like 'report/%'")
            store.commit()

    @contextlib.contextmanager
    def store(self):
        store = sqlite3.connect(self.folder / "holdfast.db", timeout=10)
        try:
            yield store
        finally:
            store.close()

    def head(self):
        try:
            with self.store() as store:
                row = store.execute("select value from ref where name = 'head'").fetchone()
        except sqlite3.Error:
            return 0
        text = row[0].decode() if row and isinstance(row[0], bytes) else row and row[0]
        return int(text.split()[0]) if text else 0

    def reports(self):
        """The zone's part of each enactor's newest report."""
        found = []
        with self.store() as store:
            for (ref,) in store.execute("select value from ref where name like 'report/%'"):
                digest = bytes.fromhex(ref.decode() if isinstance(ref, bytes) else ref)
                row = store.execute("select bytes from object where name = ?", (digest,)).fetchone()
                if row:
                    found += json.loads(row[0])["zones"]
        return found

    def in_step(self):
        try:
            reports = self.reports()
        except sqlite3.Error:
            return False
        head = self.head()
        return len(reports) == len(self.enactors) and all(
            r["plan_gen"] == head and r["in_step"] == self.endpoints for r in reports)

    def settle(self):
        """All enactors are in step, and every claim was published."""
        wait_until(lambda: self.in_step() and not any(
            r["claimed"]["total"] for r in self.reports()), "in step", 0.2)

    def sums(self):
        keys = ("messages", "written", "refused", "unknown", "read")
        reports = self.reports()
        return {key: sum(r[key] for r in reports) for key in keys}

    def close(self):
        for role in [self.planner, *self.enactors]:
            if role:
                role.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def watch_serial(server, ended):
    """Asks for the zone's serial every 2 ms until none was new for QUIET_S and ended() is true;
    the wall clock times of the first and the last one that was seen to be new."""
    asker = Asker(server, ZONE, "SOA")
    seen = [asker.serial()]
    times = []
    deadline = time.time() + PATIENCE_S
    while True:
        serial = asker.serial()
        now = time.time()
        if serial is not None and serial != seen[-1]:
            seen.append(serial)
            times.append(now)
        quiet = times and now - times[-1] > QUIET_S
        if quiet and ended():
            asker.close()
            return times[0], times[-1]
        if now > deadline:
            raise BenchError("a rollout did not end")
        time.sleep(0.1 if quiet else 0.002)
