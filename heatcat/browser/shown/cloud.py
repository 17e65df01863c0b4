"""A scatter of two variables: its points, their colours, the Pareto front, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from analyses.pareto import undominated
from ensemble import InvalidInput, Status
from heatcat.browser.shown.colours import Colours, Scale, colours_for
from heatcat.browser.shown.labels import symbol_of, with_unit
from heatcat.browser.shown.points import Points, beside_note, load_points, of_points, sample
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.sides import Side, side_of, suitable, suits_labels

MOST_SHOWN = 20_000
"""Most points of a scatter: more take a browser seconds to draw."""

FRONTS = {
    "none": (0, 0),
    "large x, large y": (1, 1),
    "large x, small y": (1, -1),
    "small x, large y": (-1, 1),
    "small x, small y": (-1, -1),
}
"""What is wanted of the two variables, and the signs that make it a maximum."""


@dataclass(frozen=True)
class Cloud:
    """A scatter, ready to be drawn.

    Attributes
    ----------
    points : Points
        Those that are drawn.
    front : Points or None
        The Pareto front, along x; all of it, also of points that are not drawn.
    x, y : Side
    colour : str
        Variable or parameter of the colours; "" for none.
    notes : tuple of str
        What is shown, and what is left out and why.
    """

    points: Points
    front: Points | None
    x: Side
    y: Side
    colour: str
    colour_text: str
    colour_scale: Scale
    colours: Colours | None
    notes: tuple[str, ...]

    @property
    def coloured(self) -> NDArray[np.float64]:
        """Numbers that the colours show."""
        return self.colour_scale.forward(self.points.columns[self.colour])


def load_cloud(
    sheet: Sheet,
    x: str,
    y: str,
    *,
    colour: str = "",
    at: Mapping[str, float] | None = None,
    selected: str = "",
    front: str = "none",
    scales: tuple[str, str] = ("auto", "auto"),
) -> Cloud:
    """Read a scatter of two variables or parameters.

    Parameters
    ----------
    sheet : Sheet
    x, y : str
    colour : str
        Variable or parameter; "" for none.
    at, selected
        As of `load_points`.
    front : str
        A key of ``FRONTS``.  Points on it have the status ok.
    scales : pair of {"auto", "linear", "log", "symlog"}

    Raises
    ------
    InvalidInput
        If there is no such variable or parameter, or as `load_points`.
    """
    names = [x, y, *([colour] if colour else [])]
    for name in names:
        if name not in (*sheet.dims, *of_points(sheet)):
            sheet.require(name)
    every = load_points(sheet, names, at=at, selected=selected)
    values = [np.asarray(every.columns[name], dtype=float) for name in (x, y)]
    sides = [
        _side(sheet, name, column, kind)
        for name, column, kind in zip((x, y), values, scales, strict=True)
    ]
    placed = np.logical_and(*(np.isfinite(s.drawn(v)) for s, v in zip(sides, values, strict=True)))
    if not placed.any() and every.met:
        raise InvalidInput(
            f"none of {every.met:,} points has both {x} and {y}: choose other variables, or wait "
            "until more is computed"
        )
    drawable = every.take(placed)
    shown = drawable.take(sample(drawable.met, MOST_SHOWN))
    best = _front(drawable, x, y, front)
    scale, colours = Scale(), None
    text = ""
    if colour:
        array, numbers = _array(sheet, colour), np.asarray(drawable.columns[colour], dtype=float)
        scale = _side(sheet, colour, numbers, "auto").scale
        colours = colours_for(colour, scale, scale.forward(numbers))
        text = with_unit(array)
    return Cloud(
        points=shown,
        front=best,
        x=sides[0],
        y=sides[1],
        colour=colour,
        colour_text=text,
        colour_scale=scale,
        colours=colours,
        notes=tuple(_notes(every, drawable, shown, best, sides, bool(selected))),
    )


def _array(sheet: Sheet, name: str) -> xr.DataArray:
    return sheet.data[name] if name in sheet.dims else sheet.select(name, {}).rename(name)


def _side(sheet: Sheet, name: str, values: NDArray[np.float64], kind: str) -> Side:
    if kind == "auto":
        kind = suits_labels(sheet.labels(name)) if name in sheet.dims else suitable(values)
    return side_of(_array(sheet, name), values, kind)


def _front(points: Points, x: str, y: str, front: str) -> Points | None:
    signs = FRONTS[front]
    if not all(signs):
        return None
    certified = points.take(points.status == Status.OK)
    columns = np.stack([certified.columns[name] for name in (x, y)], axis=-1).astype(float)
    return certified.take(undominated(columns * signs))


def _notes(
    every: Points,
    drawable: Points,
    shown: Points,
    front: Points | None,
    sides: list[Side],
    any_selected: bool,
) -> list[str]:
    marks = " or ".join(side.text.partition(" [")[0] for side in sides)
    notes = [f"{shown.met:,} of {every.total:,} points shown"]
    if beside := beside_note(shown):
        notes.append(beside)
    if every.met < every.total:
        notes.append(f"{every.total - every.met:,} do not meet the condition")
    if drawable.met < every.met:
        waiting = int(np.sum(every.status == Status.NOT_COMPUTED))
        why = [f"{waiting:,} not computed"] if waiting else []
        other = every.met - drawable.met - waiting
        why += [f"{other:,} without {marks} on these scales"] if other > 0 else []
        notes.append(", ".join(why))
    if shown.met < drawable.met:
        notes.append(f"drawn is an even random sample of {drawable.met:,}")
    doubtful = int(np.sum(shown.status > Status.OK))
    if doubtful:
        notes.append(f"{doubtful:,} whose status is not ok (crosses)")
    if any_selected:
        notes.append(f"{int(drawable.selected.sum()):,} selected")
    if front is not None:
        notes.append(f"Pareto front: {front.met:,} of them (diamonds)")
    return notes


def hover_names(sheet: Sheet, cloud: Cloud) -> dict[str, Any]:
    """Columns that the pointer shows of a point, with their texts."""
    texts = {dim: symbol_of(sheet.data[dim]) for dim in cloud.points.dims}
    texts |= {side.name: side.text for side in (cloud.x, cloud.y)}
    return texts | ({cloud.colour: cloud.colour_text} if cloud.colour else {})
