#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's model of a server against knotd, named and pdns_server: a smoke of `make differential`.

The last case takes the prerequisites away from the model: that must be seen.
"""

import importlib.machinery
import importlib.util
import pathlib
import sys

from dnsprobe import Tap

MESSAGES = 5000  # for each server
CANARY_MESSAGES = 500
SEED = 20261125
LIMIT_S = 40
OWN = "holdfast"  # the category of what Holdfast itself sends


def load_run():
    path = pathlib.Path(__file__).resolve().parent.parent / "differential/run"
    loader = importlib.machinery.SourceFileLoader("differential", str(path))
    spec = importlib.util.spec_from_loader("differential", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def case_agrees(run, kind):
    outcome = run.compare(kind, MESSAGES, SEED, LIMIT_S)
    outcome.show(prefix="# ")
    assert outcome.complete and outcome.failed == 0, f"{outcome.failed} differences: see above"
    assert outcome.total >= MESSAGES, f"only {outcome.total} messages"
    for name, messages, agreed in outcome.categories:
        assert messages > 0, f"no message of the category {name}"
        assert name != OWN or messages == agreed, f"{messages - agreed} of Holdfast's own deviate"


def case_canary(run, kind):
    outcome = run.compare(kind, CANARY_MESSAGES, SEED, LIMIT_S, ["--careless", "--quiet"])
    assert outcome.complete and outcome.failed > 0, "a model without prerequisites was not noticed"


def main():
    tap, run = Tap(), load_run()
    for name, kind in run.ALL.items():
        tap.run(f"{name} and the model agree", case_agrees, run, kind)
    tap.run("a careless model is noticed", case_canary, run, run.ALL["named"])
    tap.end()


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    main()
