# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole Holdfast on one zone of a test server: its roles as processes, and a reader beside it.

    with Knotd(zones=[ZONE]) as server, Installation(server) as prod:
        plans = prod.plans()             # puts plans of publish.c into the store
        plans("publish 1 0 1000")        # generation 1 for e0 to e999
        enactors = prod.enactors(3)
        prod.wait_in_step(1000)
        with prod.reader(1000) as reader:
            enactors[0].pause()          # SIGSTOP; resume(), kill(), stop(), start()
            ...
        reader.expect_clean()

Everything lies in a folder of its own and ends with the test. What a test waits for, it waits for
by looking at a condition again and again, for at most PATIENCE_S.
"""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile

import dns.update

import servers
from processes import BUILD, OWNER, PATIENCE_S, RATE, ZONE, Plans, Process, Reader, wait_until


class Installation:
    """The configuration, the store and the processes of one installation."""

    def __init__(self, server, owner=OWNER, zone=ZONE, folder=None, port=None, key=None,
                 timeout="2s", audit="1s", batch=25, window=8, extra=None, config=None):
        self.server, self.owner, self.zone = server, owner, zone
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="hf-"))
        self.store = self.folder / "holdfast.db"
        self.port = port or server.port
        self.processes = []
        self.talkers = []
        self.fleet = 0
        secret = self.folder / "tsig.key"
        key = key or server.key
        self.write_key(key)
        self.head = f"""installation: {owner}
store: sqlite:{self.store}
janitor: {{ retention: 1s, tombstones: 1s, interval: 1s }}
targets:
  edge:
    type: rfc2136
    server: {servers.HOST}@{self.port}
    tsig: {{ name: {key.name}, algorithm: {key.algorithm}, secret_file: {secret} }}
    timeout: {timeout}
    audit: {audit}
    batch: {batch}
    window: {window}
zones:
  {zone}: {{ target: edge }}
"""
        self.config = self.folder / "holdfast.yaml"
        self.configure(config or """pools:
  none:
    backends:
      - { name: none, address: 192.0.2.1 }
    check: { type: none }
endpoints:
  not-planned.example.test: { pools: [none] }
""")

    def write_key(self, key):
        descriptor = os.open(self.folder / "tsig.key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(key.secret + "\n")

    def configure(self, text):
        self.config.write_text(self.head + text)

    # Processes

    def add(self, name, *words, start=True):
        process = Process([BUILD / "holdfast", *words, "-c", self.config], self.folder,
                          self.folder / f"{name}.log")
        self.processes.append(process)
        return process.start() if start else process

    def enactor(self, number=1, of=3, start=True, port=None):
        """port: of the DNS server, where this one reaches it by another way."""
        if port:
            words = self.config.read_text().replace(
                f"{servers.HOST}@{self.port}", f"{servers.HOST}@{port}")
            config = self.folder / f"enactor-{number}.yaml"
            config.write_text(words)
            process = Process([BUILD / "holdfast", "enactor", "--name", f"enactor-{number}",
                               "--offset", f"{number - 1}/{of}", "-c", config], self.folder,
                              self.folder / f"enactor-{number}.log")
            self.processes.append(process)
            return process.start() if start else process
        return self.add(f"enactor-{number}", "enactor", "--name", f"enactor-{number}", "--offset",
                        f"{number - 1}/{of}", start=start)

    def enactors(self, count=3):
        return [self.enactor(number, count) for number in range(1, count + 1)]

    def janitor(self):
        return self.add("janitor", "janitor")

    def planner(self):
        return self.add("planner", "planner")

    def plans(self, store=None):
        talker = Plans(store or self.store, self.zone)
        self.talkers.append(talker)
        return talker

    def reader(self, count, rate=RATE, tagged=True, first=0):
        names = [f"e{number}.{self.zone}." for number in range(first, first + count)]
        return Reader(self.server, names, self.owner, rate, tagged)

    # With the real planner: e0, e1, … answer with all backends that the state file says are up

    def configure_fleet(self, count, backends=6):
        self.fleet = count
        self.set_states(range(1, backends + 1), backends)
        self.configure(
            "pools:\n  web:\n"
            f"    check: {{ type: file, path: {self.folder}/states, interval: 250ms, rise: 1,"
            " fall: 1, hold_down: 0s }\n    backends:\n"
            + "".join(f"      - {{ name: web-{i}, address: 127.0.0.{10 + i} }}\n"
                      for i in range(1, backends + 1))
            + "endpoints:\n"
            + "".join(f"  e{i}.{self.zone}: {{ pools: [web], ttl: 1s, guard: "
                      "{ max_removal: 100% per 1s } }\n" for i in range(count)))

    def change(self, *ups):
        """Other backends are up, again and again, and all answers follow."""
        for up in ups:
            self.wait_answers(self.set_states(up))

    def set_states(self, up, backends=6):
        """Backends by number; how A answers look then."""
        path = self.folder / "states.new"
        path.write_text("".join(f"web-{i} {'up' if i in up else 'down'}\n"
                                for i in range(1, backends + 1)))
        path.rename(self.folder / "states")
        return sorted(f"127.0.0.{10 + i}" for i in up)

    def wait_answers(self, answer):
        """All endpoints of configure_fleet answer so."""
        def look():
            content = self.server.axfr(self.zone)
            return all(content.get((f"e{i}.{self.zone}.", "A"), (0, []))[1] == answer
                       for i in range(self.fleet))
        wait_until(look, lambda: f"{answer}: {self.answer()} {self.fence()}\n{self.logs()[-6000:]}")

    def pause(self, process):
        """SIGSTOP, but not while it holds one of the store's locks: that would stop the others."""
        while True:
            process.pause()
            wait_until(lambda: process.state() == "T", "a process to stop")
            if self.store_is_free():
                return
            process.resume()

    def store_is_free(self):
        """Nobody holds SQLite's lock, nor the lock on the folder that writers take first."""
        folder = os.open(os.path.dirname(self.store), os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.closing(
                    sqlite3.connect(self.store, timeout=1, isolation_level=None)) as store:
                store.execute("BEGIN EXCLUSIVE")
                store.execute("ROLLBACK")
            return True
        except (BlockingIOError, sqlite3.OperationalError):
            return False
        finally:
            os.close(folder)

    @contextlib.contextmanager
    def store_locked(self, against="EXCLUSIVE"):
        """Another process holds the store's lock, against all or (IMMEDIATE) against writers."""
        with contextlib.closing(
                sqlite3.connect(self.store, timeout=PATIENCE_S, isolation_level=None)) as store:
            store.execute(f"BEGIN {against}")
            yield
            store.execute("ROLLBACK")

    def unfenced(self, number, count):
        """A writer without fences (unfenced.py)."""
        key = self.server.key
        process = Process(
            ["/usr/bin/python3", pathlib.Path(__file__).parent / "unfenced.py", self.store,
             self.server.port, key.name, key.algorithm, key.secret, self.zone, count,
             self.folder / "installed"], self.folder, self.folder / f"unfenced-{number}.log")
        self.processes.append(process)
        return process.start()

    def installed(self):
        """The plans that writers without fences have installed, in that order."""
        try:
            return [int(gen) for gen in (self.folder / "installed").read_text().split()]
        except OSError:
            return []

    def command(self, *words):
        """A command of holdfast; what it printed."""
        done = subprocess.run([BUILD / "holdfast", *words, "-c", self.config], text=True,
                              capture_output=True, timeout=PATIENCE_S)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    # Looking

    def select(self, sql, *values):
        """Rows of the store; none while it cannot be read."""
        try:
            with contextlib.closing(
                    sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=5)) as store:
                return store.execute(sql, values).fetchall()
        except sqlite3.Error:
            return []

    def document(self, ref):
        """A JSON document of the store, or None."""
        rows = self.select("SELECT value FROM ref WHERE name = ?", ref)
        if not rows:
            return None
        digest = bytes.fromhex(rows[0][0].decode())
        rows = self.select("SELECT bytes FROM object WHERE name = ?", digest)
        return json.loads(rows[0][0]) if rows else None

    def report(self, number=1):
        """What an enactor says of the zone: {} while it has said nothing."""
        document = self.document(f"report/enactor-{number}")
        return {**document["zones"][0], "trouble": document["trouble"]} if document else {}

    def wait_report(self, condition, what, number=1):
        def look():
            report = self.report(number)
            return report if report and condition(report) else None
        return wait_until(look, lambda: f"{what}: {self.report(number)}\n"
                          + self.logs()[-3000:])

    def wait_in_step(self, count, number=1, gen=0):
        """An enactor reports that all of its endpoints are as the plan wants them."""
        return self.wait_report(
            lambda report: report["in_step"] == count and report["plan_gen"] >= gen
            and report["state"] == "open", f"{count} in step at {gen}", number)

    def plans_left(self):
        """Numbers and sizes of objects, for messages."""
        return self.select("SELECT length(bytes), (unixepoch('subsec') * 1000 - put_ms) "
                           "FROM object ORDER BY 1 DESC LIMIT 12")

    def plan_count(self):
        """How many objects the store holds that are plans (and not documents)."""
        return self.select("SELECT count(*) FROM object WHERE substr(bytes, 1, 1) <> x'7b'")[0][0]

    def logs(self):
        return "".join(f"--- {process.log.name}\n{process.log_text()[-1500:]}"
                       for process in self.processes)

    # The zone

    def fence(self, name="e0"):
        return self.server.rrset(f"_holdfast.{name}.{self.zone}", "TXT")

    def guard(self):
        return self.server.rrset(f"_holdfast-zone.{self.zone}", "TXT")

    def answer(self, name="e0", kind="A"):
        return self.server.rrset(f"{name}.{self.zone}", kind)

    def edit(self, *changes):
        """Changes the zone by hand: each is ("add"|"delete"|"replace", name, ...) as dnspython."""
        update = dns.update.UpdateMessage(self.zone)
        for verb, *rest in changes:
            getattr(update, verb)(*rest)
        assert self.server.update(update) == "NOERROR"

    def close(self):
        for process in self.processes:
            process.kill()
            for cat in process.cats:
                cat.wait()
        for talker in self.talkers:
            talker.close()
        if not os.environ.get("HOLDFAST_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@contextlib.contextmanager
def running(kind, count, records="", unread=0, **options):
    """
    Everything real: planner, three enactors, janitor; all endpoints answer with all backends, but
    those that records of strangers (lines of a zone file) keep. The first `unread` are not read.
    """
    with kind(zones=[ZONE], records=records) as server, Installation(server, **options) as prod:
        prod.configure_fleet(count)
        roles = [prod.planner(), *prod.enactors(), prod.janitor()]
        if not records:
            prod.wait_in_step(count)
        prod.wait_report(lambda report: report["in_step"] >= count - unread, "a roll-out")
        with prod.reader(count - unread, 3000, tagged=False, first=unread) as reader:
            yield prod, roles, reader


@contextlib.contextmanager
def rolled_out(kind, count, **options):
    """A server, an installation with generation 1 everywhere, its publisher and three enactors."""
    with kind(zones=[ZONE]) as server, Installation(server, **options) as prod:
        plans = prod.plans()
        plans(f"publish 1 0 {count}")
        enactors = prod.enactors()
        for number in (1, 2, 3):
            prod.wait_in_step(count, number)
        plans("claim")
        yield prod, plans, enactors


def expected(gen):
    """The answers of a generation of publish.c, sorted: A and AAAA."""
    a = sorted(f"10.{gen >> 8}.{gen & 255}.{i + 1}" for i in range(2 + gen % 3))
    aaaa = sorted(f"fd00::{gen:x}:{i + 1}" for i in range(1 + gen % 2))
    return a, aaaa


def expect_zone(installation, gens):
    """gens: endpoint number -> generation: records and fence of each are exactly that."""
    content = installation.server.axfr(installation.zone)
    zone = installation.zone
    wrong = []
    for number, gen in gens.items():
        a, aaaa = expected(gen)
        name = f"e{number}.{zone}."
        have = (content.get((name, "A"), (0, []))[1], content.get((name, "AAAA"), (0, []))[1])
        fence = content.get((f"_holdfast.{name}", "TXT"), (0, []))[1]
        if have != (a, aaaa) or len(fence) != 1 or f" gen={gen} " not in fence[0]:
            wrong.append((name, gen, have, fence))
    assert not wrong, f"{len(wrong)} wrong, first {wrong[0]}"
