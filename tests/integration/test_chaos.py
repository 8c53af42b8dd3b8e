#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything at once, by chance: the reader sees nothing wrong, and in the end all is in step.

The seed is printed; HOLDFAST_SEED=N makes the same choices again (not the same moments), and
HOLDFAST_CHAOS_S=N goes on for longer.
"""

import os
import random
import sys
import time

from installation import Installation, expect_zone
from processes import Cases
from proxy import Proxy
from servers import Knotd, Named

COUNT = 500
CHAOS_S = float(os.environ.get("HOLDFAST_CHAOS_S", 10))
PROXY_MODES = ("pass", "pass", "mute", "deaf", "cut", "cut-short", "slow", "hold", "hold", "hold",
               "refuse")

case = Cases()


class Chaos:
    def __init__(self, prod, proxy, plans, roles, chance):
        self.prod, self.proxy, self.plans = prod, proxy, plans
        self.roles, self.chance = roles, chance
        self.gens = dict.fromkeys(range(COUNT), 1)

    def publish(self):
        first = self.chance.randrange(COUNT)
        last = self.chance.randrange(first, COUNT) + 1
        times = self.chance.randrange(1, 4)
        gen = self.plans(f"publish {times} {first} {last}")
        self.gens.update(dict.fromkeys(range(first, last), gen))

    def pause(self):
        self.prod.pause(self.chance.choice(self.roles))

    def resume(self):
        for role in self.chance.sample(self.roles, 2):
            role.resume()

    def kill(self):
        self.chance.choice(self.roles).restart()

    def network(self):
        self.proxy.mode = self.chance.choice(PROXY_MODES)
        if self.proxy.mode != "hold":
            self.proxy.release_quietly()

    def server(self):
        how = self.chance.randrange(3)
        if how == 0:
            self.prod.server.restart(kill=True)
        elif how == 1:
            self.prod.server.pause()
            time.sleep(self.chance.random() * 1.5)  # the fault itself: a server that hangs
            self.prod.server.resume()
        else:
            self.prod.server.restart()

    def calm(self):
        time.sleep(self.chance.random() * 0.4)  # no event for a while is one of the events

    def step(self):
        self.chance.choices(
            (self.publish, self.pause, self.resume, self.kill, self.network, self.server,
             self.calm), (8, 3, 4, 2, 4, 0.6, 8))[0]()

    def end(self):
        self.proxy.mode = "pass"
        self.proxy.release_quietly()
        for role in self.roles:
            role.resume()


@case(Knotd, Named)
def chaos_ends_in_step(kind):
    seed = int(os.environ.get("HOLDFAST_SEED", random.randrange(10**9)))
    print(f"# seed {seed}", flush=True)
    with kind(zones=["example.test"]) as server, Proxy(server.port) as proxy, \
            Installation(server, batch=5, window=4, timeout="1s") as prod:
        plans = prod.plans()
        plans(f"publish 1 0 {COUNT}")
        roles = [prod.enactor(1, port=proxy.port), prod.enactor(2), prod.enactor(3)]
        for number in (1, 2, 3):
            prod.wait_in_step(COUNT, number)
        plans("claim")
        roles.append(prod.janitor())
        chaos = Chaos(prod, proxy, plans, roles, random.Random(seed))
        with prod.reader(COUNT) as reader:
            until = time.monotonic() + CHAOS_S
            while time.monotonic() < until:
                chaos.step()
            chaos.end()
            chaos.publish()
            head = plans("publish 1 0 1")
            chaos.gens[0] = head
            for number in (1, 2, 3):
                prod.wait_in_step(COUNT, number, head)
            expect_zone(prod, chaos.gens)
            counts = reader.expect_clean()
        print(f"# {kind.kind}: head {head}; {counts}")
        for role in roles:
            role.stop()


if __name__ == "__main__":
    sys.exit(case.main())
