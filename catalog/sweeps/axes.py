"""The labels of an axis, and those of scattered points, from whatever holds numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from catalog.arguments import shown
from catalog.names.labels import MOST_LABELS, NEAR, Label, label
from catalog.names.ranges import range_labels
from catalog.names.term import Term
from catalog.names.vocabulary import Vocabulary
from ensemble import InvalidInput


def axis_labels(term: Term, values: Any) -> tuple[Label, ...]:
    """The labels of an axis: strictly ascending, and no two nearly equal.

    Parameters
    ----------
    term : Term
        The parameter.
    values : sequence, array, Index, Series, DataArray or mapping
        A mapping is a range, ``{"start": 1, "stop": 8, "num": 4, "spacing": "geometric"}``.
    """
    name = term.name
    if isinstance(values, Mapping):
        values = range_labels(name, values, whole=term.whole)
    labels = _labels(f"axis {name}", term, values)
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


def scattered_labels(terms: Vocabulary, points: Mapping[str, Any]) -> dict[str, tuple[Label, ...]]:
    """Labels of the parameters that vary together, in canonical form."""
    found = {
        name: _labels(f"points {name}", terms[name], points[name]) for name in terms.ordered(points)
    }
    lengths = {name: len(labels) for name, labels in found.items()}
    if len(set(lengths.values())) > 1:
        raise InvalidInput(f"points have unequal lengths {lengths}: give each point all of them")
    if 0 in lengths.values():
        raise InvalidInput("points are empty: give at least one, or leave them out")
    return found


def _labels(what: str, term: Term, values: Any) -> tuple[Label, ...]:
    """Labels of a list in its order; at most `MOST_LABELS` of them are looked at."""
    no_list = isinstance(values, str | bytes | bytearray | memoryview | set | frozenset | Mapping)
    if no_list or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        raise InvalidInput(
            f"{what} must be a list of numbers, but is {shown(values)}: a single value goes "
            "under fixed"
        )
    if isinstance(values, np.ma.MaskedArray):
        raise InvalidInput(f"{what} is a masked array: give its values without the masked ones")
    if hasattr(values, "__array__"):
        values = np.asarray(values)
    labels = tuple(
        label(term.name, value, whole=term.whole)
        for value in itertools.islice(values, MOST_LABELS + 1)
    )
    if len(labels) > MOST_LABELS:
        raise InvalidInput(
            f"{what} has more than {MOST_LABELS} labels: take fewer, or make several sweeps"
        )
    return labels
