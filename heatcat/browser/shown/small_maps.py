"""The shown map once for each label of another dimension, all with the same colours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ensemble import InvalidInput
from heatcat.browser.shown.labels import number, symbol_of
from heatcat.browser.shown.picture import Picture
from heatcat.browser.shown.plane import Plane, coloured, load_plane
from heatcat.browser.shown.sheet import Sheet

MOST_MAPS = 12


@dataclass(frozen=True)
class SmallMaps:
    """Maps with one set of colours, and the labels that tell them apart."""

    planes: tuple[Plane, ...]
    texts: tuple[str, ...]
    labels: tuple[float, ...]
    note: str


def load_small_maps(sheet: Sheet, picture: Picture, over: str) -> SmallMaps:
    """Read the map of a picture at every label of ``over``.

    Raises
    ------
    InvalidInput
        If the picture is a curve, or the variable has no further dimension of this name.
    """
    if not picture.y:
        raise InvalidInput("this view is a curve: choose a dimension up (y) to get maps")
    others = other_dims(sheet, picture)
    if over not in others:
        raise InvalidInput(
            f"{picture.variable} has no further dimension {over!r}: choose from {', '.join(others)}"
            if others
            else f"{picture.variable} has no dimension beside those of the map"
        )
    every = sheet.labels(over)
    chosen = every[np.unique(np.linspace(0, len(every) - 1, MOST_MAPS).round().astype(int))]
    planes = [
        load_plane(sheet, replace(picture, at={**picture.at, over: label.item()}))
        for label in chosen
    ]
    values = np.concatenate([plane.every_value for plane in planes])
    planes = [coloured(plane, picture, values) for plane in planes]
    mark = symbol_of(sheet.data[over])
    left_out = len(every) - len(chosen)
    return SmallMaps(
        planes=tuple(planes),
        texts=tuple(f"{mark} = {number(label)}" for label in chosen),
        labels=tuple(label.item() for label in chosen),
        note=f"{len(chosen)} of {len(every)} labels of {mark}, evenly chosen" if left_out else "",
    )


def other_dims(sheet: Sheet, picture: Picture) -> list[str]:
    """Dimensions of the variable that are not on the map, with two labels or more."""
    return [
        dim
        for dim in sheet.dims_of(picture.variable)
        if dim not in picture.axes and len(sheet.labels(dim)) > 1
    ]
