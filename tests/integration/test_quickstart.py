#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quickstart as a newcomer meets it: on a terminal, its hints typed in, ended by Ctrl-C."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time

from apihelp import Client
from probes import Cases
from rundir import BACKENDS, BUILD, HOST, ROOT, ZONE, Run, is_alive, port_is_free, wait_for
from servers import free_port

case = Cases()
API = "api.example.test."
CTRL_C = b"\x03"
START_S = 60


class Quickstart(Run):
    """examples/quickstart/run with a copy of its configuration."""

    def __enter__(self):
        return self  # it brings backends of its own

    def start(self, words=None, **_):
        environment = {**os.environ, "QUICKSTART": str(self.folder), "BUILD": str(BUILD)}
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.execve(ROOT / "examples/quickstart/run", ["run"], environment)
        self.script, self.text = pid, ""
        return self

    def read(self):
        """What the terminal shows so far; stops reading when the script has ended."""
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                octets = os.read(self.terminal, 65536)
            except OSError:  # EIO: nobody holds the other end any more
                break
            self.text += octets.decode(errors="replace").replace("\r\n", "\n")
        return self.text

    def wait_for_hints(self):
        wait_for(lambda: "Ctrl-C here ends everything" in self.read(), "the hints", START_S)

    def end(self, keys=CTRL_C):
        """The exit status."""
        if keys:
            os.write(self.terminal, keys)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.script, os.WNOHANG)
            self.read()
            if pid:
                os.close(self.terminal)
                self.script = None
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)  # between two looks
        raise AssertionError("Ctrl-C did not end it")

    def close(self):
        if self.script is not None:
            os.kill(self.script, signal.SIGTERM)
            self.end(keys=None)
        super().close()

    def state(self):
        """The supervisor is a child of the script, so its process id is not known here."""
        with open(self.data / "run.lock") as lock:
            self.process = type("Process", (), {"pid": int(lock.read())})
        rows = super().state()
        self.process = None
        return rows

    def hints(self):
        """Each command that is printed, continued lines joined."""
        shown = self.text[self.text.index("Holdfast runs."):]
        return [line.strip() for line in re.findall(r"^  ((?:.*\|\n)*.*)$", shown, re.M)]

    def hint(self, word):
        """The one hint that holds a word."""
        found = [line for line in self.hints() if word in line]
        assert len(found) == 1, (word, found)
        return found[0]

    def type_in(self, command):
        result = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=20)
        assert result.returncode == 0, (command, result.stderr)
        return result.stdout


def has_addresses(run, there=(), gone=()):
    answer = run.query(API) or []
    return set(there) <= set(answer) and not set(gone) & set(answer)


@case
def every_hint_can_be_typed_in():
    with Quickstart() as run:
        run.start().wait_for_hints()
        wait_for(lambda: has_addresses(run, BACKENDS), "all backends are in the answer")
        for command in run.hints():
            run.type_in(command)
        assert run.end() == 0


@case
def the_page_has_an_address_that_lets_it_act():
    with Quickstart() as run:
        port = free_port()
        run.config.write_text(run.config.read_text().replace(
            "listen: off", f"listen: {HOST}@{port}"))
        run.start().wait_for_hints()
        found = re.search(r"^(http://\S+)#token=(\S+)$", run.text, re.M)
        assert found and found[1] == f"http://{HOST}:{port}/", run.text
        assert Client(port=port, token=found[2]).get("/api/v1/me")["role"] == "operator"
        assert "<html" in Client(port=port).get("/")


@case
def backends_leave_and_return():
    with Quickstart() as run:
        run.start().wait_for_hints()
        wait_for(lambda: has_addresses(run, BACKENDS), "all backends are in the answer")
        shown = run.type_in(run.hint(f"+short @{HOST} -p {run.port} api"))
        assert set(shown.split()) == set(BACKENDS), shown
        run.type_in(run.hint("/fail"))
        wait_for(lambda: has_addresses(run, gone=BACKENDS[:1]), "the failing one leaves")
        wait_for(lambda: "verdict=down" in run.read(), "the terminal says so")
        run.type_in(run.hint("/recover"))
        wait_for(lambda: has_addresses(run, BACKENDS[:1]), "it returns")
        stop, resume = [line for line in run.hints() if re.match("kill -(STOP|CONT)", line)][:2]
        run.type_in(stop)
        wait_for(lambda: has_addresses(run, gone=BACKENDS[1:2]), "the one that hangs leaves")
        run.type_in(resume)
        wait_for(lambda: has_addresses(run, BACKENDS[1:2]), "it returns")


@case
def a_name_deleted_by_hand_is_healed():
    with Quickstart() as run:
        run.start().wait_for_hints()
        wait_for(lambda: has_addresses(run, BACKENDS), "all backends are in the answer")
        fence = run.query("_holdfast." + API, "TXT")
        run.type_in(run.hint("knsupdate"))
        wait_for(lambda: has_addresses(run, BACKENDS), "it answers again")
        assert run.query("_holdfast." + API, "TXT") != fence, "somebody healed it"


@case
def ctrl_c_leaves_only_the_data_folder_and_the_next_start_goes_on():
    with Quickstart() as run:
        run.start().wait_for_hints()
        assert run.end() == 0
        assert not run.processes(), run.processes()
        assert port_is_free(run.port)
        assert sorted(path.name for path in run.folder.iterdir()) == ["data", "holdfast.yaml"]
        secret = run.secret()
        run.start().wait_for_hints()
        assert run.secret() == secret
        # A stopped process must not keep Ctrl-C from ending everything.
        pids = [run.pid("enactor-1"), run.pid("knotd-local")]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        assert run.end() == 0
        assert not any(is_alive(pid) for pid in pids)
        assert not run.processes(), run.processes()


@case
def a_second_one_is_refused():
    with Quickstart() as run:
        run.start().wait_for_hints()
        second = subprocess.run(
            [ROOT / "examples/quickstart/run"], capture_output=True, text=True, timeout=30,
            env={**os.environ, "QUICKSTART": str(run.folder), "BUILD": str(BUILD)})
        assert second.returncode == 1
        assert "it runs already: process" in second.stderr, second.stderr
        assert run.query(ZONE, "SOA")


@case
def a_port_that_is_taken_is_named():
    for host, what in ((HOST, "server"), (BACKENDS[3], "backend")):
        with Quickstart() as run, socket.socket() as stranger:
            port = run.port if what == "server" else run.backend_port
            stranger.bind((host, port))
            stranger.listen(1)
            run.start()
            assert run.end(keys=None) == 1
            expected = (f"{host}@{port} is taken by" if what == "server"
                        else f"cannot listen on {host} port {port}")
            assert expected in run.text, run.text
            assert not run.processes(), run.processes()


if __name__ == "__main__":
    sys.exit(case.main())
