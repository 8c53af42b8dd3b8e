# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at servers and logs from outside, often and cheaply."""

import os
import socket
import time

import dns.message
import dns.rdatatype

import servers
from fleet import PATIENCE_S, BenchError

QUIET_S = 0.5  # without a new serial: a rollout may have ended
LOOK_S = 0.002
PLAN_LOOK_S = 0.0003  # where a few milliseconds are measured


class Asker:
    """Asks one question again and again over one UDP socket."""

    def __init__(self, server, name, kind):
        query = dns.message.make_query(servers.absolute(name), dns.rdatatype.from_text(kind))
        self.wire = query.to_wire()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((servers.HOST, server.port))
        self.socket.settimeout(1)

    def raw(self):
        """The reply's octets behind the header's id, or None when none came."""
        try:
            self.socket.send(self.wire)
            return self.socket.recv(4096)[2:]
        except OSError:
            return None

    def count(self):
        """How many records the answer has, or None."""
        reply = self.raw()
        return None if reply is None else int.from_bytes(reply[4:6], "big")

    def close(self):
        self.socket.close()


class Tail:
    """What a role logs from now on, as it comes."""

    def __init__(self, role):
        self.fd = os.open(role.log, os.O_RDONLY)
        os.lseek(self.fd, 0, os.SEEK_END)
        self.rest = b""

    def events(self):
        """Names of the events that are new."""
        text = self.rest + os.read(self.fd, 1 << 16)
        *lines, self.rest = text.split(b"\n")
        return [line.split(b" event=", 1)[1].split(b" ", 1)[0].decode()
                for line in lines if b" event=" in line]

    def close(self):
        os.close(self.fd)


def watch_serials(server, zones, ended, first_only=False, until=None):
    """Asks for the zones' serials in turn, one every 2 ms, until none was new for QUIET_S and
    ended() is true (or until one is new, or until a moment); the wall clock times of the first and
    the last one that was seen to be new."""
    askers = [Asker(server, zone, "SOA") for zone in zones]
    seen = [asker.raw() for asker in askers]
    times = []
    deadline = time.time() + PATIENCE_S
    turn = 0
    while True:
        reply = askers[turn].raw()
        now = time.time()
        if reply is not None and reply != seen[turn]:
            seen[turn] = reply
            times.append(now)
        turn = (turn + 1) % len(askers)
        quiet = times and now - times[-1] > QUIET_S
        if times and (first_only or (until and now > until) or (quiet and ended())):
            for asker in askers:
                asker.close()
            return times[0], times[-1]
        if now > deadline:
            raise BenchError("a rollout did not end")
        time.sleep(0.05 if quiet else LOOK_S)
