"""Warnings that users of the command line are shown."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from catalog import OlderSolver, SweepLeftOut
from heatcat import terminal

NOTES = (OlderSolver, SweepLeftOut)


@contextmanager
def notes_shown() -> Iterator[None]:
    """Print each warning of a category in `NOTES` in one line; other warnings are not shown."""
    with warnings.catch_warnings():
        for category in NOTES:
            warnings.simplefilter("always", category)
        warnings.showwarning = _print_note
        yield


def _print_note(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, NOTES):
        terminal.echo(f"note: {message}", err=True)
