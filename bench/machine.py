# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures were measured on."""

import os
import pathlib
import platform
import re
import sqlite3
import subprocess

import servers


def first_line(*words):
    result = subprocess.run(words, capture_output=True, text=True, timeout=20)
    return (result.stdout + result.stderr).strip().splitlines()[0]


def cpu_model():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found.group(1) if found else platform.machine()


def memory_gib():
    text = pathlib.Path("/proc/meminfo").read_text()
    return round(int(re.search(r"MemTotal:\s*(\d+)", text).group(1)) / 2**20, 1)


def facts(build):
    return {
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": memory_gib(),
        "kernel": platform.release(),
        "load_before": [round(load, 1) for load in os.getloadavg()],
        "holdfast": first_line(build / "holdfast", "--version"),
        "knotd": first_line(servers.program("knotd"), "--version"),
        "named": first_line(servers.program("named"), "-v"),
        "nsupdate": first_line("nsupdate", "-V"),
        "spin": first_line("spin", "-V"),
        "sqlite": sqlite3.sqlite_version,
        "commit": first_line("git", "rev-parse", "--short", "HEAD"),
    }
