"""Hashes of source code: what changes results, without comments and docstrings."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import io
import re
import tokenize
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from ensemble import InvalidInput


@cache
def modules_hash(modules: Iterable[str], more: str = "") -> str:
    """SHA-256 over the code of some modules, without comments, docstrings and blank lines.

    Equal hashes mean the same code, whichever version of Python computed them.

    Parameters
    ----------
    modules : tuple of str
        Their full names; they need not be imported.
    more : str
        Goes into the hash as it is.

    Raises
    ------
    InvalidInput
        If a module has no source.
    """
    digest = hashlib.sha256(more.encode())
    for name in sorted(modules):
        code = _code(source_of(name))
        digest.update(name.encode() + b"\0" + code.encode() + b"\0")
    return digest.hexdigest()


def source_of(module: str) -> str:
    """The source of a module."""
    try:
        spec = importlib.util.find_spec(module)
        path = Path(spec.origin or "") if spec is not None else Path()
        return path.read_text(encoding="utf-8-sig")
    except (ImportError, ValueError, OSError, UnicodeDecodeError):
        raise InvalidInput(
            f"there is no source of the module {module!r}, which a model names: correct its modules"
        ) from None


@cache
def object_hash(thing: Any) -> str:
    """SHA-256 over the code of the file that defines a class or function.

    Of what was typed into a session, over the code of the class or function alone.

    Raises
    ------
    InvalidInput
        If there is no source at all.
    """
    try:
        file = inspect.getsourcefile(thing)
        if file is not None and Path(file).is_file():
            source = Path(file).read_text(encoding="utf-8-sig")
        else:
            source = inspect.cleandoc("\n" + inspect.getsource(thing))
    except (TypeError, OSError, UnicodeDecodeError):
        raise InvalidInput(
            f"there is no source of {thing.__qualname__}, by which its results could be told from "
            "those of another version: define it in a file"
        ) from None
    return hashlib.sha256(_code(source).encode()).hexdigest()


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
    wrong columns behind strings that have several lines and are not ASCII.  A syntax tree is
    not used: in Python 3.11, threads must not parse at the same time.
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
        elif kind == "COMMENT":  # it ends at the end of its line
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
