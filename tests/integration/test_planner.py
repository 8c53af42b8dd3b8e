#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real planner with a file check and a store: verdicts, restarts, files and stores that break.

No server and no enactor is there: what counts is what the planner publishes into the store.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from backends import OK, Backend
from processes import BUILD, Cases, Process, wait_until

ENDPOINT = "api.example.test."
POLL_S = 2  # how often the planner looks at its files

case = Cases()


class Planners:
    """A configuration of one endpoint, its store, and planners that work on it."""

    def __init__(self, removal="100% per 1h", backends=4, check=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hf-planner-"))
        self.store = self.folder / "holdfast.db"
        self.config = self.folder / "holdfast.yaml"
        check = check or ("{ type: file, path: states, interval: 250ms, rise: 1, fall: 1,"
                          " hold_down: 0s }")
        self.text = f"""installation: prod
store: sqlite:holdfast.db
targets:
  edge: {{ type: knot, listen: 127.0.0.1@5399 }}
zones:
  example.test: {{ target: edge }}
pools:
  web:
    check: {check}
    backends_file: web.jsonl
endpoints:
  {ENDPOINT}: {{ pools: [web], ttl: 5s, guard: {{ max_removal: {removal} }} }}
"""
        self.config.write_text(self.text)
        self.commands_config = self.folder / "commands.yaml"  # stays good
        self.commands_config.write_text(self.text)
        self.write_backends(range(1, backends + 1))
        self.write_states(range(1, backends + 1))
        self.processes = []

    def write(self, name, text):
        """As one step, as editors and tools do it."""
        (self.folder / "new").write_text(text)
        (self.folder / "new").rename(self.folder / name)

    def write_backends(self, numbers, net="192.0.2"):
        self.write("web.jsonl", "".join(
            json.dumps({"name": f"web-{n}", "address": f"{net}.{n}"}) + "\n" for n in numbers))

    def write_states(self, up, count=6):
        self.write("states", "".join(
            f"web-{n} {'up' if n in up else 'down'}\n" for n in range(1, count + 1)))

    def start(self, name="planner"):
        process = Process([BUILD / "holdfast", "planner", "--name", name, "-c", self.config],
                          self.folder, self.folder / f"{name}.log")
        self.processes.append(process)
        return process.start()

    def command(self, *words):
        return subprocess.run([BUILD / "holdfast", *words, "-c", self.commands_config],
                              cwd=self.folder, capture_output=True, text=True, timeout=60)

    # What is in the store

    def select(self, sql, *values):
        try:
            with contextlib.closing(
                    sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=5)) as store:
                return store.execute(sql, values).fetchall()
        except sqlite3.Error:
            return []

    def execute(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.store, timeout=30)) as store, store:
            return store.execute(sql, values).rowcount

    def ref(self, name):
        rows = self.select("SELECT value FROM ref WHERE name = ?", name)
        return rows[0][0].decode() if rows else ""

    def document(self, ref):
        name = self.ref(ref)
        rows = self.select("SELECT bytes FROM object WHERE name = ?", bytes.fromhex(name))
        return json.loads(rows[0][0]) if rows else {}

    def head(self):
        """Generation and object name of the head."""
        gen, _, name = self.ref("head").partition(" ")
        return int(gen or 0), name

    def entry(self):
        """The endpoint's newest entry: generation, addresses, cause, backend."""
        result = self.command("history", ENDPOINT, "--output", "json")
        changes = json.loads(result.stdout)["changes"] if result.stdout else []
        return changes[0] if changes else {"addresses": [], "generation": 0}

    def verdicts(self):
        return {row["name"]: row["verdict"]
                for row in self.document("status/backends").get("backends", [])}

    def status(self):
        return self.document("status/planner")

    def logs(self):
        return "".join(f"\n{process.log_text()[-2500:]}" for process in self.processes)

    def wait(self, condition, what):
        return wait_until(condition, lambda: f"{what}; {self.entry()} {self.status()}"
                          + self.logs())

    def wait_answer(self, *numbers, net="192.0.2"):
        """The entry, once it answers with these backends."""
        wanted = [f"{net}.{n}" for n in numbers]

        def look():
            entry = self.entry()
            return entry if sorted(entry["addresses"]) == sorted(wanted) else None
        return self.wait(look, f"an answer with {wanted}")

    def wait_held(self, lines):
        """The name of what is held, once it is this."""
        return self.wait(lambda: self.status().get("held_lines") == lines
                         and self.status()["held_id"], f"{lines!r} to be held")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            for cat in process.cats:
                cat.wait()
        if not os.environ.get("HOLDFAST_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def running(**options):
    with Planners(**options) as here:
        planner = here.start()
        here.wait_answer(1, 2, 3, 4)
        yield here, planner
        assert planner.running, planner.log_text()[-2000:]
        planner.stop()


@case()
def a_verdict_becomes_an_entry():
    with running() as (here, _):
        before = here.entry()["generation"]
        here.write_states({1, 3, 4})
        entry = here.wait_answer(1, 3, 4)
        assert entry["generation"] > before and entry["cause"] == "health", entry
        assert entry["backend"] == "web-2" and entry["removed"] == ["192.0.2.2"], entry
        here.wait(lambda: here.verdicts().get("web-2") == "down", "web-2 to be told as down")
        here.write_states({1, 2, 3, 4})
        here.wait_answer(1, 2, 3, 4)


@case()
def a_crash_keeps_membership_budget_and_verdicts():
    with running(removal="34% per 1h") as (here, planner):
        here.write_states({2, 3, 4})
        entry = here.wait_answer(2, 3, 4)
        here.wait(lambda: here.verdicts().get("web-1") == "down", "web-1 to be told as down")
        planner.kill()
        (here.folder / "states").unlink()  # no check says anything now: what is told is restored
        planner.start()
        pid = planner.process.pid
        here.wait(lambda: here.status().get("pid") == pid, "the new planner's status")
        assert here.verdicts() == {"web-1": "down", "web-2": "up", "web-3": "up", "web-4": "up"}
        assert here.entry() == entry
        here.write_states({3, 4})
        here.wait_held(f"{ENDPOINT} max_removal -web-2\n")
        assert here.entry() == entry


@case()
def a_changed_backends_file_is_read():
    with running() as (here, planner):
        here.write_states({1, 2, 3, 4, 5})
        here.write_backends([1, 2, 3, 4, 5])
        started = time.monotonic()
        here.wait_answer(1, 2, 3, 4, 5)
        assert time.monotonic() - started < 4 * POLL_S, "late"
        assert "event=config_read" in planner.log_text()


@case()
def a_new_address_is_answered_once_it_was_checked():
    """What is known of a name says nothing of another address."""
    with running() as (here, planner):
        here.write_states({1, 2, 3, 4})
        here.wait(lambda: len(here.verdicts()) == 4, "verdicts")
        (here.folder / "states").unlink()
        planner.wait_log("verdict")
        here.write_backends([1, 2, 3, 4], net="198.51.100")
        planner.wait_log("event=config_read")
        here.wait(lambda: here.verdicts().get("web-1") == "unknown", "no verdict on new addresses")
        here.write_states({1, 2, 3, 4})
        here.wait_answer(1, 2, 3, 4, net="198.51.100")


@case()
def a_wrong_configuration_is_told_once_and_not_taken():
    with running() as (here, planner):
        started = time.monotonic()
        here.write("holdfast.yaml", here.text + "nonsense: 1\n")
        line = here.text.count("\n") + 1
        planner.wait_log(f"holdfast.yaml:{line}:1: found unknown key nonsense")
        while time.monotonic() - started < 3 * POLL_S:
            here.write_states({1, 2, 3})
            here.wait_answer(1, 2, 3)
            here.write_states({1, 2, 3, 4})
            here.wait_answer(1, 2, 3, 4)
        log = planner.log_text()
        assert log.count("event=config_wrong") == 1, log
        assert log.count("event=planner_started") == 1, log
        here.write("holdfast.yaml", here.text.replace("ttl: 5s", "ttl: 7s"))
        here.wait(lambda: here.entry().get("ttl_s") == 7, "the mended configuration")


@case()
def half_of_the_backends_vanish_from_the_file():
    """Held until it is approved, and an approval lets it pass once."""
    with running(removal="34% per 1h") as (here, planner):
        here.write_backends([1, 2])
        here.wait_answer(1, 2, 4)
        held = here.wait_held(f"{ENDPOINT} max_removal -web-4\n")
        wrong = here.command("approve", "0123456789abcdef")
        assert wrong.returncode == 1 and held[:16] in wrong.stderr, wrong
        result = here.command("approve", held)
        assert result.returncode == 0, result
        entry = here.wait_answer(1, 2)
        assert entry["cause"] == "approved", entry
        planner.wait_log("event=plan_approved")
        here.wait(lambda: here.document("overrides").get("items") == [], "the approval to be gone")
        here.wait(lambda: here.status()["held_id"] == "", "nothing to be held")

        here.write_backends([1, 2, 3, 4])
        here.wait_answer(1, 2, 3, 4)
        here.write_backends([1, 2])
        here.wait(lambda: here.status().get("held_count") == 1, "it to be held again")
        assert here.entry()["addresses"] != ["192.0.2.1", "192.0.2.2"]


@case()
def a_locked_store_delays_and_no_more():
    with running() as (here, planner):
        with contextlib.closing(
                sqlite3.connect(here.store, timeout=30, isolation_level=None)) as store:
            store.execute("BEGIN EXCLUSIVE")
            started = time.monotonic()
            here.write_states({1, 2, 3})
            planner.wait_log("event=store_trouble")
            wait_until(lambda: time.monotonic() - started > 10, "10 s of a locked store")
            store.execute("ROLLBACK")
        here.wait_answer(1, 2, 3)
        planner.wait_log("event=store_well")


@case()
def a_store_that_is_away_for_a_while():
    with running() as (here, planner):
        away = here.folder / "away.db"
        here.store.rename(away)
        here.write_states({1, 2, 3})
        planner.wait_log("event=store_trouble")
        assert not here.store.exists(), "another store was made"
        away.rename(here.store)
        here.wait_answer(1, 2, 3)
        planner.wait_log("event=store_well")
        here.wait(lambda: here.status().get("trouble") == "", "the trouble to be over")


@case()
def a_head_that_is_gone_is_replaced():
    with running() as (here, planner):
        here.write_states({1, 2, 3})
        gen = here.wait_answer(1, 2, 3)["generation"]
        _, name = here.head()
        assert here.execute("DELETE FROM object WHERE name = ?", bytes.fromhex(name)) == 1
        planner.wait_log("event=head_unreadable")
        entry = here.wait_answer(1, 2, 3)
        assert entry["generation"] > gen, entry
        assert "level=error" in planner.log_text()
        planner.kill()
        planner.start()
        here.write_states({1, 2})
        here.wait_answer(1, 2)


@case()
def a_head_that_is_gone_while_no_planner_runs():
    with running() as (here, planner):
        here.write_states({1, 2, 3})
        gen = here.wait_answer(1, 2, 3)["generation"]
        planner.kill()
        _, name = here.head()
        assert here.execute("DELETE FROM object WHERE name = ?", bytes.fromhex(name)) == 1
        planner.start()
        planner.wait_log("event=head_unreadable")
        entry = here.wait_answer(1, 2, 3)
        assert entry["generation"] > gen, entry
        here.write_states({1, 2})
        here.wait_answer(1, 2)


@case()
def overrides_that_are_gone_are_put_back():
    """By the planner that knows them; one that does not know them plans nothing."""
    with running() as (here, planner):
        assert here.command("drain", "web-4").returncode == 0
        here.wait_answer(1, 2, 3)
        name = here.ref("overrides")
        assert here.execute("DELETE FROM object WHERE name = ?", bytes.fromhex(name)) == 1
        planner.wait_log("event=overrides_unreadable")
        items = here.wait(lambda: here.document("overrides").get("items"), "overrides")
        assert [item["subject"] for item in items] == ["web-4"], items
        planner.kill()
        assert here.execute("DELETE FROM object WHERE name = ?",
                            bytes.fromhex(here.ref("overrides"))) == 1
        gen = here.head()[0]
        troubles = planner.log_text().count("the object of ref overrides is gone")
        planner.start()
        here.wait(lambda: planner.log_text().count("the object of ref overrides is gone")
                  > troubles, "the trouble to be told")
        here.write_states({1, 2})
        assert here.head()[0] == gen
        here.execute("DELETE FROM ref WHERE name = 'overrides'")
        here.wait_answer(1, 2)


@case()
def two_planners_at_once():
    with Planners() as here:
        planners = [here.start("planner-a"), here.start("planner-b")]
        here.wait_answer(1, 2, 3, 4)
        for up in ({1, 2, 3}, {2, 3, 4}, {1, 4}, {3}, {1, 2, 3, 4}):
            here.write_states(up)
            here.wait_answer(*up)
        gens = []

        def look():
            """One chain, of which the head is the newest; until both have the same verdicts."""
            gens[:] = [row["generation"] for row in json.loads(
                here.command("history", "--output", "json").stdout)["plans"]]
            return here.head()[0] == gens[0]
        here.wait(look, "the head to be the newest plan")
        assert gens == sorted(set(gens), reverse=True), gens
        here.wait_answer(1, 2, 3, 4)
        for planner in planners:
            log = planner.log_text()
            assert "level=error" not in log and "store_trouble" not in log, log
            planner.stop()


@case()
def the_last_answer_stays_when_all_are_down():
    with running() as (here, _):
        here.write_states({2})
        entry = here.wait_answer(2)
        here.write_states(set())
        here.wait(lambda: set(here.verdicts().values()) == {"down"}, "all to be down")
        here.wait_held(f"{ENDPOINT} min_healthy -web-2\n")
        assert here.entry() == entry
        here.write_states({4})
        here.wait_answer(4)


@case()
def a_planner_that_was_stopped_blames_nobody():
    """SIGSTOP for far longer than checks may take: no verdict falls because of it."""
    def well(visit):
        visit.read_request()
        visit.send(OK)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(Backend(well, "127.0.0.11"))
        backends = [first] + [stack.enter_context(Backend(well, f"127.0.0.{10 + n}", first.port))
                              for n in (2, 3, 4)]
        check = (f"{{ type: http, port: {first.port}, path: /, interval: 600ms, timeout: 500ms,"
                 " rise: 1, fall: 1, hold_down: 0s }")
        here = stack.enter_context(Planners(check=check))
        here.write_backends([11, 12, 13, 14], net="127.0.0")
        planner = here.start()
        here.wait_answer(11, 12, 13, 14, net="127.0.0")
        here.wait(lambda: set(here.verdicts().values()) == {"up"}, "all to be up")
        for _ in range(3):
            planner.pause()
            stopped = time.monotonic()
            wait_until(lambda: time.monotonic() - stopped > 2, "a long stop")
            planner.resume()
            seen = [len(backend.visits) for backend in backends]
            wait_until(lambda: all(len(backend.visits) > count + 4
                                   for backend, count in zip(backends, seen)), "checks to go on")
        log = planner.log_text()
        assert "verdict=down" not in log, log
        assert here.entry()["generation"] <= 4, here.entry()
        planner.send(signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(case.main())
