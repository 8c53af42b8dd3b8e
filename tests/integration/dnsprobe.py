# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the DNS client share: TAP, and dnsprobe, a process with one DNS client."""

import os
import pathlib
import re
import subprocess
import sys

import servers

PROBE = pathlib.Path(os.environ.get("HOLDFAST_BUILD", "build")) / "tests/integration/dnsprobe"
ZONE = "example.test."
A, NS, SOA, TXT = 1, 2, 6, 16
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP = 0, 1, 2, 3, 4
REFUSED, YXRRSET, NXRRSET, NOTAUTH = 5, 7, 8, 9
SENSES = ("newest", "deleted", "added", "whole")


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def run(self, name, case, *args):
        self.count += 1
        try:
            case(*args)
            print(f"ok {self.count} - {name}", flush=True)
        except Exception as error:  # any: a failed case must not hide the others
            self.failed += 1
            print(f"not ok {self.count} - {name}")
            text = f"{type(error).__name__}: {error}"
            print("".join(f"# {line}\n" for line in text.splitlines()), flush=True)

    def end(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)


class Result:
    """The line that ends a command: how many requests ended how."""

    def __init__(self, line, lines):
        head, self.why = line.split(" | ", 1)
        counts = re.findall(r"(\w+):(\d+)\*(\d+)", head)
        self.counts = {(result, int(rcode)): int(count) for result, rcode, count in counts}
        self.record_count = int(re.search(r"records=(\d+)", head).group(1))
        self.latency_ms = int(re.search(r" ms=(\d+)", head).group(1))
        self.lines = lines
        self.records = [line.split(" ")[1:] for line in lines if line.startswith("record ")]
        # Of an IXFR: sense, owner, type, TTL, RDATA.
        self.changes = [line.split(" ") for line in lines if line.startswith(SENSES)]

    def __repr__(self):
        return f"{self.counts} {self.why}"


class Probe:
    """A dnsprobe process: one DNS client."""

    def __init__(self, port, key, zone=ZONE, timeout_ms=5000):
        command = [PROBE, servers.HOST, str(port), zone, str(timeout_ms)]
        if key is not None:
            command += [key.name, key.algorithm, key.secret]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=servers.die_with_parent,
        )

    def send(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def receive(self):
        lines = []
        for line in self.process.stdout:
            if line.startswith("= "):
                return Result(line.strip(), lines) if " | " in line else None
            lines.append(line.strip())
        raise AssertionError(f"dnsprobe ended: {self.process.wait()}")

    def __call__(self, command):
        self.send(command)
        return self.receive()

    def close(self):
        """It ends well only when the client closed everything."""
        self.process.stdin.close()
        status = self.process.wait(30)
        self.process.stdout.close()
        assert status == 0, f"dnsprobe: exit status {status}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        else:
            self.process.kill()
            self.process.wait()


def expect(result, what, rcode=None, why=None):
    """All requests of a command ended like this."""
    seen = list(result.counts)
    assert len(seen) == 1 and seen[0][0] == what, f"expected {what}, got {result}"
    assert rcode is None or seen[0][1] == rcode, f"expected rcode {rcode}, got {result}"
    assert why is None or why in result.why, f"expected {why!r} in {result.why!r}"
    return result
