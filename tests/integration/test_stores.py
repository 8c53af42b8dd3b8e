#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store is replaced by an old copy, deleted, damaged, locked, full: answers stay; then mend."""

import contextlib
import os
import pathlib
import resource
import signal
import sqlite3
import sys

from installation import running
from processes import Cases, wait_until
from servers import Knotd, Named, Pdns

COUNT = 40

case = Cases()


def copy_store(prod, path):
    """A backup as SQLite makes it."""
    with contextlib.closing(sqlite3.connect(prod.store, timeout=30)) as store, \
            contextlib.closing(sqlite3.connect(path)) as copy:
        store.backup(copy)


def generation(prod, name="e0"):
    return int(prod.fence(name)[0].split(" gen=")[1].split(" ")[0])


@case(Knotd, Named)
def an_old_copy_of_the_store_is_overtaken(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        copy_store(prod, prod.folder / "backup.db")
        prod.change({1, 2}, {3, 4, 5}, {1, 6}, {2, 3})
        high = generation(prod)
        os.replace(prod.folder / "backup.db", prod.store)
        prod.wait_report(lambda report: report["plan_gen"] > high and report["behind"] == 0,
                         "a plan above all fences")
        prod.change({1, 5}, {1, 2, 3, 4, 5, 6})
        assert generation(prod) > high
        reader.expect_clean()


@case(Knotd)
def an_old_copy_under_a_planner_that_starts_anew(kind):
    """All roles are down while the store is put back; one of them comes back later."""
    with running(kind, COUNT) as (prod, roles, reader):
        copy_store(prod, prod.folder / "backup.db")
        prod.change({1, 2}, {3, 4, 5}, {1, 6})
        high = generation(prod)
        for role in roles:
            role.kill()
        os.replace(prod.folder / "backup.db", prod.store)
        for role in roles[:2]:
            role.start()
        prod.wait_report(lambda report: report["plan_gen"] > high and report["behind"] == 0,
                         "a plan above all fences")
        for role in roles[2:]:
            role.start()
        prod.change({2, 3}, {4})
        reader.expect_clean()


@case(Knotd, Named)
def a_new_store_is_refused_until_it_is_adopted(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        prod.change({1, 2, 3})
        content, old = prod.server.axfr(), prod.guard()[0]
        prod.store.unlink()
        prod.set_states({4, 5})
        roles[1].wait_log("store_trouble")
        assert prod.server.axfr() == content
        assert not prod.store.exists(), "a store was made anew without being asked for"
        roles[0].restart()
        report = prod.wait_report(lambda report: report["state"] == "refused", "a refusal")
        assert "holdfast adopt --zone example.test." in report["why"], report
        assert "another store" in report["why"], report
        roles[2].wait_log("zone_refused")
        reader.wait_laps()
        assert prod.server.axfr() == content
        (instance,) = prod.select("SELECT value FROM ref WHERE name = 'instance'")[0]
        new = old.replace(old.split(" instance=")[1][:8], instance.decode())
        prod.edit(("replace", "_holdfast-zone", 0, "TXT", new))
        prod.wait_answers(prod.set_states({4, 5}))
        prod.change({1, 2}, {6})
        reader.expect_clean()


@case(Knotd)
def a_damaged_store_changes_nothing(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        copy_store(prod, prod.folder / "backup.db")
        prod.change({1, 2, 3})
        content = prod.server.axfr()
        (prod.folder / "garbage").write_bytes(os.urandom(100000))
        os.replace(prod.folder / "garbage", prod.store)
        prod.set_states({4})
        for role in roles[:2]:
            role.wait_log("store_trouble")
        roles[1].restart()
        reader.wait_laps()
        assert prod.server.axfr() == content
        os.replace(prod.folder / "backup.db", prod.store)
        prod.wait_answers(prod.set_states({4}))
        prod.change({1, 2}, {6})
        reader.expect_clean()


@case(Knotd)
def every_object_of_the_store_is_lost(kind):
    """The head leads to nothing, and yet there is a way out."""
    with running(kind, COUNT) as (prod, roles, reader):
        prod.change({1, 2, 3})
        content = prod.server.axfr()
        with contextlib.closing(sqlite3.connect(prod.store, timeout=30)) as store, store:
            store.execute("DELETE FROM object")
        roles[0].restart()
        roles[1].restart()
        reader.wait_laps()
        answers = {at: value for at, value in content.items() if at[1] == "A"}
        now = {at: value for at, value in prod.server.axfr().items() if at[1] == "A"}
        assert now == answers, f"{sorted(now.items())[:2]}\n{prod.logs()}"
        prod.change({4}, {1, 2}, {6})
        reader.expect_clean()


@case(Knotd)
def an_old_copy_whose_head_cannot_be_read_is_overtaken(kind):
    """The planner knows more than that head does, and has nothing else to publish."""
    with running(kind, COUNT) as (prod, roles, reader):
        backup = prod.folder / "backup.db"
        copy_store(prod, backup)
        with contextlib.closing(sqlite3.connect(backup)) as store, store:
            store.execute("DELETE FROM object")
        prod.change({1, 2}, {3, 4, 5})
        high = generation(prod)
        os.replace(backup, prod.store)
        prod.wait_report(lambda report: report["plan_gen"] > high and report["behind"] == 0,
                         "a plan above all fences")
        reader.expect_clean()


@case(Knotd)
def a_store_that_is_locked_for_long_only_delays(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        prod.change({1, 2, 3})
        content = prod.server.axfr()
        with prod.store_locked():
            answer = prod.set_states({4, 5})
            wait_until(lambda: any("locked by another process" in role.log_text()
                                   for role in roles), "trouble to be said")
            reader.wait_laps()
            assert prod.server.axfr() == content
        prod.wait_answers(answer)
        prod.change({6})
        reader.expect_clean()


@case(Knotd)
def a_role_that_is_stopped_with_the_lock_is_killed(kind):
    """It waits for SQLite's lock with the folder's in hand: there it is stopped."""
    with running(kind, COUNT) as (prod, roles, reader):
        prod.change({1, 2, 3})
        folder = os.stat(os.path.dirname(prod.store)).st_ino

        def holder():
            """The role that has the folder's lock."""
            for words in map(str.split, pathlib.Path("/proc/locks").read_text().splitlines()):
                if words[1] == "FLOCK" and words[5].endswith(f":{folder}"):
                    return next((role for role in roles if role.process.pid == int(words[4])), None)
            return None
        stopped = None
        while stopped is None:
            with prod.store_locked("IMMEDIATE"):
                stopped = wait_until(holder, prod.logs)
                stopped.pause()
                wait_until(lambda: stopped.state() == "T", "it to stop")
            if holder() is not stopped:  # it had given up just before
                stopped.resume()
                stopped = None
        pid = stopped.process.pid
        assert stopped.process.wait(10) == -signal.SIGKILL
        wait_until(lambda: any(f"event=store_lock_broken pid={pid}" in role.log_text()
                               for role in roles), prod.logs)
        stopped.start()
        prod.change({4, 5})
        reader.expect_clean()


@case(Knotd)
def a_full_disk_only_delays(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        prod.change({1, 2, 3})
        content, pid = prod.server.axfr(), roles[0].process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, hard))
        answer = prod.set_states({4, 5})
        roles[0].wait_log("store_trouble")
        reader.wait_laps()
        assert prod.server.axfr() == content
        assert roles[0].running, "the planner ended"
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, hard))
        prod.wait_answers(answer)
        prod.change({6})
        reader.expect_clean()


@case(Knotd, Named, Pdns)
def the_planner_is_killed_and_stopped(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        planner = roles[0]
        for up in ({1, 2}, {3}, {4, 5}):
            answer = prod.set_states(up)
            planner.restart()
            prod.wait_answers(answer)
        prod.pause(planner)
        answer = prod.set_states({1, 6})
        reader.wait_laps()
        planner.resume()
        prod.wait_answers(answer)
        reader.expect_clean()
        for role in roles:
            role.stop()


@case(Knotd)
def two_planners_take_turns(kind):
    with running(kind, COUNT) as (prod, roles, reader):
        second = prod.add("planner-2", "planner")
        prod.change({1, 2}, {3, 4, 5}, {1, 6}, {2, 3})
        prod.pause(second)
        prod.change({1})
        roles[0].kill()
        second.resume()
        prod.change({2, 4}, {5})
        reader.expect_clean()


if __name__ == "__main__":
    sys.exit(case.main())
