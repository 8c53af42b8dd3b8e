# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be reached, as rows of one table: (goal, what was measured, whether it is reached).

A step that fails is a row that says why, and ends nothing else.
"""

import statistics
import traceback

WHY_MAX = 160


def tried(measure, *args, **options):
    """What it returns, or {"error": why it failed}."""
    try:
        return measure(*args, **options)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return {"error": f"{type(error).__name__}: {error} ({where.name})"[:WHY_MAX]}


def judge(goal, case, look):
    """look(case) gives the words for what was measured and whether the goal is reached (None: it
    is a figure without a goal)."""
    failed = case.get("error") if isinstance(case, dict) else "no such case"
    if not failed:
        words = tried(look, case)
        if not isinstance(words, dict):
            return (goal, *words)
        failed = words["error"]
    return (goal, f"not measured: {failed}", None)


def median(rows, key):
    return statistics.median(row[key] for row in rows)
