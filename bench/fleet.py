# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole Holdfast under measurement: planner and enactors as processes on a server.

The endpoints e0, e1, … lie in turn in the zones and answer with four of the five backends web-1 to
web-5, each of an IPv4 and an IPv6 address: one is drained, at first web-5 (bench/drain.c). A group
adds endpoints NAME-0, NAME-1, … with five backends of their own, so that one verdict changes
exactly these; their health comes from a state file that is looked at every 100 ms. It lies in a
folder of its own: one that is renamed into the store's makes the next commit write that folder to
disk. Fillers add pools that nothing looks at. Times are taken from the roles' logs (milliseconds),
from the zones' serials and from answers, never from reports, which enactors write once a second.

Servers start from zone files that are in step with the first plan (bench/planread.c), so that
nothing has to be filled by UPDATEs, and all that are compared begin alike.
"""

import contextlib
import datetime
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import servers

ROOT = pathlib.Path(__file__).resolve().parent.parent
INSTALLATION = "bench"
PATIENCE_S = 300
BACKENDS = 5
# As docs/operating/deploy.md says; named has the defaults (of one zone).
SETTINGS = {"knotd": "batch: 200\n    window: 64", "named": ""}
BATCHES, WINDOWS = {"knotd": 200, "named": 100}, {"knotd": 64, "named": 8}
servers.START_S = 300  # a zone file of a million endpoints has ten million lines


class BenchError(Exception):
    """What was to be measured did not happen."""


def build():
    return pathlib.Path(os.environ.get("HOLDFAST_BUILD") or ROOT / "build").resolve()


def zone_names(count):
    return ["bench.test"] if count == 1 else [f"z{i}.test" for i in range(count)]


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
    """Processor time of a process, all its threads, since its start."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_kib(pid):
    """{"rss": …, "hwm": …}"""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return {"rss": int(values["VmRSS"]), "hwm": int(values["VmHWM"])}


class Role:
    """A process of ours and its log."""

    def __init__(self, fleet, *words):
        self.log = fleet.folder / f"{'-'.join(words).replace('/', '_')}.log"
        self.offset = self.log.stat().st_size if self.log.exists() else 0
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

    def lines(self, event):
        with open(self.log, "rb") as log:
            log.seek(self.offset)
            return [line for line in log.read().decode(errors="replace").splitlines()
                    if f" event={event} " in line + " "]

    def find(self, event):
        """The time of the first such event since skip_log(), or None."""
        for line in self.lines(event):
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
installation: {installation}
store: sqlite:holdfast.db
defaults: {{ ttl: 30s, guard: {{ max_removal: 100% per 60s }} }}
targets:
  edge:
    type: rfc2136
    server: {server.address}
    tsig: {{ name: {server.key.name}, algorithm: {server.key.algorithm}, secret_file: key }}
    {target}
zones:
{zones}pools:
{pools}endpoints_file: endpoints.jsonl
"""
CHECK = "{ type: file, path: health/states, interval: 100ms, rise: 1, fall: 1, hold_down: 0s }"
NO_CHECK = "{ type: none }"


def backend_text(pool, number, i):
    """Pool 0 has the addresses that bench/raw.c knows."""
    a, aaaa = f"10.{number >> 8}.{number & 255}.{i}", f"2001:db8:{number:x}::{i}"
    if number == 0:
        a, aaaa = f"192.0.2.{10 + i}", f"2001:db8::{10 + i}"
    return f"{{ name: {pool}-{i}, site: a, address: [{a}, '{aaaa}'] }}"


class Fleet:
    def __init__(self, kind, endpoints, zones=1, groups=None, fillers=0, extra=""):
        """groups: {name: count of endpoints}. extra: more lines of the configuration.
        fillers: pools of five backends each that are never looked at; e0, e1, … use them in turn
        instead of web."""
        self.kind, self.endpoints, self.zones = kind, endpoints, zone_names(zones)
        self.groups, self.extra = groups or {}, extra
        self.count = endpoints + sum(self.groups.values())
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-bench-"))
        self.answered = BACKENDS if fillers else BACKENDS - 1  # of each family
        self.planner, self.enactors, self.twins = None, [], []
        self.server = self.new_server()
        self.server.write_secret(self.folder / "key")
        (self.folder / "health").mkdir()
        self.states(())
        self.write_configuration(SETTINGS[kind.kind], fillers)
        self.step = 0
        self.drain()

    def new_server(self):
        """It has a port and is not started yet."""
        server = self.kind(zones=self.zones, start=False)
        server.port = servers.free_port()
        return server

    def write_configuration(self, target, fillers):
        pools = ["web", *self.groups]
        checks = [NO_CHECK] + [CHECK] * len(self.groups) + [NO_CHECK] * fillers
        (self.folder / "holdfast.yaml").write_text(CONFIGURATION.format(
            installation=INSTALLATION, server=self.server, target=target,
            zones="".join(f"  {zone}: {{ target: edge }}\n" for zone in self.zones),
            pools="".join(
                f"  {pool}: {{ check: {checks[i]}, backends: ["
                + ", ".join(backend_text(pool, i, k) for k in range(1, BACKENDS + 1)) + "] }\n"
                for i, pool in enumerate(pools + [f"filler{i}" for i in range(fillers)])))
            + self.extra)
        with open(self.folder / "endpoints.jsonl", "w") as lines:
            for i in range(self.endpoints):
                pool = f"filler{i % fillers}" if fillers else "web"
                lines.write(f'{{"name": "e{i}.{self.zones[i % len(self.zones)]}", '
                            f'"pools": ["{pool}"]}}\n')
            for group, count in self.groups.items():
                for i in range(count):
                    lines.write(f'{{"name": "{group}-{i}.{self.zones[0]}", '
                                f'"pools": ["{group}"]}}\n')

    def states(self, down):
        new = self.folder / "health" / "states.new"
        names = [f"{pool}-{i}" for pool in self.groups for i in range(1, BACKENDS + 1)]
        new.write_text("".join(f"{n} {'down' if n in down else 'up'}\n" for n in names))
        new.rename(new.with_name("states"))

    def drain(self):
        """Another one of web's backends is out, and the one that was out is back: one plan."""
        subprocess.run([build() / "bench" / "drain", self.folder / "holdfast.db",
                        f"web-{(BACKENDS - 1 + self.step) % BACKENDS + 1}"], check=True)
        self.step += 1

    def undrain(self):
        """The one that is out is back: addresses are added, which no enactor takes for urgent."""
        subprocess.run([build() / "bench" / "drain", self.folder / "holdfast.db"], check=True)

    # Servers

    def start_servers(self, twins=0):
        """The server and others just like it, in step with the head plan; that plan's
        generation."""
        files = {zone: self.folder / f"{zone}.records" for zone in self.zones}
        pairs = [str(word) for pair in files.items() for word in pair]
        plan = self.read_plan(*pairs)
        self.twins = [self.new_server() for _ in range(twins)]
        for server in (self.server, *self.twins):
            server.prepare()
            server.prepared = True
            for zone, records in files.items():
                with (open(records, "rb") as source,
                      open(server.zone_file(servers.absolute(zone)), "ab") as zone_file):
                    shutil.copyfileobj(source, zone_file, 1 << 20)
            server.start()
        for records in files.values():
            records.unlink()
        return plan["gen"]

    def read_plan(self, *pairs):
        """What bench/planread.c says of the head plan."""
        words = [build() / "bench" / "planread", self.folder / "holdfast.db"]
        words += [INSTALLATION, *pairs] if pairs else []
        return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)

    # Roles

    def start_planner(self):
        """Returns when all that it knows at first is published."""
        self.planner = Role(self, "planner")
        self.planner.wait_for("plan_published")
        self.wait_for_records()
        return self.planner

    def wait_for_records(self):
        """The plan is that of a fleet with one backend drained and no other out."""
        records = 2 * (self.answered * self.endpoints + BACKENDS * sum(self.groups.values()))
        wait_until(lambda: self.read_plan()["records"] == records, "the plan", 0.2)

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
        """Generation of the head plan."""
        with self.store() as store:
            row = store.execute("select value from ref where name = 'head'").fetchone()
        text = row[0].decode() if row and isinstance(row[0], bytes) else row and row[0]
        return int(text.split()[0]) if text else 0

    def object_octets(self):
        """Of all objects in the store."""
        with self.store() as store:
            return store.execute("select sum(length(bytes)) from object").fetchone()[0]

    def reports(self):
        """Each enactor's newest report."""
        found = []
        with self.store() as store:
            for (ref,) in store.execute("select value from ref where name like 'report/%'"):
                digest = bytes.fromhex(ref.decode() if isinstance(ref, bytes) else ref)
                row = store.execute("select bytes from object where name = ?", (digest,)).fetchone()
                if row:
                    found.append(json.loads(row[0]))
        return found

    def in_step(self):
        try:
            reports = self.reports()
            gen = self.head()
        except sqlite3.Error:
            return False
        return len(reports) == len(self.enactors) and all(
            sum(zone["in_step"] for zone in report["zones"]) == self.count
            and all(zone["plan_gen"] == gen for zone in report["zones"]) for report in reports)

    def settle(self):
        """All enactors are in step, and every claim was published."""
        wait_until(lambda: self.in_step() and not any(
            zone["claimed"]["total"] for report in self.reports() for zone in report["zones"]),
            "in step", 0.2)

    def sums(self):
        keys = ("messages", "written", "refused", "unknown", "read")
        zones = [zone for report in self.reports() for zone in report["zones"]]
        return {key: sum(zone[key] for zone in zones) for key in keys}

    def close(self):
        for role in [self.planner, *self.enactors]:
            if role:
                role.stop()
        for server in (self.server, *self.twins):
            server.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ready(kind, endpoints, enactors, twins=0, **options):
    """A fleet in step, and the generation that raw.c can adopt on its twins."""
    fleet = Fleet(kind, endpoints, **options)
    try:
        fleet.start_planner()
        gen = fleet.start_servers(twins)
        fleet.start_enactors(enactors)
        fleet.settle()
    except BaseException:
        fleet.close()
        raise
    return fleet, gen
