"""The labels of a range: equally spaced, or in a constant ratio."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.arguments import as_number, shown
from catalog.names.labels import MOST_LABELS, label
from catalog.names.suggestion import suggestion
from ensemble import InvalidInput

RANGE_KEYS = ("start", "stop", "num", "spacing")
SPACINGS: dict[str, Callable] = {"linear": np.linspace, "geometric": np.geomspace}
DIGITS = 12
"""Significant digits, at most, of a number that a person would write."""
ROUNDING = 16 * float(np.finfo(float).eps)
"""Error that NumPy makes in a range, relative to its largest label or, if geometric, to each."""


def range_labels(name: str, given: Mapping[str, Any], *, whole: bool = False) -> list[float]:
    """The labels of a range ``{start, stop, num}`` with an optional ``spacing``.

    They are those of NumPy's linspace or geomspace, except that a label within rounding of a
    number of at most 12 digits is that number: 0.3 in place of 0.30000000000000004, and 0 in
    place of 5.5e-17.  The ends are as given.

    Parameters
    ----------
    name : str
        Of the axis.
    given : mapping
    whole : bool
        Whether the parameter takes whole numbers.

    Raises
    ------
    InvalidInput
        If a key is unknown, missing or out of its range, or there are more than `MOST_LABELS`.

    Examples
    --------
    >>> range_labels("mu_1", dict(start=-0.3, stop=0.3, num=7))
    [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]
    """
    for key in given:
        if key not in RANGE_KEYS:
            raise InvalidInput(
                f"unknown key in axis {name} {shown(key)}{suggestion(key, RANGE_KEYS)}"
            )
    missing = [key for key in RANGE_KEYS[:3] if key not in given]
    if missing:
        raise InvalidInput(f"axis {name} lacks {', '.join(missing)}: give {{start, stop, num}}")
    start, stop = (label(name, given[end], whole=whole) for end in ("start", "stop"))
    num = as_number(given["num"])
    if not isinstance(num, int) or num < 2:
        raise InvalidInput(
            f"num of axis {name} must be a whole number ≥ 2, but is {shown(given['num'])}: write a "
            f"single label as {name} = [{start!r}]"
        )
    if num > MOST_LABELS:
        raise InvalidInput(
            f"num of axis {name} must be at most {MOST_LABELS}, but is {shown(num)}: take "
            "fewer labels, or make several sweeps"
        )
    if stop < start:
        raise InvalidInput(
            f"axis {name} must be ascending, but stop = {stop!r} lies below start = {start!r}: "
            "swap them"
        )
    spacing = given.get("spacing", "linear")
    if not isinstance(spacing, str) or spacing not in SPACINGS:
        raise InvalidInput(
            f"unknown spacing {shown(spacing)} of axis {name}{suggestion(spacing, SPACINGS)}"
        )
    if spacing == "geometric" and not start > 0:
        raise InvalidInput(f"axis {name} has geometric spacing: start it above 0, not {start!r}")
    with np.errstate(all="ignore"):
        values = SPACINGS[spacing](start, stop, num)
    if not np.isfinite(values).all():
        raise InvalidInput(
            f"axis {name} from {start:g} to {stop:g} is wider than a number can be: bring start "
            "and stop closer"
        )
    inside = _as_written(values[1:-1], max(abs(start), abs(stop)), geometric=spacing == "geometric")
    return [start, *inside, stop]


def _as_written(values: NDArray, largest: float, *, geometric: bool) -> list[float]:
    """The values without the rounding errors of their computation, where these can be told."""
    written = []
    for value in values.tolist():
        allowed = ROUNDING * (abs(value) if geometric else largest)
        # The error of a linear range is absolute: a small label has fewer digits that count.
        lost = 0 if geometric or not value else _place(largest) - _place(value)
        short = float(f"{value:.{DIGITS - lost}g}") if lost < DIGITS else 0.0
        written.append(short if abs(short - value) <= allowed else value)
    return written


def _place(value: float) -> int:
    """Decimal place of the first digit."""
    return math.floor(math.log10(abs(value)))
