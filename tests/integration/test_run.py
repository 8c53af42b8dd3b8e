#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`holdfast run`: starts everything, keeps it running, ends all of it, and can be killed itself."""

import os
import pathlib
import signal
import socket
import stat
import subprocess
import sys
import tempfile

from probes import Cases
from rundir import HOST, KNOTD, NAMES, ROLES, Reader, Run, is_alive, port_is_free, wait_for

case = Cases()


@case
def names_answer_and_the_key_is_private():
    with Run() as run:
        run.start().wait_for_names()
        assert sorted(run.state()) == sorted([KNOTD, *ROLES]), run.state()
        mode = stat.S_IMODE(os.stat(run.data / "tsig-local.key").st_mode)
        assert mode == 0o600, oct(mode)
        mode = stat.S_IMODE(os.stat(run.data / "knot-local/knot.conf").st_mode)
        assert mode == 0o600, oct(mode)
        assert len(run.secret()) == 44, "32 octets in base64"


@case
def ctrl_c_leaves_no_process_and_no_socket():
    with Run() as run:
        run.start().wait_for_names()
        pids = [row["pid"] for row in run.state().values()]
        status = run.stop(signal.SIGINT)
        assert status == 0, status
        assert not [pid for pid in pids if is_alive(pid)]
        assert not run.processes(), run.processes()
        assert port_is_free(run.port)
        sockets = [path for path in run.folder.rglob("*") if path.is_socket()]
        assert not sockets, sockets
        assert not (run.data / "run.json").exists()


@case
def a_second_start_goes_on_with_key_and_zone():
    with Run() as run:
        run.start().wait_for_names()
        secret, fence = run.secret(), run.query("_holdfast." + NAMES[2], "TXT")
        assert run.stop() == 0
        with Reader(run) as reader:
            run.start().wait_for_names()
        assert not reader.empty
        assert run.secret() == secret
        before, after = fence[0], run.query("_holdfast." + NAMES[2], "TXT")[0]
        generation = [int(text.split("gen=")[1].split()[0]) for text in (before, after)]
        assert generation[0] <= generation[1], (before, after)


@case
def every_role_is_started_again():
    with Run() as run, Reader(run) as reader:
        run.start().wait_for_names()
        for name in ROLES:
            pid = run.pid(name)
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda name=name, pid=pid: run.pid(name) != pid, f"{name} is started again")
            wait_for(lambda pid=pid: not is_alive(pid), "no zombie is left")
            assert run.state()[name]["restarts"] == 1, run.state()[name]
        run.wait_for_names()
        assert reader.answers > 0 and not reader.empty, len(reader.empty)


@case
def knotd_is_started_again_with_its_zone():
    with Run() as run:
        run.start().wait_for_names()
        # A record that only the journal knows.
        assert run.update("by-hand.example.test.", ["192.0.2.1"]) == "NOERROR"
        with Reader(run) as reader:
            for _ in range(3):
                pid = run.pid(KNOTD)
                os.kill(pid, signal.SIGKILL)
                wait_for(lambda pid=pid: run.pid(KNOTD) != pid, "knotd is started again")
                wait_for(lambda: run.query("by-hand.example.test.") == ["192.0.2.1"], "as before")
        assert not reader.empty, len(reader.empty)
        assert reader.longest_silence_s < 5, reader.longest_silence_s


@case
def a_killed_supervisor_leaves_the_names_answering():
    with Run() as run:
        run.start().wait_for_names()
        server, roles = run.pid(KNOTD), [run.pid(name) for name in ROLES]
        with Reader(run) as reader:
            run.kill()
            for pid in roles:
                wait_for(lambda pid=pid: not is_alive(pid), "the roles end with it")
            assert is_alive(server)
            run.wait_for_names()
            run.start()
            run.wait_for_start()
            wait_for(lambda: run.pid(KNOTD) == server, "the next one takes knotd over")
            run.wait_for_names()
            os.kill(server, signal.SIGKILL)
            wait_for(lambda: run.pid(KNOTD) != server, "and starts it again when it dies")
            run.wait_for_names()
        assert not reader.empty, len(reader.empty)
        assert run.stop() == 0
        assert not run.processes(), run.processes()


@case
def a_second_instance_is_refused():
    with Run() as run:
        run.start().wait_for_names()
        second = subprocess.run(run.command("run"), capture_output=True, text=True, timeout=20)
        assert second.returncode == 1, second.returncode
        assert f"process {run.process.pid};" in second.stderr, second.stderr
        assert run.state()[KNOTD]["restarts"] == 0
        run.wait_for_names()


def refused(run, word):
    result = subprocess.run(run.command("run"), capture_output=True, text=True, timeout=20)
    assert result.returncode == 1, result.returncode
    assert word in result.stderr, result.stderr
    assert not run.processes(), run.processes()


@case
def a_port_that_is_taken_is_named_with_its_holder():
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with Run() as run, socket.socket(socket.AF_INET, kind) as stranger:
            stranger.bind((HOST, run.port))
            if kind == socket.SOCK_STREAM:
                stranger.listen(1)
            refused(run, f"{HOST}@{run.port} is taken by python3 (pid {os.getpid()})")


@case
def a_pid_file_of_somebody_else_is_no_obstacle():
    with Run() as run:
        (run.data / "knot-local/run").mkdir(parents=True)
        (run.data / "knot-local/run/knot.pid").write_text(f"{os.getpid()}")
        (run.data / "knot-local/knotd.lock").write_text(f"{os.getpid()}\n")
        run.start().wait_for_names()


@case
def a_long_path_is_no_obstacle():
    with tempfile.TemporaryDirectory() as folder:
        deep = os.path.join(folder, "x" * 100, "y" * 100)
        os.makedirs(deep)
        with Run(deep) as run:
            run.start().wait_for_names()
            assert run.stop() == 0


@case
def a_zone_is_added_by_reload_and_by_take_over():
    with Run() as run:
        run.start().wait_for_names()
        server = run.pid(KNOTD)
        for number in (1, 2):
            text = run.config.read_text()
            more = f"zones:\n  zone{number}.test: {{ target: local }}\n"
            run.config.write_text(text.replace("zones:\n", more))
            if number == 1:
                run.process.send_signal(signal.SIGHUP)
            else:
                run.kill()
                run.start()
            zone = f"zone{number}.test."
            wait_for(lambda zone=zone: run.query(zone, "SOA"), f"{zone} is served")
            assert run.pid(KNOTD) == server
        run.wait_for_names()


@case
def another_port_moves_a_server_that_was_taken_over():
    with Run() as run:
        run.start().wait_for_names()
        server, old = run.pid(KNOTD), run.port
        run.kill()
        run.port += 1 if port_is_free(run.port + 1) else 2
        run.config.write_text(run.config.read_text().replace(f"@{old}", f"@{run.port}"))
        run.start().wait_for_names()
        assert run.pid(KNOTD) != server
        assert port_is_free(old)


@case
def a_wrong_configuration_is_refused_and_a_reload_of_one_changes_nothing():
    with Run() as run:
        good = run.config.read_text()
        wrong = good.replace("enactors: 3", "enactors: many")
        run.config.write_text(wrong)
        refused(run, "holdfast.yaml:")
        assert not run.data.exists()
        run.config.write_text(good)
        run.start().wait_for_names()
        state = run.state()
        run.config.write_text(wrong)
        run.process.send_signal(signal.SIGHUP)
        wait_for(lambda: b"role=run event=config_kept" in run.log.read_bytes(), "it says so")
        assert run.state() == state
        run.wait_for_names()


def on_small_disk(run, size, *words):
    """Words of a command for which the data folder is a file system of that size; None where this
    user may not make one."""
    run.data.mkdir(exist_ok=True)
    script = f'mount -t tmpfs -o size={size} none "$0" && exec "$@"'
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, str(run.data)]
    if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        return None
    return [*prefix, *words]


@case
def a_full_disk_is_named():
    with Run() as run:
        words = on_small_disk(run, "1M", *run.command("run"))
        if words is None:
            return "needs user namespaces"
        result = subprocess.run(words, capture_output=True, text=True, timeout=20)
        assert result.returncode == 1, result.returncode
        assert "the disk is full: 0 MiB left" in result.stderr, result.stderr
    return None


def generation(run, name):
    return int(run.query("_holdfast." + name, "TXT")[0].split("gen=")[1].split()[0])


def many_updates(run):
    """Response codes of changes that need new pages in the journal."""
    hosts = [[f"192.0.2.{number}" for number in range(first, 250)] for first in range(1, 9)]
    return [run.update("filling.example.test.", addresses) for addresses in hosts]


@case
def a_disk_that_fills_up_changes_no_answer():
    with Run() as run:
        words = on_small_disk(run, "48M", *run.command("run"))
        if words is None:
            return "needs user namespaces"
        run.start(words)
        run.data = pathlib.Path(f"/proc/{run.process.pid}/root{run.data}")
        run.wait_for_names()
        wait_for(lambda: b"event=disk_low" in run.log.read_bytes(), "it says that space is short")
        with Reader(run) as reader:
            with (run.data / "filler").open("wb", buffering=0) as filler:
                try:
                    while True:
                        filler.write(bytes(65536))
                except OSError:
                    pass
            wait_for(lambda: "SERVFAIL" in many_updates(run), "changes are refused")
            run.wait_for_names()
            before = generation(run, NAMES[1])
            (run.data / "filler").unlink()
            wait_for(lambda: run.update("new.example.test.", ["192.0.2.1"]) == "NOERROR",
                     "changes are taken again")
            wait_for(lambda: generation(run, NAMES[1]) > before, "new plans are written")
        assert not reader.empty and reader.longest_silence_s < 5
        assert run.stop() == 0
    return None


@case
def systemd_is_told():
    with Run() as run, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        path = str(run.folder / "notify")
        notify.bind(path)
        notify.settimeout(20)
        run.start(env={**os.environ, "NOTIFY_SOCKET": path})
        assert notify.recv(100) == b"READY=1"
        assert run.query("example.test.", "SOA"), "ready means that the zone is served"
        run.process.send_signal(signal.SIGTERM)
        assert notify.recv(100) == b"STOPPING=1"


if __name__ == "__main__":
    sys.exit(case.main())
