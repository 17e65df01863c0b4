"""Where stored values come from: versions, source hash, commit, machine and time."""

from __future__ import annotations

import hashlib
import io
import platform
import re
import subprocess
import tokenize
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import ensemble

PACKAGES = ("heatcat", "numpy", "scipy", "xarray", "dask", "zarr")
OPTIONAL = ("pypardiso", "qutip")
"""Packages that may take part in a solve."""


@cache
def solver_hash() -> str:
    """SHA-256 over the code of ``ensemble``, without comments, docstrings and blank lines.

    Equal hashes mean the same solver, whichever version of Python computed them.
    """
    digest = hashlib.sha256()
    folder = Path(ensemble.__file__).parent
    for source in sorted(folder.rglob("*.py")):
        name = source.relative_to(folder).as_posix()
        code = _code(source.read_text(encoding="utf-8-sig"))
        digest.update(name.encode() + b"\0" + code.encode() + b"\0")
    return digest.hexdigest()


def _code(source: str) -> str:
    """The text without comments, docstrings, blank lines and blanks at the end of a line.

    Every statement that consists of plain strings alone counts as a docstring.  The inside of all
    other strings is kept as it is.
    """
    lines = re.split("\r\n|\r|\n", source)
    comments, docstrings, inside_strings = _positions("\n".join(lines))
    for number, length in comments.items():
        lines[number] = lines[number][: len(lines[number]) - length]
    return "\n".join(
        line if number in inside_strings else line.rstrip()
        for number, line in enumerate(lines)
        if number in inside_strings or (number not in docstrings and line.strip())
    )


def _positions(source: str) -> tuple[dict[int, int], set[int], set[int]]:
    """Where the text is to be cut, by lines (from 0).

    These are the lengths of the comments by line, the lines of docstrings, and the lines that end
    inside another string.  Of the tokens, only texts and numbers of lines are used: an f-string is
    one STRING up to Python 3.11 and FSTRING_START, …, FSTRING_END since 3.12, and 3.12.1 gives
    wrong columns behind strings that have several lines and are not ASCII.  A syntax tree would
    not do: in Python 3.11, threads must not parse at the same time.
    """
    comments: dict[int, int] = {}
    docstrings: set[int] = set()
    inside_strings: set[int] = set()
    strings: list[tuple[int, int]] = []  # first and last line of those in the statement
    only_strings = True
    opened: list[int] = []  # first lines of the f-strings that are not closed yet
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        first, last = token.start[0] - 1, token.end[0] - 1
        kind = tokenize.tok_name[token.type]
        if kind == "FSTRING_START":
            opened.append(first)
            only_strings = False
        elif kind == "FSTRING_END":
            inside_strings.update(range(opened.pop(), last))
        elif opened:
            continue
        elif kind == "COMMENT":  # it ends where the line does
            comments[first] = len(token.string)
        elif kind == "NEWLINE":
            if only_strings and strings:
                docstrings.update(range(strings[0][0], strings[-1][1] + 1))
            else:
                inside_strings.update(*(range(*lines) for lines in strings))
            strings, only_strings = [], True
        elif kind == "STRING":
            strings.append((first, last))
            prefix = token.string.partition(token.string[-1])[0]  # its last character is a quote
            only_strings &= "f" not in prefix.lower()  # an f-string is evaluated: no docstring
        elif kind not in ("NL", "INDENT", "DEDENT", "ENDMARKER"):
            only_strings = False
    return comments, docstrings, inside_strings


def provenance() -> dict[str, Any]:
    """Record of the software and machine at work, now."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "solver_hash": solver_hash(),
        "git": git_state(),
        "python": platform.python_version(),
        "host": platform.node(),
        "machine": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {
            name: version for name in (*PACKAGES, *OPTIONAL) if (version := _version(name))
        },
    }


@cache
def git_state() -> dict[str, Any] | None:
    """Commit of the source and whether it was changed since; None outside a git checkout."""
    folder = Path(ensemble.__file__).parent.parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=10
        ).stdout.strip()

    try:
        # An installed copy may lie below an unrelated repository: it must be tracked there.
        git("ls-files", "--error-unmatch", "ensemble/__init__.py")
        status = git("status", "--porcelain", "--untracked-files=no")
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(status)}
    except (OSError, subprocess.SubprocessError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
