# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gates share: the files of the tree, C without comments, and how a finding is said."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""",
    re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)


def files(*suffixes):
    """Paths relative to ROOT of what is, or could be, committed; of these suffixes if any given."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    paths = sorted({pathlib.PurePosixPath(name) for name in listing.stdout.split("\0") if name})
    return [p for p in paths if (not suffixes or p.suffix in suffixes) and (ROOT / p).is_file()]


def text_of(path):
    return (ROOT / path).read_text(errors="replace")


def code_of(path):
    """C with the inside of comments and literals blanked; lines and columns stay."""
    return TOKEN.sub(blank, text_of(path))


def without_directives(code):
    return DIRECTIVE.sub(blank, code)


def blank(match):
    found = match.group(0)
    keep = found[0] if found[0] in "\"'" else " "
    return keep + re.sub(r"[^\n]", " ", found[1:-1]) + (keep if len(found) > 1 else "")


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


def line_of_word(path, word):
    """The first line of code that has the word; 1 where none has."""
    match = re.search(rf"\b{re.escape(word)}\b", code_of(path))
    return line_at(code_of(path), match.start()) if match else 1


def finish(findings):
    """Findings are (path, line, message). Ends the program."""
    for path, line, message in findings:
        print(f"{path}:{line}: {message}")
    sys.exit(1 if findings else 0)
