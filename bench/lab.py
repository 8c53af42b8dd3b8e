# SPDX-License-Identifier: GPL-3.0-or-later
"""The model checker beside Spin, turn by turn, Holdfast's own world, and the simulator.

Spin and holdfast-lab both explore one protocol, written twice: bench/promela/race.pml and
src/lab/race.c. Spin is told to take no short cuts (spin -o2; pan with -DNOREDUCE -DNOCLAIM), so
that both have the same states and transitions to go through; this is checked. It is compiled for
speed (-O2 -DSAFETY) and keeps states whole (no -DCOLLAPSE, no hash compaction): -c0 goes on after
errors, -E ignores where processes may not end. Its figures are those that pan prints; the best run
of several counts, on both sides.

Holdfast's world is searched once each: its states are put together from the forms of their parts
("woven"), so that the production machines take few of the steps; --plain has them take every one.
"""

import json
import pathlib
import re
import subprocess
import tempfile

from fleet import build

MODEL = pathlib.Path(__file__).resolve().parent / "promela" / "race.pml"
CLAIM = "answered_plan_is_there"
TARGETS = {"states_per_second": 1000000, "bytes_per_state": 16, "seeds_s": 300, "ratio": 1000}
PLAIN = ("-DSAFETY", "-DNOREDUCE", "-DNOCLAIM")


def run(folder, *words, check=True):
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=900,
                          check=check).stdout


def number(pattern, text):
    found = re.search(pattern, text)
    return float(found.group(1)) if found else None


class Pan:
    """A verifier that Spin wrote."""

    def __init__(self, folder, *flags, options=()):
        self.folder = folder
        run(folder, "spin", *options, "-a", MODEL)
        run(folder, "cc", "-O2", *flags, "-o", "pan", "pan.c")

    def __call__(self, *words):
        text = run(self.folder, "./pan", *words, check=False)
        stored = number(r"(\d+) states, stored", text)
        seconds = number(r"elapsed time ([\d.e+-]+) seconds", text)
        rate = number(r"pan: rate\s+([\d.e+-]+) states/second", text)
        mib = number(r"([\d.]+)\s+actual memory usage for states", text)
        return {
            "states": int(stored),
            "transitions": int(stored + number(r"(\d+) states, matched", text)) - 1,
            "depth": int(number(r"depth reached (\d+)", text)),
            "seconds": seconds,
            "states_per_second": rate or (stored / seconds if seconds else None),
            "bytes_per_state": mib * 2**20 / stored if mib else None,
        }


def published(folder):
    """What is published for the public text, of ours."""
    pan = Pan(folder, "-DSAFETY")
    first = pan("-N", CLAIM)
    every = pan("-c0", "-N", CLAIM)
    nearest = Pan(folder, "-DSAFETY", "-DBFS")("-N", CLAIM)
    return {"first": first["states"], "nearest": nearest["depth"], "all": every["states"]}


def tool(folder, *words):
    text = run(folder, build() / "holdfast-lab", *words, "--output", "json", check=False)
    return json.loads(text)


def explored(folder, *words):
    found = tool(folder, "explore", "world", *words)
    if found["end"] not in ("complete", "full"):
        raise RuntimeError(f"{' '.join(words)}: {found['end']} {found['why']}")
    return {"flags": " ".join(words), **found}


def best(runs):
    return max(runs, key=lambda found: found["states_per_second"])


def measure(sizes):
    size = sizes["lab"]
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as name:
        folder = pathlib.Path(name)
        result = {"published": published(folder)}
        pan = Pan(folder, *PLAIN, options=("-o2",))
        spin, ours = [], []
        for _ in range(size["runs"]):
            spin.append(pan("-E", "-c0"))
            ours.append(tool(folder, "explore", "race", "--go-on", "1"))
        for key in ("states", "transitions"):
            if spin[0][key] != ours[0][key]:
                raise RuntimeError(f"{key}: Spin {spin[0][key]}, holdfast-lab {ours[0][key]}")
        result["spin"] = best(spin)
        result["race"] = best(ours)
        result["worlds"] = [explored(folder, *words) for words in size["worlds"]]
        result["simulate"] = tool(folder, "simulate", "storm", "--seeds", str(size["seeds"]))
        return result


def flags_of(found):
    return found["flags"].replace(" --plain", "").split(" --")


def shared(result):
    """The flags that all worlds have."""
    first = flags_of(result["worlds"][0])
    return [flag for flag in first if all(flag in flags_of(found) for found in result["worlds"])]


def exploring(result):
    """A row for Spin, and for each search of ours: (name, figures, steps of the machines)."""
    common = shared(result)
    yield "Spin, race.pml", result["spin"], ""
    yield "holdfast-lab, race", result["race"], ""
    for found in result["worlds"]:
        name = "plain" if "--plain" in found["flags"] else "woven"
        name += "" if found["end"] == "complete" else ", the first of them"
        steps = f"{found['base_steps']:,}" if "base_steps" in found else "all"
        own = " ".join(f"--{flag}" for flag in flags_of(found) if flag not in common)
        yield " ".join(f"world {own} ({name})".split()), found, steps


def tables(result):
    spin = result["spin"]["states_per_second"]
    rows = []
    for what, found, steps in exploring(result):
        rate = found["states_per_second"]
        rows.append((what, f"{found['states']:,}", f"{found['transitions']:,}", found["depth"],
                     f"{found['seconds']:.2f}", f"{rate:,.0f}",
                     f"{found['transitions'] / found['seconds']:,.0f}", f"{rate / spin:.2f}",
                     f"{found['bytes_per_state']:.1f}", steps))
    rows.append(("target, one core", "", "", "", "", f"{TARGETS['states_per_second']:,}", "", "",
                 TARGETS["bytes_per_state"], ""))
    common = " --".join(shared(result))
    yield (f"Exploring: Spin -o2, pan -O2 {' '.join(PLAIN)}, beside holdfast-lab; worlds {common}",
           ("", "states", "transitions", "depth", "s", "states/s", "transitions/s", "of Spin's",
            "octets a state", "steps of the machines"), rows)
    known = result["published"]
    yield ("Spin on race.pml, and what is published for the public text",
           ("", "here", "published"),
           [("states until the first violation", f"{known['first']:,}", "17,905"),
            ("steps to the nearest one", known["nearest"], "55"),
            ("states in all", f"{known['all']:,}", "163,166")])
    found = result["simulate"]
    ratio = found["simulated_ms"] / 1000 / found["seconds"]
    yield ("Simulating storms on all cores",
           ("", "seeds", "failures", "steps", "s", "seeds/s", "steps/s", "simulated : real time"),
           [("holdfast-lab simulate storm", f"{found['seeds']:,}", found["failures"],
             f"{found['steps']:,}", f"{found['seconds']:.1f}", f"{found['runs_per_second']:,.1f}",
             f"{found['steps'] / found['seconds']:,.0f}", f"{ratio:,.0f}"),
            ("target, two cores", "10,000", 0, "", TARGETS["seeds_s"],
             f"{10000 / TARGETS['seeds_s']:,.1f}", "", f"{TARGETS['ratio']:,}")])
