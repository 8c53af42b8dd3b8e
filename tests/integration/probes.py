# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs checkprobe and collects its reports, for the tests of checks."""

import collections
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import threading
import time

from servers import die_with_parent

BUILD = pathlib.Path(os.environ.get("HOLDFAST_BUILD", "build")).resolve()
PATIENCE_S = 20  # for anything that must happen


class Probes:
    """A running checkprobe; its reports are kept by the name of the probe."""

    def __init__(self, probes, *options, descriptors=None):
        words = [str(BUILD / "checkprobe"), *options]
        for keys in probes:
            words.append("--probe")
            words += [f"{key}={value}" for key, value in {"address": "127.0.0.1", **keys}.items()]
        self.descriptors = descriptors
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            preexec_fn=self.prepare)
        self.reports = collections.defaultdict(list)
        self.all, self.ending = [], None
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def prepare(self):
        die_with_parent()
        if self.descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self.descriptors, self.descriptors))

    def read(self):
        for line in self.process.stdout:
            report = json.loads(line)
            with self.changed:
                if "why" in report:
                    self.reports[report["name"]].append(report)
                    self.all.append(report)
                else:
                    self.ending = report
                self.changed.notify_all()

    def wait(self, condition, what):
        """Until condition() is true of what was reported."""
        with self.changed:
            if not self.changed.wait_for(condition, PATIENCE_S):
                raise AssertionError(f"waited in vain for {what}; last: {self.all[-3:]}")

    def wait_for(self, name, result, why="", start=0):
        """The first report from number start on that has this result."""
        found = []

        def look():
            found[:] = [report for report in self.reports[name][start:]
                        if report["result"] == result and re.search(why, report["why"])]
            return found

        self.wait(look, f"{name}: {result} {why!r}")
        return found[0]

    def count(self, name):
        with self.changed:
            return len(self.reports[name])

    def wait_for_more(self, name, count):
        """That many further reports, which are returned."""
        start = self.count(name)
        self.wait(lambda: len(self.reports[name]) >= start + count, f"{count} more of {name}")
        return self.reports[name][start:]

    def close(self):
        """Ends it in order, which must leave nothing open."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        status = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        assert status == 0, f"checkprobe ended with {status}"
        assert not self.ending["handles_left"], "handles were left open"
        left = self.ending["descriptors_after"] - self.ending["descriptors_before"]
        assert left <= 0, f"{left} descriptors were left open"

    def __enter__(self):
        return self

    def __exit__(self, kind, *exception):
        if kind is None:
            self.close()
        else:
            self.process.kill()
            self.process.wait()


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)  # between two looks at a condition


class Cases:
    """The cases of one program, in the order in which they are written."""

    def __init__(self):
        self.all = []

    def __call__(self, function):
        self.all.append((function.__name__.replace("_", " "), function))
        return function

    def main(self):
        """Runs those whose name contains the arguments; a case returns why it was skipped."""
        wanted = [item for item in self.all if " ".join(sys.argv[1:]) in item[0]]
        print(f"1..{len(wanted)}")
        results = [self.run(number, *item) for number, item in enumerate(wanted, 1)]
        return 0 if all(results) else 1

    @staticmethod
    def run(number, name, function):
        try:
            skipped = function()
        except Exception as error:  # every failure of a case is reported as one
            print(f"not ok {number} - {name}", flush=True)
            print(f"# {type(error).__name__}: {error}", flush=True)
            return False
        print(f"ok {number} - {name}" + (f" # skip {skipped}" if skipped else ""), flush=True)
        return True
