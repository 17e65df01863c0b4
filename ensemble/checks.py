"""Checks of input that are written once: what counts as a number, and how a value is quoted."""

from __future__ import annotations

import math
import reprlib
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ensemble.arrays import FloatArray
from ensemble.errors import InvalidInput

LONGEST = 60
"""Characters of a value that an error message quotes."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = LONGEST


def shown(value: object) -> str:
    """A value as an error message quotes it: on one line, cut where it is long.

    Examples
    --------
    >>> shown("a\\nb"), shown([1] * 1000), shown(10**5000)
    ("'a\\\\nb'", '[1, 1, 1, 1, 1, 1, ...]', 'a whole number of 5001 digits')
    """
    if isinstance(value, int) and abs(value) >= 10**LONGEST:
        return f"a whole number of {math.floor(math.log10(abs(value))) + 1} digits"
    try:
        text = " ".join(_SHORT.repr(value).split())
    except Exception:  # the repr is somebody else's code, or the value is nested too deeply
        return f"an object of type {type(value).__name__}"
    # Half of a character, as in a path that cannot be decoded, is shown as a backslash sequence.
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 2 * LONGEST else text[: 2 * LONGEST] + "…"


def as_number(value: Any) -> int | float | None:
    """A real number as a Python int or float (inf beyond a float's range), or None for all else.

    Numbers of Python, NumPy and the standard library count, and arrays with no dimension (a
    DataArray too).  Truth values, text, complex numbers, dates and missing values do not.

    Examples
    --------
    >>> as_number(np.float32(0.5)), as_number(Fraction(1, 4)), as_number(np.array(3))
    (0.5, 0.25, 3)
    >>> as_number(True), as_number("1"), as_number([1.0])
    (None, None, None)
    """
    if type(value) is float or type(value) is int:  # by far the most frequent
        return value
    if getattr(value, "ndim", None) == 0 and not isinstance(value, np.generic):
        if isinstance(value, np.ma.MaskedArray):
            return None
        value = np.asarray(value)[()]
    if isinstance(value, bool | np.timedelta64):
        return None
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating | Fraction | Decimal):
        try:
            return float(value)
        except OverflowError:
            return math.copysign(math.inf, value)
        except ValueError:  # a signalling NaN of Decimal
            return math.nan
    return None


def is_finite(number: float) -> bool:
    """Whether a number is finite and no larger than a float can hold."""
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond a float's range
        return False


def checked_times(times: ArrayLike) -> FloatArray:
    """Times of an evolution as an array, shape (times,).

    Raises
    ------
    InvalidInput
        If they are not finite, not ≥ 0 or not increasing.

    Examples
    --------
    >>> checked_times([0, 1]).tolist(), checked_times(3).tolist()
    ([0.0, 1.0], [3.0])
    """
    instants = np.atleast_1d(np.asarray(times, dtype=float))
    increasing = instants.ndim == 1 and instants.size > 0 and (np.diff(instants) > 0).all()
    if not (increasing and instants[0] >= 0 and np.isfinite(instants).all()):
        raise InvalidInput("times must be finite, ≥ 0 and increasing: sort them and drop repeats")
    return instants
