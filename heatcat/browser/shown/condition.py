"""Conditions in words on the points of a sweep, stored and derived variables alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from catalog.names.where import where_expression
from ensemble import InvalidInput
from heatcat.browser.shown.sheet import Sheet

LONGEST = 500
"""Most characters of a condition: a longer one does not fit into an address."""
WORD = re.compile(r"[^\W\d]\w*")


def condition_of(sheet: Sheet, text: str, *, without: Iterable[str] = ()) -> xr.DataArray | None:
    """Where a condition holds, on the dimensions of the sheet; None for an empty text.

    The catalogue's own reader of conditions (`catalog.where`) reads it: nothing is executed.

    Parameters
    ----------
    sheet : Sheet
    text : str
    without : iterable of str
        Names that the condition may have, and that have no value here.

    Raises
    ------
    InvalidInput
        If it is not understood, or depends on more than the point.
    """
    if not text.strip():
        return None
    if len(text) > LONGEST:
        raise InvalidInput(
            f"the condition has {len(text)} characters: write one of at most {LONGEST}"
        )
    words = set(WORD.findall(text))
    derived = [name for name in sheet.all_variables if name in words and name not in sheet.data]
    data = sheet.data.assign({name: sheet.select(name, {}) for name in derived})
    nowhere = xr.full_like(data[sheet.dims[0]], np.nan, dtype=float)
    data = data.assign({name: nowhere for name in without if name in words and name not in data})
    found = where_expression(data, text)
    inner = [str(dim) for dim in found.dims if dim not in sheet.dims]
    if inner:
        raise InvalidInput(
            f"the condition depends on {', '.join(inner)}: use variables that have one number at "
            "each point"
        )
    return found.transpose(*sheet.dims)


def masked(sheet: Sheet, text: str) -> Sheet:
    """The sheet whose variables are NaN where a condition does not hold.

    Raises
    ------
    InvalidInput
        As `condition_of`.
    """
    met = condition_of(sheet, text)
    if met is None:
        return sheet
    beside = sheet.scattered
    if beside is not None:
        there = condition_of(beside, text, without=sheet.all_variables)
        beside = replace(beside, met=there)
    return replace(sheet, met=met, scattered=beside)


def box_condition(ranges: Mapping[str, tuple[float, float]]) -> str:
    """The condition that points lie in a box.

    >>> box_condition({"delta_E": (2.0, 8.000001), "power": (1e-3, -1e-3)})
    '2 <= delta_E <= 8 and -0.001 <= power <= 0.001'
    """
    sides = []
    for name, (one, other) in ranges.items():
        low, high = min(one, other), max(one, other)
        # Six digits are enough for a box that was drawn by hand; more if its sides are closer.
        digits = 6 if high == low else max(6, 3 + round(-np.log10((high - low) / _size(low, high))))
        sides.append(f"{low:.{digits}g} <= {name} <= {high:.{digits}g}")
    return " and ".join(sides)


def _size(low: float, high: float) -> float:
    return max(abs(low), abs(high))
