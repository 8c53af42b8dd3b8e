# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of whole installations run: processes that can be stopped, a publisher, a reader."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import servers

BUILD = pathlib.Path(os.environ.get("HOLDFAST_BUILD", "build")).resolve()
TOOLS = BUILD / "tests" / "integration"
ZONE = "example.test"
OWNER = "prod"
PATIENCE_S = 45  # for anything that must happen: starting anew under load is slow
LOOK_S = 0.02  # between two looks at a condition
RATE = 9000  # questions a second of a reader: leaves most of two cores to the servers
BAD = ("empty", "nxdomain", "partial", "backwards", "odd")


def wait_until(condition, what, patience_s=PATIENCE_S):
    """The first true value of condition(); what may be a function that says what there is."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain for {what() if callable(what) else what}")
        time.sleep(LOOK_S)


class Process:
    """A program of ours: started again with the same words, its output in a log."""

    def __init__(self, words, folder, log):
        self.words, self.folder, self.log = [str(w) for w in words], folder, log
        self.cats = []
        self.process = None

    def start(self):
        """The log is written through cat: a limit on the size of its files does not count there."""
        with open(self.log, "ab") as log:
            cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log,
                                   preexec_fn=servers.die_with_parent)
        with cat.stdin:
            self.process = subprocess.Popen(
                self.words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=cat.stdin,
                stderr=subprocess.STDOUT, preexec_fn=servers.die_with_parent)
        self.cats.append(cat)
        return self

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def send(self, number):
        self.process.send_signal(number)

    def pause(self):
        self.send(signal.SIGSTOP)

    def resume(self):
        self.send(signal.SIGCONT)

    def state(self):
        """As the kernel names it: T is stopped."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0]

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self):
        """As after a crash."""
        self.kill()
        self.start()

    def stop(self):
        """In order: it must end well, and soon."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)
        status = self.process.wait(PATIENCE_S)
        self.process = None
        assert status == 0, f"{self.words[1]} ended with {status}: {self.log_text()[-2000:]}"

    def log_text(self):
        try:
            return pathlib.Path(self.log).read_text(errors="replace")
        except OSError:
            return ""

    def wait_log(self, text):
        return wait_until(lambda: text in self.log_text(),
                          lambda: f"{text!r} in the log:\n{self.log_text()[-2000:]}")


class Talker:
    """A program that answers each line with a line."""

    def __init__(self, words):
        self.process = subprocess.Popen(
            [str(w) for w in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=servers.die_with_parent)

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def receive(self):
        line = self.process.stdout.readline()
        assert line, f"it ended: {self.process.wait()}"
        return line.strip()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Plans(Talker):
    """publish.c: each call gives the generation that was published."""

    def __init__(self, store, zone=ZONE):
        super().__init__([TOOLS / "publish", store, zone + "."])

    def __call__(self, line):
        self.send(line)
        words = self.receive().split(" ", 1)
        assert words[0] == "head", f"{line}: {words}"
        return int(words[1])


class Reader:
    """reader.c, from its start to stop(); its counts stay."""

    total = 0  # answers of all readers of this test program

    def __init__(self, server, names, owner=OWNER, rate=RATE, tagged=True):
        self.process = subprocess.Popen(
            [TOOLS / "reader", servers.HOST, str(server.port), owner, str(rate),
             "tagged" if tagged else "plain"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=servers.die_with_parent)
        self.process.stdin.write("".join(f"{name}\n" for name in names))
        self.process.stdin.close()
        self.names = names
        self.last = json.loads(self.process.stdout.readline())

    def counts(self):
        """What it has counted up to now."""
        self.process.send_signal(signal.SIGUSR1)
        self.last = json.loads(self.process.stdout.readline())
        return self.last

    def wait_high(self, gen):
        """All endpoints were seen at this generation or above."""
        return wait_until(lambda: self.counts()["low"] >= gen,
                          lambda: f"{gen} everywhere: {self.last}")

    def wait_some(self, gen, least=1, most=None):
        """Some but not all endpoints were seen at this generation."""
        most = most or len(self.names) - 1

        def look():
            counts = self.counts()
            assert not (counts["high"] == gen and counts["at_high"] > most), f"too late: {counts}"
            return counts["high"] == gen and counts["at_high"] >= least
        return wait_until(look, lambda: f"{gen} somewhere: {self.last}")

    def wait_laps(self, count=2):
        """Everything was asked for that many times from now on."""
        until = self.counts()["laps"] + count
        wait_until(lambda: self.counts()["laps"] >= until, lambda: f"laps: {self.last}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.last = json.loads(self.process.stdout.readlines()[-1])
            self.process.wait(PATIENCE_S)
            self.process.stdout.close()
            Reader.total += self.last["answers"]
        return self.last

    def expect_clean(self, least=1):
        """Nothing was seen that must never be."""
        counts = self.stop()
        bad = {key: counts[key] for key in BAD if counts[key]}
        assert not bad, f"{bad}; first: {counts['why']}; {counts}"
        assert counts["answers"] >= least, counts
        return counts

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Cases:
    """The cases of one program, run on one or several kinds of servers, as TAP."""

    def __init__(self):
        self.all = []

    def __call__(self, *kinds):
        def add(function):
            name = function.__name__.replace("_", " ")
            for kind in kinds or (None,):
                title = f"{name} ({kind.kind})" if kind else name
                self.all.append((title, function, kind))
            return function
        return add

    def main(self):
        """Runs those whose name contains the arguments."""
        wanted = [item for item in self.all if " ".join(sys.argv[1:]) in item[0]]
        print(f"1..{len(wanted)}", flush=True)
        good = [self.run(number, *item) for number, item in enumerate(wanted, 1)]
        print(f"# {Reader.total} answers were read, {self.everywhere()} with the last runs of the "
              "other programs", flush=True)
        return 0 if all(good) else 1

    @staticmethod
    def everywhere():
        """Each program leaves its number in a file of the build folder."""
        folder = BUILD / "test-logs"
        folder.mkdir(exist_ok=True)
        (folder / f"{pathlib.Path(sys.argv[0]).stem}.answers").write_text(f"{Reader.total}\n")
        return sum(int(path.read_text()) for path in folder.glob("*.answers"))

    @staticmethod
    def run(number, name, function, kind):
        started = time.monotonic()
        before = Reader.total
        try:
            function(*([kind] if kind else []))
        except Exception as error:  # every failure of a case is reported as one
            print(f"not ok {number} - {name}")
            text = f"{type(error).__name__}: {error}"
            print("".join(f"# {line}\n" for line in text.splitlines()), end="", flush=True)
            return False
        print(f"ok {number} - {name}")
        print(f"# {time.monotonic() - started:.1f} s, {Reader.total - before} answers", flush=True)
        return True
