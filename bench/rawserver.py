# SPDX-License-Identifier: GPL-3.0-or-later
"""bench/raw.c, bench/commit.c and nsupdate: what the server and the disk can do without us."""

import json
import subprocess
import time

import servers
from fleet import ZONE, BenchError, build


class Raw:
    """raw.c on a zone of a server; each call is one of its commands."""

    def __init__(self, server, count, folder, prefix="r"):
        self.key = folder / "raw.key"
        server.write_secret(self.key)
        self.process = subprocess.Popen(
            [str(build() / "bench" / "raw"), servers.HOST, str(server.port), ZONE + ".",
             server.key.name, server.key.algorithm, str(self.key), prefix, str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=servers.die_with_parent)

    def __call__(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise BenchError(f"raw {command}: ended with {self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def nsupdate(server, count, batch, folder):
    """Seconds that nsupdate takes for the addresses of raw.c's endpoints: no fences, no guard."""
    key, commands = folder / "nsupdate.key", folder / "nsupdate.txt"
    key.touch(0o600)
    key.write_text(f'key "{server.key.name}" {{ algorithm {server.key.algorithm}; '
                   f'secret "{server.key.secret}"; }};\n')
    with open(commands, "w") as out:
        out.write(f"server {servers.HOST} {server.port}\nzone {ZONE}.\n")
        for i in range(count):
            name = f"r{i}.{ZONE}."
            out.write(f"update delete {name} A\nupdate delete {name} AAAA\n")
            for k in range(2, 6):
                out.write(f"update add {name} 30 A 192.0.2.{k}\n"
                          f"update add {name} 30 AAAA 2001:db8::{k}\n")
            if (i + 1) % batch == 0 or i + 1 == count:
                out.write("send\n")
    begun = time.monotonic()
    result = subprocess.run(["nsupdate", "-v", "-k", key, commands], capture_output=True,
                            text=True, timeout=120)
    if result.returncode != 0 or "failed" in result.stderr:
        raise BenchError(f"nsupdate: {result.stderr[:500]}")
    return time.monotonic() - begun


def commits(folder, count):
    """{"store_us": […], "sync_us": […]}"""
    result = subprocess.run([build() / "bench" / "commit", folder, str(count)],
                            capture_output=True, text=True, timeout=60, check=True)
    return json.loads(result.stdout)
