#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates and the test runner can fail: each is shown a small tree that breaks its rule."""

import contextlib
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPDX = "/* SPDX-License-Identifier: GPL-3.0-or-later */\n"
GOOD = {
    "src/base/arena.h": SPDX + "#include <stddef.h>\nvoid *hf_arena_alloc(size_t size);\n",
    "src/base/arena.c": SPDX
    + '#include "base/arena.h"\n#include <stdlib.h>\n\n'
    + "void *hf_arena_alloc(size_t size)\n{\n    return malloc(size);\n}\n",
    "src/base/bits.c": SPDX
    + "int hf_bits(int set);\n\nint hf_bits(int set)\n{\n    return set & 1;\n}\n",
    "src/core/plan.c": SPDX
    + "int hf_bits(int set);\nint hf_plan(int set);\n\nstatic const char *const words[] = "
    + '{"strcpy(a, b)", "b"};\n\nint hf_plan(int set)\n{\n    return words[hf_bits(set)][0];\n}\n',
    "src/drill/queue.c": SPDX
    + "int hf_bits(int set);\nint hf_drill(int set);\n\n"
    + "int hf_drill(int set)\n{\n    return hf_bits(set);\n}\n",
    "src/base/text.h": SPDX + "#include <stdio.h>\n",
    "src/core/plan.h": SPDX,
    "src/codec/fence.h": SPDX,
    "README.md": "# Good title\n\n[there](#good-title), [file](src/base/arena.h), `make all`\n",
    "Makefile": "# SPDX-License-Identifier: GPL-3.0-or-later\nall:\n",
}
LONG_FUNCTION = "int hf_f(int a);\nint hf_f(int a)\n{\n" + "    a++;\n" * 68 + "    return a;\n}\n"

# (gate, file, what is added to it, what the gate must say)
BREAKS = [
    ("layering", "src/base/arena.c", '#include "core/plan.h"\n', "core is not below it"),
    ("layering", "src/core/plan.c", '#include "codec/fence.h"\n', "codec is not below it"),
    ("layering", "src/core/plan.c", "#include <stdlib.h>\n", "must not include <stdlib.h>"),
    ("layering", "src/core/plan.c", '#include "base/text.h"\n', "which includes <stdio.h>"),
    ("layering", "src/attic/old.c", SPDX, "not a room"),
    ("purity", "src/core/plan.c", "void *malloc(unsigned long);\nvoid *hf_m(void);\n"
     "void *hf_m(void)\n{\n    return malloc(4);\n}\n", "needs 'malloc'"),
    ("purity", "src/core/plan.c", "void *hf_arena_alloc(unsigned long);\nvoid *hf_m(void);\n"
     "void *hf_m(void)\n{\n    return hf_arena_alloc(4);\n}\n",
     "arena.c:7: needs 'malloc', and src/core/plan.c uses it"),
    ("purity", "src/drill/queue.c", "unsigned long time(void *at);\nint hf_m(void);\n"
     "int hf_m(void)\n{\n    return (int)time(0);\n}\n", "needs 'time'"),
    ("size", "src/core/plan.c", LONG_FUNCTION, "the function has 71 lines"),
    ("size", "src/core/plan.c", "/* " + "long " * 20 + "*/\n", "columns"),
    ("size", "src/core/plan.c", "\n" * 500, "the file has"),
    ("banned", "src/core/plan.c", "int atoi(const char *t);\nint hf_n(void);\nint hf_n(void)\n"
     "{\n    return atoi(\"1\");\n}\n", "plan.c:15: atoi is banned"),
    ("banned", "src/core/plan.c", "int hf_n(void);\nint hf_n(void)\n{\n    static int calls;\n"
     "    return calls++;\n}\n", "plan.c:14: 'calls' is a variable"),
    ("banned", "src/base/bits.c", "int hf_table[2] = {1, 2};\n", "'hf_table' is a variable"),
    ("banned", "src/base/bits.c", "static _Thread_local int seen;\nint hf_n(void);\n"
     "int hf_n(void)\n{\n    return seen++;\n}\n", "'seen' is a variable"),
    ("format", "src/core/plan.c", "int  hf_x( void );\n", "should be clang-formatted"),
    ("text", "src/core/new.c", "int hf_x(void);\n", "new.c:1: the first lines lack"),
    ("text", "README.md", "Look in /ho" "me/someone/x\n", "is a path of one machine"),
    ("text", "README.md", "This is still TO" "DO.\n", "a mark of unfinished work"),
    ("docs", "README.md", "[gone](docs/gone.md)\n", "README.md:4: the link 'docs/gone.md'"),
    ("docs", "README.md", "[gone](#no-such-heading)\n", "names no heading"),
    ("docs", "README.md", "Type `make coffee`.\n", "no target 'coffee'"),
]

# (name, program, lines that the runner must print)
PROGRAMS = [
    ("passes", "print('ok 1 - a')", ["1 passed, 0 failed"]),
    ("fails", "print('not ok 1 - a'); raise SystemExit(1)", ["0 passed, 1 failed"]),
    ("skips", "print('ok 1 - a # SKIP why'); print('ok 2 - b')", ["1 passed, 0 failed"]),
    ("silent", "pass", ["reported no case", "0 passed, 1 failed"]),
    ("lies", "print('ok 1 - a'); raise SystemExit(3)", ["exit status 3", "1 passed, 1 failed"]),
    ("stops", "print('1..3'); print('ok 1 - a')", ["announced 3", "1 passed, 1 failed"]),
    ("crashes", "print('ok 1 - a', flush=True); import os; os.abort()", ["SIGABRT"]),
    ("hangs", "print('ok 1 - a', flush=True); import signal; signal.pause()", ["ran out of time"]),
]


@contextlib.contextmanager
def small_tree(added):
    """A git work tree with the tools under test and the good files, some with lines added."""
    with tempfile.TemporaryDirectory() as name:
        tree = pathlib.Path(name)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "tools", tree / "tools", ignore=ignored)
        shutil.copy(ROOT / ".clang-format", tree)
        (tree / ".gitignore").write_text("build/\n")
        texts = dict(GOOD)
        for path, lines in added.items():
            texts[path] = texts.get(path, "") + lines
        for path, text in texts.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(text)
        subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
        yield tree


def build(tree):
    """What Meson would make of the rooms that gates look at."""
    for room in ("base", "core", "drill"):
        library = tree / "build" / "src" / room / f"libhf_{room}.a"
        objects = library.with_suffix(".a.p")
        objects.mkdir(parents=True)
        for source in sorted((tree / "src" / room).glob("*.c")):
            target = objects / f"{source.name}.o"
            command = ["cc", "-std=c17", "-fPIC", "-I", "src", "-c", "-o", str(target), str(source)]
            subprocess.run(command, cwd=tree, check=True)
        subprocess.run(["ar", "rc", str(library), *map(str, sorted(objects.iterdir()))], check=True)


def run_gate(gate, added):
    with small_tree(added) as tree:
        if gate in ("purity", "banned"):
            build(tree)
        done = subprocess.run(
            [tree / "tools" / "gates" / gate, tree / "build"], capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr


def gates_accept():
    for gate in ("layering", "purity", "size", "banned", "format", "text", "docs"):
        status, output = run_gate(gate, {})
        yield f"gate {gate} accepts a good tree", status == 0 and output == "", output


def gates_refuse():
    for number, (gate, path, lines, said) in enumerate(BREAKS, 1):
        status, output = run_gate(gate, {path: lines})
        yield f"gate {gate} refuses break {number}", status != 0 and said in output, output


def runner_counts():
    for name, program, said in PROGRAMS:
        with small_tree({f"tests/integration/test_{name}.py": program + "\n"}) as tree:
            (tree / "build").mkdir()
            done = subprocess.run(
                [tree / "tools" / "run-tests", "--integration", "--limit", "1", "--build", "build"],
                cwd=tree, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"},
            )
            right = all(line in done.stdout for line in said)
            failed = not done.stdout.endswith(" 0 failed\n")
            right = right and (done.returncode != 0) == failed
            yield f"the runner judges a program that {name}", right, done.stdout + done.stderr


def main():
    number = failed = 0
    for cases in (gates_accept(), gates_refuse(), runner_counts()):
        for name, right, output in cases:
            number += 1
            failed += not right
            print(f"{'ok' if right else 'not ok'} {number} - {name}", flush=True)
            if not right:
                print("".join(f"# {line}\n" for line in output.splitlines()), end="", flush=True)
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
