"""Pinned points side by side: their parameters, values, and differences from the first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from heatcat.browser.panels.click_table import Cell, cell
from heatcat.browser.panels.explain import array_of
from heatcat.browser.panels.point import Point, load_point
from heatcat.browser.shown.labels import explanation, figure, number, symbol_of
from heatcat.browser.shown.sheet import Sheet

MOST_PINS = 6
"""Most points side by side: more do not fit beside each other."""

At = Mapping[str, float]


@dataclass(frozen=True)
class Pin:
    """A pinned point: its letter and everything that is stored there."""

    letter: str
    at: dict[str, float]
    point: Point


def load_pins(sheet: Sheet, pins: Sequence[At], *, derived: str = "") -> list[Pin]:
    """Read pinned points of a sweep: those beside the grid, others at the nearest labels.

    Parameters
    ----------
    sheet : Sheet
    pins : sequence of mapping of str to number
        A label of each dimension; a dimension that is missing takes its first label to show.
    derived : str
        A variable to add where it is not stored, such as the one on the map.
    """
    extra = [derived] if derived and derived not in sheet.data else []
    return [
        Pin(letter, place, load_point(sheet, place, derived=extra))
        for letter, place in lettered(sheet, pins).items()
    ]


def lettered(sheet: Sheet, pins: Sequence[At]) -> dict[str, dict[str, float]]:
    """The labels of pinned points by their letters, the same on the map and in the table."""
    found = {}
    first = sheet.first()
    for letter, at in zip(ascii_uppercase, pins[:MOST_PINS], strict=False):
        place = {dim: _label(at.get(dim), first[dim]) for dim in sheet.dims}
        if not sheet.is_scattered(place):
            place = {dim: sheet.nearest(dim, value) for dim, value in place.items()}
        found[letter] = place
    return found


def _label(given: Any, otherwise: float) -> float:
    """A label of a pin; an address may hold anything in its place."""
    real = isinstance(given, int | float) and not isinstance(given, bool)
    return given if real and math.isfinite(given) else otherwise


def as_table(sheet: Sheet, pins: Sequence[Pin]) -> dict[str, Any]:
    """Content of a table with a column for each pin; below values, what differs from the first."""
    if not pins:
        return {}
    heads = []
    for i, pin in enumerate(pins):
        letter = pin.letter
        show = cell("show", send=f"show {i}", label=f"choose point {letter}")
        remove = cell("×", send=f"remove {i}", label=f"remove pin {letter}")
        heads.append(cell(letter, parts=[cell(letter), show, remove]))
    rows = [
        _row(sheet, dim, [cell(number(pin.at[dim])) for pin in pins])
        for dim in sheet.dims
        if len(sheet.labels(dim)) > 1
    ]
    states = ["?" if pin.point.status is None else pin.point.status.label for pin in pins]
    rows.append(_row(sheet, "status", list(map(cell, states))))
    for name in dict.fromkeys(name for pin in pins for name in pin.point.numbers):
        values = [pin.point.numbers.get(name, math.nan) for pin in pins]
        later = [cell(figure(v), below=_difference(values[0], v)) for v in values[1:]]
        rows.append(_row(sheet, name, [cell(figure(values[0])), *later]))
    return {
        "caption": "pinned points; below a value, its difference from A and its ratio to A",
        "head": [cell(""), *heads],
        "rows": rows,
    }


def _difference(first: float, value: float) -> str:
    """The difference and the ratio.

    >>> _difference(2.0, 3.0), _difference(0.0, -3.0), _difference(float("nan"), 3.0)
    ('+1, ×1.5', '−3', '')
    """
    if not (math.isfinite(first) and math.isfinite(value)):
        return ""
    ratio = f", ×{value / first:.4g}" if first else ""
    return f"{value - first:+.4g}{ratio}".replace("-", "−")


def _row(sheet: Sheet, name: str, cells: Sequence[Cell]) -> list[Cell]:
    mark, about = "", ""
    if name in sheet.all_variables or name in sheet.data.variables:
        array = array_of(sheet, name)
        mark, about = symbol_of(array), explanation(array)
    text = f"{name}  {mark}" if mark and mark != name.replace("_", " ") else name
    return [cell(text, title=about, name=name), *cells]
