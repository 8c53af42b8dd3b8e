# SPDX-License-Identifier: GPL-3.0-or-later
"""bench/raw.c, bench/commit.c and nsupdate: what the server and the disk can do without us."""

import json
import subprocess
import time

import servers
from fleet import BACKENDS, INSTALLATION, BenchError, build

SHAPE = "differ"  # of raw.c: the prerequisites and updates of an enactor's bulk change
NSUPDATE_S = 300


class Tool:
    """A program that answers a line with a line of JSON."""

    def __init__(self, *words):
        self.name = words[0].name
        self.process = subprocess.Popen(
            [str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, preexec_fn=servers.die_with_parent)

    def __call__(self, command):
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line.endswith("\n"):
            raise BenchError(f"{self.name} {command}: {self.process.stderr.read().strip()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Raw(Tool):
    """raw.c on a server; each call is one of its commands. In a zone that a Holdfast looks after it
    needs names and an installation of its own: else its fences would be ahead of the plan."""

    def __init__(self, server, folder, count, prefix="e", installation=INSTALLATION):
        key = folder / f"raw.{server.port}.key"
        server.write_secret(key)
        super().__init__(build() / "bench" / "raw", servers.HOST, server.port, server.key.name,
                         server.key.algorithm, key, installation, prefix, count, *server.zones)


class Commits(Tool):
    """commit.c: a number is answered with {"store_us": […], "sync_us": […]}."""

    def __init__(self, folder):
        super().__init__(build() / "bench" / "commit", folder)


def change_lines(name, down_before, down_after):
    """The two differences between answers without one backend and without another."""
    for verb, i, ttl in (("delete", down_after, ""), ("add", down_before, "30 ")):
        yield f"update {verb} {name} {ttl}A 192.0.2.{10 + i}\n"
        yield f"update {verb} {name} {ttl}AAAA 2001:db8::{10 + i}\n"


def nsupdate(server, count, batch, folder, step=0):
    """Seconds that nsupdate takes for the same differences as raw.c: no fences, no guard."""
    key, commands = folder / "nsupdate.key", folder / "nsupdate.txt"
    key.touch(0o600)
    key.write_text(f'key "{server.key.name}" {{ algorithm {server.key.algorithm}; '
                   f'secret "{server.key.secret}"; }};\n')
    before, after = ((BACKENDS - 1 + k) % BACKENDS + 1 for k in (step, step + 1))
    with open(commands, "w") as out:
        out.write(f"server {servers.HOST} {server.port}\n")
        for z, zone in enumerate(server.zones):
            out.write(f"zone {zone}\n")
            numbers = range(z, count, len(server.zones))
            for n, i in enumerate(numbers):
                out.writelines(change_lines(f"e{i}.{zone}", before, after))
                if (n + 1) % batch == 0 or n + 1 == len(numbers):
                    out.write("send\n")
    begun = time.monotonic()
    result = subprocess.run(["nsupdate", "-v", "-k", key, commands], capture_output=True,
                            text=True, timeout=NSUPDATE_S)
    if result.returncode != 0 or "failed" in result.stderr:
        raise BenchError(f"nsupdate: {result.stderr[:500]}")
    return time.monotonic() - begun
