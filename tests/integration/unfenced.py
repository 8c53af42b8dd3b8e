#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A writer without fences, as the one that the outage was made of: to show that the tests see it.

    unfenced.py STORE PORT KEY ALGORITHM SECRET ZONE COUNT REGISTER

It takes the newest plan of publish.c, checks once that it is newer than the one it applied last,
then writes all endpoints, one after another, without prerequisites, and notes in the file REGISTER
that the plan is installed. While it has nothing to write it cleans up: it deletes the records of
installed plans that are many generations older than its own.
"""

import contextlib
import sqlite3
import sys
import time

import dns.query
import dns.tsigkeyring
import dns.update

from installation import expected

BATCH = 20
OLD = 100  # generations
LOOK_S = 0.1  # between two looks at the store


class Writer:
    def __init__(self, store, port, key, algorithm, secret, zone, count, register):
        self.store, self.port, self.zone, self.count = store, int(port), zone, int(count)
        self.keyring, self.algorithm = dns.tsigkeyring.from_text({key: secret}), algorithm
        self.register = register
        self.applied = 0
        self.cleaned = 0  # lines of the register

    def head(self):
        with contextlib.closing(sqlite3.connect(self.store, timeout=10)) as store:
            (value,) = store.execute("SELECT value FROM ref WHERE name = 'head'").fetchone()
        return int(value.split(b" ")[0])

    def each_batch(self, change):
        """One UPDATE for each few endpoints; change fills it for one of them."""
        for first in range(0, self.count, BATCH):
            update = dns.update.UpdateMessage(self.zone)
            for number in range(first, min(first + BATCH, self.count)):
                change(update, f"e{number}")
            update.use_tsig(self.keyring, algorithm=self.algorithm)
            dns.query.tcp(update, "127.0.0.1", port=self.port, timeout=10)

    def apply(self, gen):
        a, aaaa = expected(gen)
        fence = f'"holdfast=1 owner=prod gen={gen} sum=0000000000000001 by=unfenced.{gen}"'

        def change(update, name):
            update.replace(name, 1, "A", *a)
            update.replace(name, 1, "AAAA", *aaaa)
            update.replace(f"_holdfast.{name}", 0, "TXT", fence)
        self.each_batch(change)
        with open(self.register, "a") as register:
            register.write(f"{gen}\n")
        self.applied = gen

    def clean(self):
        with open(self.register) as register:
            installed = register.read().split()
        for gen in map(int, installed[self.cleaned:]):
            if gen < self.applied - OLD:
                a, aaaa = expected(gen)

                def change(update, name):
                    update.delete(name, "A", *a)
                    update.delete(name, "AAAA", *aaaa)
                self.each_batch(change)
        self.cleaned = len(installed)

    def run(self):
        while True:
            head = self.head()
            if head > self.applied:
                self.apply(head)
            else:
                self.clean()
                time.sleep(LOOK_S)


if __name__ == "__main__":
    Writer(*sys.argv[1:]).run()
