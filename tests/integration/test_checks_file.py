#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of type file: another tool writes the states, carefully or not."""

import os
import pathlib
import sys
import tempfile
import threading
import time

from backends import OK, Backend, answer
from probes import Cases, Probes

case = Cases()


def write_whole(path, text):
    """As a careful tool does: a new file takes the place of the old one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def age(path, seconds):
    write_whole(path, "web-1 up\n")
    os.utime(path, (time.time() - seconds, time.time() - seconds))


def become_folder(path):
    path.unlink()
    path.mkdir()


def become_file_again(path):
    path.rmdir()
    write_whole(path, "web-1 up\n")


def become_pipe(path):
    path.unlink()
    os.mkfifo(path)


# what another tool does to the file, and what the check says then, in this order
FILE = [
    (lambda path: write_whole(path, "web-1 up\nweb-2 down\n"), "passed", "^up in the state file$"),
    (lambda path: write_whole(path, "web-1 down\nweb-2 up\n"), "failed", "^down in the state"),
    (lambda path: write_whole(path, '{"name": "web-1", "state": "up", "x": 1}\n'), "passed", "^up"),
    (lambda path: write_whole(path, "web-2 up\n"), "late", "does not name this backend$"),
    (lambda path: write_whole(path, "web-1 up\n"), "passed", "^up in the state file$"),
    (lambda path: path.write_text("web-1 down"), "late", "line 1: a last line without a line feed"),
    (lambda path: path.write_text("web-1 down\n"), "failed", "^down in the state file$"),
    (lambda path: path.write_text("\nweb-1 sick\n"), "late", "line 2: expected NAME up or NAME"),
    (lambda path: path.unlink(), "late", "^state file: no such file or directory$"),
    (lambda path: age(path, 0), "passed", "^up in the state file$"),
    (lambda path: age(path, 70), "late", r"^state file: written 7\d{4} ms ago, more than 60000"),
    (lambda path: age(path, -90), "late", "^state file: written .* from now"),
    (lambda path: age(path, 0), "passed", "^up in the state file$"),
    (become_folder, "late", "^state file: not a regular file$"),
    (become_file_again, "passed", "^up in the state file$"),
    (become_pipe, "late", "^state file: not a regular file$"),
    (lambda path: write_whole(path, "web-1 up\n"), "passed", "^up in the state file$"),
]


@case
def a_state_file_speaks_for_its_backends():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        path = pathlib.Path(folder) / "states"
        with Probes([{"name": "web-1", "type": "file", "path": path, "interval": 100, "fall": 1,
                      "rise": 1}]) as running:
            running.wait_for("web-1", "late", "^state file: no such file")
            start = 0
            for change, result, why in FILE:
                change(path)
                running.wait_for("web-1", result, why, start)
                start = running.count("web-1")


@case
def a_replaced_state_file_is_never_half_read():
    """Two writers replace it all the time; web-1 is up in every version."""
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        path = pathlib.Path(folder) / "states"
        filling = "".join(f"other-{i} down\n" for i in range(2000))
        stop = threading.Event()

        def replace():
            turn = 0
            while not stop.is_set():
                turn += 1
                write_whole(path, filling + f"turn-{turn} down\n" * (turn % 3 == 0) + "web-1 up\n")

        write_whole(path, filling + "web-1 up\n")
        writer = threading.Thread(target=replace)
        writer.start()
        try:
            with Probes([{"name": "web-1", "type": "file", "path": path,
                          "interval": 10}]) as running:
                running.wait_for("web-1", "passed")
                reports = running.wait_for_more("web-1", 200)
        finally:
            stop.set()
            writer.join()
        assert {report["result"] for report in reports} == {"passed"}, reports


@case
def a_state_file_is_read_once_for_all_probes():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        path = pathlib.Path(folder) / "states"
        text = "".join(f"other-{i} down\n" for i in range(50000)) + "web-1 up\n"
        write_whole(path, text)
        with Probes([{"name": "web-1", "type": "file", "path": path, "interval": 200,
                      "copies": 300}]) as running:
            running.wait_for("web-1", "passed")
            running.wait_for_more("web-1", 3000)
            # Twice at most: a file that has just been written is read again.
            assert octets_read(running.process.pid) < 3 * len(text)


def octets_read(pid):
    lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


@case
def none_passes_at_once_and_only_once():
    with Backend(answer(OK)) as backend:
        with Probes([{"name": "none", "type": "none"},
                     {"name": "http", "type": "http", "port": backend.port}]) as running:
            running.wait_for_more("http", 3)
            assert [r["result"] for r in running.reports["none"]] == ["passed"]
            assert running.all[0]["name"] == "none"


if __name__ == "__main__":
    sys.exit(case.main())
