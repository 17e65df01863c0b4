"""Text for a terminal: text of a store or a file is shown literally and cannot act on the terminal.

Names, descriptions, units, messages and paths may hold control characters, which move the cursor
or rewrite what was shown, and square brackets, which Rich takes for markup.
"""

from __future__ import annotations

import atexit
import io
import json
import math
import os
import sys
import unicodedata
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

PIPE_WIDTH = 160
"""Columns of a table that is not shown on a terminal."""
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of Unicode: control and format characters, surrogates, line separators."""
HARMLESS = {"\u200c", "\u200d"}
"""Joiners, which some scripts need; they only change the shape of the letters beside them."""


def visible(text: object) -> str:
    r"""Text in one line; characters that act on a terminal are shown as their escapes.

    >>> print(visible("dE [meV]\x1b[2J\n"))
    dE [meV]\x1b[2J\n
    """
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in UNSEEN and character not in HARMLESS
        else character
        for character in str(text)
    )


class PlainConsole(Console):
    """A console that takes every text literally: no markup, no emoji names, no control characters.

    What the encoding of the terminal lacks is shown as its escape.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        """Rich sends every text through here: those it prints, and the cells of tables."""
        shown = visible(text).encode(self.encoding, "backslashreplace").decode(self.encoding)
        return super().render_str(shown, **options)


def stdout(width: int = PIPE_WIDTH) -> Console:
    """Console for results; in a pipe or a file, which has no width, lines have this width."""
    console = PlainConsole(soft_wrap=True)
    return console if console.is_terminal else PlainConsole(width=width)


def stderr() -> Console:
    """Console for progress and notes."""
    return PlainConsole(stderr=True, soft_wrap=True)


def echo(text: str, *, err: bool = False) -> None:
    """Print one line."""
    print(visible(text), file=sys.stderr if err else sys.stdout, flush=True)


def echo_json(value: Any) -> None:
    """Print a JSON document, in ASCII so that nothing in it can act on a terminal.

    JSON has neither NaN nor infinity: undefined numbers are null.
    """
    print(json.dumps(_plain(value), indent=2, allow_nan=False), flush=True)


def _plain(value: Any) -> Any:
    """Mappings and sequences as JSON has them, with None for numbers that are not finite."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def prepare() -> None:
    """Prevent errors on printing a letter that the encoding lacks, and to a closed pipe."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    atexit.register(_flush)


def _flush() -> None:
    """Write out what is left; at a closed pipe, Python's own flush would print a traceback."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # closed by the shell
                stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
