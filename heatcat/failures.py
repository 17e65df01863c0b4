"""What ends the command line early: one line on standard error, and an exit code."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import tomllib
import traceback
import zipfile
import zlib
from typing import NoReturn

import click

from catalog import RunStopped
from ensemble import InvalidInput
from heatcat import __version__, terminal

TRACEBACK = "HEATCAT_TRACEBACK"
"""Environment variable: if it is set, unexpected errors show their traceback."""
LONGEST_LINE = 1000
BUG = 70
"""Exit code of an error in heatcat itself: EX_SOFTWARE of sysexits.h."""
UNFIT = (
    *(RecursionError, MemoryError, UnicodeError, OverflowError, zipfile.BadZipFile, zlib.error),
    tomllib.TOMLDecodeError,
)
"""Exceptions of Python for input that is too large, nested too deeply, or of a wrong file type."""


def end(error: BaseException) -> NoReturn:
    """Say in one line what went wrong, and exit: with code 2 if it was expected.

    An unexpected error has exit code 70, and its traceback is kept.
    """
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "heatcat"
        fail(f"{error.format_message().rstrip('.')}: see {command} --help")
    if isinstance(error, (InvalidInput, click.ClickException)):
        fail(str(error))
    if isinstance(error, OSError):
        fail(f"{error}: check the path, its permissions and the free space")
    if isinstance(error, RunStopped):
        fail(str(error), code=1)
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        fail("interrupted: finished blocks are stored, run the same command to go on", code=130)
    if isinstance(error, UNFIT):
        _show_traceback(error)
        fail(
            f"the input cannot be used ({_in_short(error)}): make it smaller and simpler; with "
            f"{TRACEBACK}=1 you see where"
        )
    if _show_traceback(error):
        fail(f"internal error ({_in_short(error)}): please report it", code=BUG)
    fail(
        f"internal error ({_in_short(error)}): please report it with {_keep_traceback(error)}",
        code=BUG,
    )


def fail(message: str, *, code: int = 2) -> NoReturn:
    """Print a message as one line, and exit."""
    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE // 2]} … {line[-LONGEST_LINE // 2 :]}"
    terminal.echo(f"heatcat: {line}", err=True)
    sys.exit(code)


def _in_short(error: BaseException) -> str:
    text = str(error)[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _show_traceback(error: BaseException) -> bool:
    """Print the traceback if the user asked for it."""
    if not os.environ.get(TRACEBACK):
        return False
    traceback.print_exception(error)
    return True


def _keep_traceback(error: BaseException) -> str:
    """Write the traceback to a file; returns its name, or how to see the traceback."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="heatcat-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(f"heatcat {__version__} {shlex.join(sys.argv[1:])}\n".encode(
                "utf-8", "backslashreplace").decode())  # fmt: skip
            traceback.print_exception(error, file=file)
    except (OSError, UnicodeError):
        return f"what it prints with {TRACEBACK}=1"
    return f"the traceback in {file.name}, or with {TRACEBACK}=1"
