# SPDX-License-Identifier: GPL-3.0-or-later
"""Durable commits: the store beside a bare write and fdatasync, turn by turn on the same disk."""

import pathlib
import statistics
import tempfile

from rawserver import Commits
from reaction import p99


def measure(sizes):
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as folder:
        with Commits(pathlib.Path(folder)) as commits:
            found = commits(sizes["commits"])
    return {key: [round(value) for value in values] for key, values in found.items()}


def tables(result):
    rows = []
    for key, what in (("store_us", "store: object and ref, one transaction"),
                      ("sync_us", "write of 512 octets and fdatasync")):
        values = [us / 1000 for us in result[key]]
        rows.append((what, len(values), f"{statistics.median(values):.2f}", f"{p99(values):.2f}",
                     f"{1000 / statistics.fmean(values):,.0f}"))
    yield ("Durable commits", ("", "commits", "median ms", "p99 ms", "a second"), rows)
