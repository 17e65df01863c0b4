"""One point of a stored sweep: its engine, what was found, and how to find it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.names.labels import Label
from ensemble import Engine, Solution, Status
from ensemble.method import Method


@dataclass(frozen=True)
class Point:
    """A point, computed or not.

    Attributes
    ----------
    labels : mapping of str to number
        All parameters by name.
    engine : Engine
    method : Method
    variables : tuple of str
        What the sweep computes.
    values, diagnostics : mapping
        What is stored, by name; NaN where undefined or not computed.
    status : Status
    error : str
        What failed, in one line.
    failure : mapping or None
        Input and traceback of a failed point, as they were kept.
    """

    labels: Mapping[str, Label]
    engine: Engine
    method: Method
    variables: tuple[str, ...]
    values: Mapping[str, float]
    diagnostics: Mapping[str, Any]
    status: Status
    error: str
    failure: Mapping[str, Any] | None

    @property
    def traceback(self) -> str:
        """Where the solve raised; empty unless the point failed."""
        return self.failure["traceback"] if self.failure else ""

    def reproduce(self) -> Solution:
        """Solve the point again, here and now; nothing is stored.

        A solver that raises raises here, too, so that a debugger can look at it.
        """
        return self.method.solve(self.engine, self.variables)

    def __repr__(self) -> str:
        labels = ", ".join(f"{name}={value!r}" for name, value in self.labels.items())
        error = f": {self.error}" if self.error else ""
        return f"<Point {labels}, {self.method.name}: {self.status.label}{error}>"


def parsed(failure: str) -> dict[str, Any] | None:
    """The kept input and traceback, None where nothing failed."""
    return json.loads(failure) if failure else None
