"""Labels in canonical form: what an axis may hold, and when two labels count as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catalog.arguments import as_number, is_finite, shown
from catalog.names.vocabulary import POINT, Vocabulary
from ensemble import InvalidInput

Label = int | float

SAME = 1e-12
"""Labels closer than this, relative to the larger, are one number that was computed in two ways."""

NEAR = 1e-9
"""Labels closer than this, relative to the larger, are taken for the same number mistyped."""

RESIDUE = 8 * float(np.finfo(float).eps)
"""Relative to the largest label of an axis: a smaller one may be 0 with a rounding error."""

MOST_LABELS = 100_000
"""Most labels of an axis, and most scattered points, of one sweep."""


def by_name(terms: Vocabulary, where: str, given: Any, *, point: bool = False) -> dict[str, Any]:
    """The mapping with symbols replaced by names.

    Parameters
    ----------
    terms : Vocabulary
        Of the model.
    where : str
        What the mapping is, for the error message.
    given : mapping or pandas.DataFrame
    point : bool
        Whether it may speak of the dimension of scattered points.
    """
    if not isinstance(given, Mapping) and not _is_frame(given):
        raise InvalidInput(
            f"{where} must map names to values, but is {shown(given)}: write "
            f"{where}={{name: value}}"
        )
    result: dict[str, Any] = {}
    for text, value in given.items():
        is_point = point and isinstance(text, str) and text == POINT
        name = POINT if is_point else terms.parameter_name(text)
        if name in result:
            raise InvalidInput(f"{name} is given twice under {where}: keep one")
        result[name] = value
    return result


def _is_frame(given: Any) -> bool:
    """Whether it is a DataFrame, without importing pandas."""
    return hasattr(given, "columns") and hasattr(given, "items") and not isinstance(given, type)


def label(name: str, value: Any, *, whole: bool = False) -> Label:
    """A label in canonical form: an int or a float, exactly as it is given.

    Parameters
    ----------
    name : str
        Of the parameter.
    value
    whole : bool
        Whether the parameter takes whole numbers.  What lies within rounding of one is that
        number: NumPy's geomspace(1, 8, 4) ends in 7.999999999999999.
    """
    number = as_number(value)
    if number is None:
        raise InvalidInput(f"{name} must be a number, but is {shown(value)}: give e.g. {name} = 1")
    if not is_finite(number):
        raise InvalidInput(f"{name} must be finite, but is {shown(value)}: give e.g. {name} = 1")
    if whole:
        nearest = round(number)
        if abs(number - nearest) > SAME * abs(number):
            raise InvalidInput(
                f"{name} must be a whole number, but is {shown(value)}: use {name} = 1, 2, 3, …"
            )
        return nearest
    return float(number) + 0.0  # the sum turns −0.0 into 0.0, which has another text


def slack(labels: ArrayLike, relative: float) -> NDArray[np.float64]:
    """How far from each label of an axis a number may lie to be taken for it.

    That is a fraction of the label.  For a label that is 0, or may be 0 with a rounding error, it
    is the fraction of the distance to the nearest neighbour.

    Examples
    --------
    >>> slack([-0.5, -1e-17, 0.25], 1e-9).tolist()
    [5e-10, 2.5e-10, 2.5e-10]
    """
    axis = np.asarray(labels, dtype=float)
    found = relative * np.abs(axis)
    order = np.unique(axis)
    if order.size > 1:
        small = np.abs(axis) <= RESIDUE * np.abs(order).max()
        below, above = neighbours(axis[small], order)
        gaps = [np.where(np.isnan(n), np.inf, np.abs(n - axis[small])) for n in (below, above)]
        found[small] = relative * np.minimum(*gaps)
    return found


def neighbours(
    wanted: ArrayLike, axis: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The next smaller and the next larger label of an axis; NaN where there is none.

    The axis is sorted once, so that 10⁵ labels are compared with 10⁵ others in a moment.

    Examples
    --------
    >>> below, above = neighbours([2.0, 2.5], [3.0, 1.0, 2.0])
    >>> below.tolist(), above.tolist()
    ([1.0, 2.0], [3.0, 3.0])
    """
    numbers = np.asarray(wanted, dtype=float)
    order = np.concatenate([[np.nan], np.unique(np.asarray(axis, dtype=float)), [np.nan]])
    inner = order[1:-1]
    below = order[np.searchsorted(inner, numbers, side="left")]
    above = order[np.searchsorted(inner, numbers, side="right") + 1]
    return below, above


def matching(wanted: Label, axis: NDArray, margins: NDArray, relative: float) -> int | None:
    """Position of the label of an axis that a number stands for, None if there is none.

    Parameters
    ----------
    margins : ndarray
        Of the axis, by `slack`.
    """
    distances = np.abs(axis - float(wanted))
    near = np.flatnonzero(distances <= np.maximum(margins, relative * abs(wanted)))
    return int(near[np.argmin(distances[near])]) if near.size else None
