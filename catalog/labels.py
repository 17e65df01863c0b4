"""Labels in canonical form: what may stand on an axis, and when two of them are one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from catalog.vocabulary import ordered, parameter_name
from ensemble import InvalidInput

Label = int | float

NEAR = 1e-9
"""Labels closer than this, relative to the larger, are taken for the same number mistyped."""

POINT = "point"
"""The dimension along which scattered points lie."""


def by_name(where: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with symbols replaced by names."""
    result: dict[str, Any] = {}
    for text, value in given.items():
        name = POINT if text == POINT else parameter_name(text)
        if name in result:
            raise InvalidInput(f"{name} is given twice under {where}: keep one")
        result[name] = value
    return result


def label(name: str, value: Any) -> Label:
    """A label in canonical form: N an int, others floats of 15 significant digits.

    Rounding there makes 0.1 + 0.2 and 0.3 one label, where exact matching would see two.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise InvalidInput(f"{name} must be a number, but is {value!r}: give e.g. {name} = 1")
    try:
        finite = math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        finite = False
    if not finite:
        raise InvalidInput(f"{name} must be finite, but is {value!r}: give e.g. {name} = 1")
    if name == "N":
        if int(value) != value:
            raise InvalidInput(f"N must be a whole number, but is {value!r}: use N = 1, 2, 3, …")
        return int(value)
    return float(f"{float(value):.15g}")


def axis_labels(name: str, values: Any) -> tuple[Label, ...]:
    """The labels of an axis: strictly ascending, and no two nearly equal."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidInput(
            f"axis {name} must be a list of numbers, but is {values!r}: a single value goes "
            "under fixed"
        )
    labels = tuple(label(name, value) for value in values)
    if not labels:
        raise InvalidInput(f"axis {name} is empty: give at least one label or remove it")
    for lower, upper in itertools.pairwise(labels):
        if abs(upper - lower) <= NEAR * max(abs(upper), abs(lower)):
            raise InvalidInput(
                f"axis {name} has the label {lower!r} twice or nearly so ({upper!r} follows): "
                "keep one of them"
            )
        if upper < lower:
            raise InvalidInput(
                f"axis {name} must be ascending, but {upper!r} follows {lower!r}: sort the labels"
            )
    return labels


def scattered_labels(points: Mapping[str, Any]) -> dict[str, tuple[Label, ...]]:
    """Labels of the parameters that vary together, in canonical form."""
    found = {name: tuple(label(name, value) for value in points[name]) for name in ordered(points)}
    lengths = {name: len(labels) for name, labels in found.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidInput(f"points have unequal lengths {lengths}: give each point all of them")
    if 0 in lengths.values():
        raise InvalidInput("points are empty: give at least one, or leave them out")
    return found
