"""Two maps as one: their difference or their ratio, on the labels that both have."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemble import InvalidInput
from heatcat.browser.shown.axes import Axis, edges_of
from heatcat.browser.shown.picture import Picture
from heatcat.browser.shown.plane import Plane, coloured
from heatcat.browser.shown.states import State

RELATIONS = {"": "none", "difference": "difference", "ratio": "ratio"}


def related(
    first: Plane, second: Plane, relation: str, picture: Picture, names: tuple[str, str]
) -> Plane:
    """The difference or the ratio of two maps, cell by cell.

    Parameters
    ----------
    first, second : Plane
        With the same dimensions.
    relation : {"difference", "ratio"}
    picture : Picture
        Of the first; its scale and limits are not used.
    names : pair of str
        What the maps are called.

    Raises
    ------
    InvalidInput
        If they have no label in common, or a difference has no unit.
    """
    if relation == "difference" and _unit(first) != _unit(second):
        raise InvalidInput(
            f"{first.value_text} and {second.value_text} have no difference: choose the ratio, or "
            "variables of the same unit"
        )
    x, rows_x = _common(first.x, second.x)
    y, rows_y = _common(first.y, second.y)
    one = first.values[np.ix_(rows_y[0], rows_x[0])]
    other = second.values[np.ix_(rows_y[1], rows_x[1])]
    with np.errstate(all="ignore"):
        values = one - other if relation == "difference" else one / other
    values = np.where(np.isfinite(values), values, np.nan)
    sign = "−" if relation == "difference" else "/"
    marks = [plane.value_text.partition(" [")[0] for plane in (first, second)]
    same = marks[0] == marks[1]
    texts = [f"{marks[0]} of {names[0]}", f"{marks[1]} of {names[1]}"] if same else marks
    unit = f" [{_unit(first)}]" if relation == "difference" and _unit(first) else ""
    symbol = f"{texts[0]} {sign} {texts[1]}"
    plane = replace(
        first,
        variable=f"{first.variable}_{relation}",
        title=f"{relation}: {symbol}",
        value_text=f"{symbol}{unit}",
        x=x,
        y=y,
        values=values,
        status=None,
        states=np.full(values.shape, State.SHOWN, dtype=np.uint8),
        lines=(),
        kinds=(),
        note="",
        met=None,
        scattered=None,
    )
    return coloured(plane, replace(picture, scale="automatic", limits=(None, None)))


def _unit(plane: Plane) -> str:
    return plane.value_text.partition(" [")[2].rstrip("]")


def _common(first: Axis, second: Axis) -> tuple[Axis, list[NDArray[Any]]]:
    """The side with the labels that both have, and where these are on each."""
    labels, here, there = np.intersect1d(first.labels, second.labels, return_indices=True)
    if not labels.size:
        raise InvalidInput(
            f"the two maps have no label of {first.symbol} in common: no cell can be compared"
        )
    side = replace(first, labels=labels, edges=edges_of(labels - first.bound, first.log))
    return side, [here, there]
