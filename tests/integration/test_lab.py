#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""holdfast-lab: explore, simulate, replay and compare, as people and scripts use them.

Every trace of tests/trace/lab is replayed by the unit test test_trace_lab."""

import json
import os
import pathlib
import pty
import signal
import subprocess
import sys
import tempfile

from probes import BUILD, Cases

case = Cases()
LAB = BUILD / "holdfast-lab"
EXPLORE_KEYS = {"model", "options", "states", "transitions", "depth", "finals", "healed", "seconds",
                "states_per_second", "bytes_per_state", "memory_bytes", "missed", "end", "why",
                "trace"}
WOVEN_KEYS = EXPLORE_KEYS | {"forms", "base_steps"}
SIMULATE_KEYS = {"model", "options", "first", "seeds", "failures", "steps", "seconds",
                 "runs_per_second", "simulated_ms", "interrupted", "why", "trace", "failed"}


def lab(*words, folder=None, status=0, **environment):
    """What it prints; standard error is empty where the status is 0."""
    done = subprocess.run([LAB, *map(str, words)], cwd=folder, text=True, capture_output=True,
                          env={**os.environ, **environment}, timeout=120)
    assert done.returncode == status, f"{words}: {done.returncode}, {done.stdout}{done.stderr}"
    assert status or not done.stderr, done.stderr
    return done.stdout + done.stderr


def lab_json(*words, **more):
    return json.loads(lab(*words, "--output", "json", **more))


@case
def two_phase_commit_has_as_many_states_as_published():
    found = lab_json("explore", "two-phase")
    assert set(found) == EXPLORE_KEYS, set(found) ^ EXPLORE_KEYS
    assert found["states"] == 288 and found["end"] == "complete", found
    assert found["options"] == {"managers": 3, "symmetry": 0, "careless": 0}
    assert found["trace"] is None and found["why"] == ""
    assert lab_json("explore", "two-phase", "--managers", 5)["states"] == 8832
    text = lab("explore", "--managers=5", "two-phase")
    assert "8,832" in text and "Complete" in text, text


@case
def a_large_search_keeps_its_promise_on_memory():
    found = lab_json("explore", "two-phase", "--managers", 7)
    assert found["end"] == "complete" and 8 < found["bytes_per_state"] <= 16, found


@case
def a_broken_invariant_is_told_written_and_replayed():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        text = lab("explore", "two-phase", "--careless", 1, folder=folder, status=1)
        assert "broken: agreement" in text and "  3  manager" in text, text
        trace = pathlib.Path(folder) / "two-phase-counterexample.trace"
        assert f"holdfast-lab replay {trace.name}" in text
        assert "model two-phase careless=1\nseed 0\nexpect broken agreement\n" in trace.read_text()
        told = lab("replay", trace)
        assert "As expected: broken agreement" in told and "coordinator commits" in told, told
        assert lab("replay", trace, "--quiet") == ""
        again = lab_json("replay", trace)
        assert again["met"] and again["end"] == "broken" and again["steps"] == 3, again


@case
def a_trace_that_ends_otherwise_is_a_failure():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        found = lab_json("explore", "two-phase", "--careless", 1, "--trace", "found.trace",
                         folder=folder, status=1)
        assert found["trace"] == "found.trace" and found["end"] == "broken", found
        trace = pathlib.Path(folder) / "found.trace"
        text = trace.read_text()
        trace.write_text(text.replace("expect broken agreement", "expect holds"))
        assert "Expected: holds" in lab("replay", "--quiet", trace, status=1)
        trace.write_text(text.replace(" careless=1", ""))
        assert "step 1 leads nowhere" in lab("replay", trace, status=1)
        trace.write_text(text.replace("step 1\n", "step one\n"))
        wanted = f"{trace}:5: found 'one', expected a number below 65536"
        assert wanted in lab("replay", trace, status=1)
        trace.write_text(text.replace("careless=1", "careless=2"))
        assert "found careless=2, expected a number 0 to 1" in lab("replay", trace, status=1)


@case
def a_canary_fails_in_simulation_and_is_minimised():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        found = lab_json("simulate", "two-phase", "--careless", 1, "--managers", 8, "--seeds", 500,
                         folder=folder, status=1)
        assert set(found) == SIMULATE_KEYS, set(found) ^ SIMULATE_KEYS
        assert found["failures"] > 0 and found["why"].startswith("agreement"), found
        seed = found["failed"][0]["seed"]
        trace = pathlib.Path(folder) / f"two-phase-seed-{seed}.trace"
        assert found["trace"] == trace.name
        steps = [line for line in trace.read_text().splitlines() if line.startswith("step")]
        assert len(steps) == 3, steps
        assert "As expected" in lab("replay", trace)
        text = lab("simulate", "two-phase", "--careless", 1, "--managers", 8, "--first", seed,
                   "--seeds", 1, folder=folder, status=1)
        assert "steps of" in text and "broken: agreement" in text, text


@case
def a_simulation_without_failures():
    one = lab_json("simulate", "two-phase", "--seeds", 300, "--steps", 50, "--twice-each", 3)
    assert one["seeds"] == 300 and one["failures"] == 0 and one["steps"] == 15000, one
    assert "No run failed." in lab("simulate", "two-phase", "--seeds", 20, "--jobs", 1)


# Holdfast's own world.

@case
def a_small_world_holds_in_every_state():
    found = lab_json("explore", "world", "--enactors", 3, "--endpoints", 2, "--batch", 2,
                     "--retires", 1, "--generations", 1, "--crashes", 1)
    assert set(found) == WOVEN_KEYS, set(found) ^ WOVEN_KEYS
    assert found["end"] == "complete" and found["states"] > 1000000, found
    assert found["healed"] > 0 and found["base_steps"] < found["states"], found


@case
def parts_and_whole_states_are_the_same_world():
    words = ("explore", "world", "--enactors", 2, "--generations", 1, "--crashes", 1,
             "--lost-replies", 1, "--retires", 1)
    woven, plain = lab_json(*words), lab_json(*words, "--plain")
    for key in ("states", "depth", "end"):
        assert woven[key] == plain[key], (key, woven, plain)


@case
def storms_are_weathered():
    found = lab_json("simulate", "storm", "--seeds", 500)
    assert found["failures"] == 0 and found["steps"] == 500 * 1500, found
    assert found["simulated_ms"] > 1000 * 1000 * found["seconds"], found


CANARIES = {  # of the model world: what is found without that check, and a world that shows it
    1: ("freeze", ["--enactors", 2, "--generations", 1, "--freezes", 1]),
    2: ("I2", ["--enactors", 2, "--generations", 2]),
    3: ("I4", ["--enactors", 1, "--generations", 1, "--cold", 1, "--edits", 1]),
    4: ("plan", ["--enactors", 1, "--planners", 2, "--generations", 0, "--retires", 1]),
}


@case
def every_canary_is_found_and_replayed():
    for canary, (word, words) in CANARIES.items():
        assert lab_json("explore", "world", *words)["end"] == "complete", words
        with tempfile.TemporaryDirectory(prefix="hf-") as folder:
            found = lab_json("explore", "world", *words, "--canary", canary, folder=folder,
                             status=1)
            assert found["end"] == "broken" and found["why"].startswith(f"{word}: "), found
            again = lab_json("replay", found["trace"], folder=folder)
            assert again["met"] and again["why"] == found["why"], again


# The outage.

def compare(*words, folder, status=0):
    return lab_json("compare", *words, folder=folder, status=status)


@case
def compare_shows_the_outage_and_that_holdfast_has_none():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        found = compare(folder=folder)
        assert (found["outage_steps"], found["wedge_steps"]) == (14, 12), found
        assert found["cloud_worst"] == "empty" and found["holdfast_worst"] == "rising", found
        assert found["holds"] and found["refused"] == 6, found
        refused = [line for line in found["holdfast"] if line["kind"] == "refused"]
        assert len(refused) == 6, refused
        assert [line["step"] for line in found["cloud"]] == list(range(1, 27)), found["cloud"]
        assert found["cloud"][13]["answers"] == [0, 4], found["cloud"][13]
        text = lab("compare", folder=folder)
        assert "14   none   4  harm" in text and "refused  the server refuses" in text, text
        assert max(map(len, text.splitlines())) <= 100, text
        assert "holdfast-compare.html" in text, text


@case
def the_page_of_compare_stands_alone():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        assert compare(folder=folder)["page"] == "holdfast-compare.html"
        html = (pathlib.Path(folder) / "holdfast-compare.html").read_text()
        assert html.startswith("<!doctype html>") and html.rstrip().endswith("</html>"), html[-99:]
        for foreign in ("http://", "https://", "<script", "<link", "<img", "url(", "@import",
                        " src=", " href="):
            assert foreign not in html, foreign
        assert os.listdir(folder) == ["holdfast-compare.html"]


@case
def a_page_replaces_the_old_one_or_leaves_it():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        page = pathlib.Path(folder) / "page.html"
        page.write_text("old")
        link = pathlib.Path(folder) / "link.html"
        link.symlink_to("page.html")
        assert compare("--page", link, folder=folder)["page"] == str(link)
        assert link.is_symlink() and "<!doctype" in page.read_text()
        page.write_text("old")
        said = lab("compare", "--plans", 2, folder=folder, status=1)
        assert "has no outage" in said and page.read_text() == "old", said
        said = lab("compare", "--page", "nowhere/page.html", folder=folder, status=1)
        assert "cannot write nowhere/page.html: No such file or directory" in said, said
        said = lab("compare", "--page", folder, folder=folder, status=1)
        assert f"cannot write {folder}: Is a directory" in said, said
        assert sorted(os.listdir(folder)) == ["link.html", "page.html"]


@case
def a_full_disk_loses_nothing_and_is_said():
    """A limit on the size of files stands for the disk; /dev/full for what is no regular file."""
    careless = ("two-phase", "--careless", 1, "--managers", 8)
    runs = (("compare", "--page", "old"), ("explore", *careless, "--trace", "old"),
            ("simulate", *careless, "--seeds", 500, "--trace", "old"))
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        old = pathlib.Path(folder) / "old"
        old.write_text("old")
        for words in runs:
            done = subprocess.run(["prlimit", "--fsize=20", LAB, *map(str, words)], cwd=folder,
                                  text=True, capture_output=True, timeout=120,
                                  preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
            assert done.returncode == 1, done
            assert "cannot write old: File too large" in done.stderr, done.stderr
            assert old.read_text() == "old" and os.listdir(folder) == ["old"], words
            said = lab(*words[:-1], "/dev/full", folder=folder, status=1)
            assert "cannot write /dev/full: No space left on device" in said, said


@case
def compare_fails_where_holdfast_would():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        found = compare("--careless", folder=folder, status=1)
        assert not found["holds"] and found["holdfast_worst"] == "older", found
        assert found["refused"] == 0, found
        assert "and yet" in lab("compare", "--careless", folder=folder, status=1)


@case
def compare_takes_other_worlds():
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        found = compare("--enactors", 2, "--endpoints", 4, "--plans", 6, "--age", 4, folder=folder)
        assert found["outage_steps"] == 18 and found["holds"], found
        assert "further away than --states-max" in lab("compare", "--states-max", 100,
                                                       folder=folder, status=1)


@case
def a_bound_that_ends_a_search_is_named():
    text = lab("explore", "two-phase", "--states-max", 287, status=1)
    assert "--states-max" in text, text
    lab("explore", "two-phase", "--states-max", 288)
    text = lab("explore", "two-phase", "--managers", 6, "--ring", 100, status=1)
    assert "--ring" in text, text
    found = lab_json("explore", "two-phase", "--managers", 8, "--memory", "1M", status=1)
    assert found["end"] == "full" and found["why"] == "no memory left", found


@case
def wrong_use_is_explained():
    wrong = [
        ([], "Usage"),
        (["explore"], "expected a model: holdfast-lab explore MODEL"),
        (["replay"], "expected a file: holdfast-lab replay FILE"),
        (["explor", "two-phase"], "no command 'explor'; did you mean 'explore'?"),
        (["explore", "three-phase"], "found model 'three-phase', expected one of: "),
        (["explore", "two-phase", "--manager", "3"],
         "no option --manager; did you mean --managers?"),
        (["explore", "two-phase", "--managers", "9"],
         "--managers: found '9', expected a number 1 to 8"),
        (["explore", "two-phase", "--managers", "3x"], "--managers: found '3x'"),
        (["explore", "two-phase", "--managers"], "--managers needs a value"),
        (["explore", "two-phase", "--memory", "1Q"], "--memory: found '1Q', expected a size"),
        (["explore", "two-phase", "more"], "unexpected argument 'more'"),
        (["explore", "storm"], "drawn from a seed: simulate it"),
        (["explore", "world", "--random", "1"], "drawn from a seed: simulate it"),
        (["compare", "world"], "unexpected argument 'world'"),
        (["compare", "--plans", "15"], "--plans: found '15', expected a number 1 to 14"),
        (["explore", "two-phase", "--output", "xml"], "--output: found 'xml'"),
        (["replay", "x", "--quiet=1"], "--quiet takes no value"),
        (["simulate", "two-phase", "-x"], "no option -x"),
    ]
    for words, message in wrong:
        assert message in lab(*words, status=2), words
    with tempfile.TemporaryDirectory(prefix="hf-") as folder:
        assert "No such file" in lab("replay", "nothing.trace", folder=folder, status=1)


@case
def help_comes_from_the_tables():
    assert "two-phase" in lab("--help") and "explore MODEL" in lab("--help")
    text = lab("explore", "two-phase", "--help")
    assert "--managers N" in text and "1 to 8 (3)" in text and "--states-max N" in text, text
    assert "--quiet" in lab("replay", "--help")
    assert "compare  " in lab("--help") and "--careless" in lab("compare", "--help")
    assert "0 to 1000 (60)" in lab("simulate", "storm", "--help")
    assert lab("--version").startswith("holdfast-lab ")
    assert "\x1b[" in lab("explore", "two-phase", "--color", "always")
    assert "\x1b[" not in lab("explore", "two-phase", NO_COLOR="1")


def interrupt(*words):
    """Ends it by SIGINT as soon as it shows progress on a terminal; the JSON that it prints."""
    terminal, end = pty.openpty()
    with subprocess.Popen([LAB, *map(str, words), "--output", "json"], text=True,
                          stdout=subprocess.PIPE, stderr=end) as process:
        os.close(end)
        seen = b""
        while b"/s" not in seen:
            seen += os.read(terminal, 4096)
        process.send_signal(signal.SIGINT)
        printed = process.stdout.read()
        assert process.wait(timeout=30) == 1, printed
    os.close(terminal)
    return json.loads(printed)


@case
def an_interrupt_ends_it_with_what_there_is():
    found = interrupt("explore", "two-phase", "--managers", 8, "--heal-each", 1)
    assert found["end"] == "interrupted" and found["states"] > 0, found
    found = interrupt("simulate", "two-phase", "--seeds", 10**9, "--steps", 100)
    assert found["interrupted"] and found["seeds"] > 0 and found["failures"] == 0, found


if __name__ == "__main__":
    sys.exit(case.main())
