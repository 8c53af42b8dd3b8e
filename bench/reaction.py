# SPDX-License-Identifier: GPL-3.0-or-later
"""From a verdict to the answer: an endpoint's backend fails or returns.

verdict     the planner's log says what the check found, seen when the line is there
published   it says that the plan is in the store
answered    a UDP query sees the other number of addresses

Log and server are looked at in turn every 0.3 ms, so that both ends are late by the same. In the
same run, turn by turn with the flips: a durable commit of a store in the same folder
(bench/commit.c) and an UPDATE of one name (bench/raw.c, to the reply).

Three scenes: nothing else happens, and raw.c has a server of its own that began alike, so that each
finds it as its own change before left it; a backend returns to all other endpoints, which is not
urgent, while backends fail, and raw.c changes another name of the same zone meanwhile; a backend is
shared by many endpoints, beside raw.c with as many names in the defaults' batches.
"""

import math
import random
import statistics
import threading
import time

import servers
from fleet import BACKENDS, BATCHES, WINDOWS, BenchError, cpu_s, ready, wait_until
from goals import judge, tried
from rawserver import SHAPE, Commits, Raw
from watch import PLAN_LOOK_S, Asker, Tail, watch_serials

KINDS = (servers.Knotd, servers.Named)
ENACTORS = 3
FLIPPED = tuple(f"flip{i}" for i in range(10))
STALL_MS = 100
PAUSE_S = {"knotd": (0.05, 1.05), "named": (0.1, 0.2)}
SAMPLES = 400  # names that are asked whether a bulk change has reached them
FLIP_S = 60
ROLLOUT_S = 30  # of one bulk change are looked at
UPDATE_PAUSE_S = 0.1
IDLE, BUSY = 1.5, 3.0  # to be reached: times commit and UPDATE; times an UPDATE


class Reactor:
    """Flips backends of a fleet that is in step, and sees what comes of it."""

    def __init__(self, fleet, groups):
        self.fleet = fleet
        self.zone = fleet.zones[0]
        self.tail = Tail(fleet.planner)
        self.askers = {group: Asker(fleet.server, f"{group}-0.{self.zone}", "A")
                       for group in groups}
        self.down = set()

    def close(self):
        for asker in self.askers.values():
            asker.close()
        self.tail.close()

    def flip(self, group):
        """The state file says otherwise of the group's first backend."""
        self.tail.events()
        self.down ^= {f"{group}-1"}
        self.fleet.states(self.down)

    def react(self, group):
        """One flip of one endpoint, in milliseconds."""
        times = {}
        self.flip(group)
        wanted = 4 if f"{group}-1" in self.down else 5
        begun = time.time()
        while len(times) < 3:
            now = time.time()
            for event in self.tail.events():
                if event == "verdict" or (event == "plan_published" and "verdict" in times):
                    times.setdefault(event, now)
            if ("verdict" in times and "answered" not in times
                    and self.askers[group].count() == wanted):
                times["answered"] = time.time()
            if now - begun > FLIP_S:
                raise BenchError(f"a flip was not answered in {FLIP_S} s, only {list(times)}")
            time.sleep(PLAN_LOOK_S)
        return {"publish_ms": 1000 * (times["plan_published"] - times["verdict"]),
                "write_ms": 1000 * (times["answered"] - times["plan_published"]),
                "all_ms": 1000 * (times["answered"] - times["verdict"])}


class Scene(Reactor):
    """A fleet in step, with what measures beside it."""

    def __init__(self, kind, sizes):
        self.shared = sizes["shared"]
        fleet, _ = ready(kind, sizes["reaction"], ENACTORS, twins=1,
                         groups={**{group: 1 for group in FLIPPED}, "shared": self.shared})
        super().__init__(fleet, FLIPPED)
        self.raw = Raw(self.fleet.server, self.fleet.folder, self.shared,
                       prefix="r", installation="raw")
        self.raw("create 50 4")
        self.quiet_raw = Raw(self.fleet.twins[0], self.fleet.folder, 1,
                             prefix="r", installation="raw")
        self.quiet_raw("create 1 1")
        self.commits = Commits(self.fleet.folder)

    def close(self):
        self.raw.close()
        self.quiet_raw.close()
        self.commits.close()
        super().close()
        self.fleet.close()

    def everything_up(self):
        """As it was before bulk change and flips."""
        self.fleet.settle()
        self.down = set()
        self.fleet.states(self.down)
        self.fleet.drain()
        self.fleet.wait_for_records()
        self.fleet.settle()


def update_ms(sender):
    return sender("single 1 0")["us"][0] / 1000


def pause(kind):
    """Not in step with anybody's timers: knotd has one of a second after each change."""
    time.sleep(random.uniform(*PAUSE_S[kind]))


def idle(scene, flips):
    found, updates, commits = [], [], []
    fleet = scene.fleet
    before = fleet.sums()
    cpu = sum(cpu_s(role.pid) for role in fleet.enactors)
    for _ in range(flips):
        found.append(scene.react(FLIPPED[0]))
        updates.append(update_ms(scene.quiet_raw))
        commits.append(scene.commits(1)["store_us"][0] / 1000)
        pause(fleet.server.kind)
    cpu = sum(cpu_s(role.pid) for role in fleet.enactors) - cpu
    fleet.settle()
    after = fleet.sums()
    return {"flips": found, "update_ms": updates, "commit_ms": commits,
            "sums": {key: after[key] - before[key] for key in after},
            "enactors_cpu_ms": 1000 * cpu / flips}


class Bulk:
    """A backend returns to all the fleet's endpoints, as far as a sample of names shows it. Nothing
    of it is urgent."""

    def __init__(self, scene):
        fleet = scene.fleet
        names = random.sample(range(fleet.endpoints), min(SAMPLES, fleet.endpoints))
        self.waiting = [Asker(fleet.server, f"e{i}.{scene.zone}", "A") for i in names]
        fleet.undrain()
        wait_until(lambda: "plan_published" in scene.tail.events(), "the bulk change", 0.001)

    def is_on(self):
        """Some name of the sample still answers as before."""
        while self.waiting:
            if self.waiting[-1].count() != BACKENDS:
                return True
            self.waiting.pop().close()
        return False

    def close(self):
        for asker in self.waiting:
            asker.close()


class Updates:
    """Raw UPDATEs one after the other, beside what else happens, until it is closed."""

    def __init__(self, sender):
        self.ms, self.error, self.ended = [], None, threading.Event()
        self.thread = threading.Thread(target=self.run, args=(sender,))
        self.thread.start()

    def run(self, sender):
        try:
            while not self.ended.wait(UPDATE_PAUSE_S):
                self.ms.append(update_ms(sender))
        except (BenchError, OSError, ValueError) as error:
            self.error = error

    def close(self):
        self.ended.set()
        self.thread.join()
        if self.error:
            raise BenchError(f"raw beside it: {self.error}")


def during(scene, rollouts):
    """Backends that fail, and raw UPDATEs, that begin while bulk changes are under way."""
    flips, updates, seconds = [], [], []
    for _ in range(rollouts):
        bulk = Bulk(scene)
        begun = time.time()
        beside = Updates(scene.raw)
        try:
            for group in FLIPPED:
                if bulk.is_on() and time.time() - begun < ROLLOUT_S:
                    flips.append(scene.react(group))
        finally:
            bulk.close()
            beside.close()
        updates += beside.ms
        seconds.append(time.time() - begun)
        scene.everything_up()
    if not flips or not updates:
        raise BenchError("bulk changes were over before a flip began")
    return {"flips": flips, "update_ms": updates, "rollout_s": seconds}


def together(scene, times):
    """A backend that many endpoints share; raw.c with as many in the same batches and windows."""
    found = []
    for _ in range(times):
        fleet = scene.fleet
        before = fleet.sums()
        fleet.planner.skip_log()
        scene.flip("shared")
        first, last = watch_serials(fleet.server, fleet.zones, lambda: True)
        verdict = fleet.planner.wait_for("verdict")
        published = fleet.planner.wait_for("plan_published")
        plans = len(fleet.planner.lines("plan_published"))
        fleet.settle()
        after = fleet.sums()
        kind = fleet.server.kind
        raw = scene.raw(f"{SHAPE} {BATCHES[kind]} {ENACTORS * WINDOWS[kind]}")
        found.append({"plans": plans, "publish_ms": 1000 * (published - verdict),
                      "first_ms": 1000 * (first - verdict), "last_ms": 1000 * (last - verdict),
                      "raw_ms": 1000 * raw["seconds"], "fewest": raw["messages"],
                      **{key: after[key] - before[key] for key in after}})
    return {"times": found}


def one(kind, sizes):
    scene = Scene(kind, sizes)
    try:
        return {"idle": tried(idle, scene, sizes["flips"]),
                "together": tried(together, scene, sizes["togethers"]),
                "during": tried(during, scene, sizes["rollouts"])}
    finally:
        scene.close()


def measure(sizes):
    return {"endpoints": sizes["reaction"], "shared": sizes["shared"], "cases": [
        {"server": kind.kind, **tried(one, kind, sizes)} for kind in KINDS]}


def p99(values):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)]


def flips_of(case, key="all_ms"):
    return [flip[key] for flip in case["flips"]]


def idle_times(case, of):
    return of(flips_of(case)) / (of(case["commit_ms"]) + of(case["update_ms"]))


def busy_times(case):
    return statistics.median(flips_of(case)) / statistics.median(case["update_ms"])


def middle(case, key):
    return statistics.median(row[key] for row in case["times"])


def is_one_batch(case):
    """One plan, and nothing but the fewest messages, so that none waits for another's reply."""
    written = middle(case, "messages") - middle(case, "refused")
    return middle(case, "plans") == 1 and written <= middle(case, "fewest") + ENACTORS


def scene_of(case, scene):
    return case if "error" in case else case[scene]


def goals(result):
    count = f"{result['endpoints']:,}"
    for case in result["cases"]:
        where = case["server"]
        for of, name in ((statistics.median, "median"), (p99, "p99")):
            yield judge(
                f"reaction, {where}, {count} names, idle: {name} at most {IDLE} times commit + "
                "UPDATE", scene_of(case, "idle"),
                lambda case, of=of: (f"{idle_times(case, of):.2f} ({of(flips_of(case)):.1f} ms)",
                                     idle_times(case, of) <= IDLE))
        yield judge(
            f"reaction, {where}, during a rollout of {count}: median at most {BUSY:.0f} times an "
            "UPDATE", scene_of(case, "during"),
            lambda case: (f"{busy_times(case):.2f} ({statistics.median(flips_of(case)):.0f} ms)",
                          busy_times(case) <= BUSY))
        yield judge(
            f"reaction, {where}: {result['shared']:,} endpoints of one backend leave in one batch",
            scene_of(case, "together"),
            lambda case: (f"{middle(case, 'messages'):.0f} messages, of them "
                          f"{middle(case, 'refused'):.0f} refused; fewest "
                          f"{middle(case, 'fewest'):.0f}; last after "
                          f"{middle(case, 'last_ms'):.0f} ms", is_one_batch(case)))


def pair(values):
    return f"{statistics.median(values):.1f} / {p99(values):.1f}" if values else ""


def stalls(values):
    return sum(value > STALL_MS for value in values)


def tables(result):
    rows, costs, many = [], [], []
    for case in result["cases"]:
        for scene in ("idle", "during"):
            found = scene_of(case, scene)
            if "error" in found or not found["flips"]:
                continue
            updates = found["update_ms"]
            rows.append((case["server"], scene, len(found["flips"]),
                         *(pair(flips_of(found, key)) for key in
                           ("publish_ms", "write_ms", "all_ms")),
                         pair(found.get("commit_ms", [])), pair(updates),
                         f"{stalls(flips_of(found))}, {stalls(updates)}"))
        found = scene_of(case, "idle")
        if "error" not in found:
            each = {key: value / len(found["flips"]) for key, value in found["sums"].items()}
            costs.append((case["server"], *(f"{each[key]:.2f}" for key in each),
                          f"{found['enactors_cpu_ms']:.1f}"))
        found = scene_of(case, "together")
        if "error" not in found:
            keys = ("publish_ms", "first_ms", "last_ms", "raw_ms", "plans", "messages", "fewest",
                    "refused", "read")
            many.append((case["server"], *(f"{middle(found, key):.0f}" for key in keys)))
    yield (f"Verdict to answer, median / p99 in ms, {result['endpoints']:,} names, {ENACTORS} "
           "enactors", ("server", "meanwhile", "flips", "verdict to plan", "plan to answer",
                        "verdict to answer", "store commit", "raw UPDATE",
                        f"over {STALL_MS} ms: verdicts, raw"), rows)
    yield ("What a verdict took on an idle server, for each flip",
           ("server", "messages", "written", "refused", "unknown", "fences read back",
            "enactors CPU ms"), costs)
    yield (f"A backend that {result['shared']:,} endpoints share, medians",
           ("server", "verdict to plan, ms", "to first write", "to last write",
            "raw, the same messages, ms", "plans", "messages", "fewest", "refused",
            "fences read back"), many)
