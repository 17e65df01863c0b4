"""The state of a page: everything that its link keeps, and what makes it fit a catalogue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import param

from catalog.names.suggestion import suggestion
from ensemble import InvalidInput
from heatcat.browser.shown.compare import RELATIONS
from heatcat.browser.shown.labels import number
from heatcat.browser.shown.picture import Picture, first_axes, first_variable, offered
from heatcat.browser.shown.scales import SCALES
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.source import Source

CURVE = "-"
"""In place of the dimension up: a curve is shown.  No parameter can have this name."""


class View(param.Parameterized):
    """What a page shows, in words and numbers that an address can hold."""

    sweep = param.String(default="", doc="Name of the sweep.")
    variable = param.String(default="", doc="Stored or derived variable.")
    x = param.String(default="", doc="Dimension across.")
    y = param.String(default="", doc="Dimension up; CURVE for none, empty: chosen by the page.")
    at = param.Dict(default={}, doc="One label of every dimension.")
    off_grid = param.Dict(default={}, doc="Labels of the chosen point if it is beside the grid.")
    scale: Any = param.Selector(default="automatic", objects=list(SCALES))
    low = param.String(default="", doc="Value at the lower end of the colours; empty: the least.")
    high = param.String(default="", doc="Value at the upper end; empty: the largest.")
    zoom = param.Dict(default={}, doc="First and last label in view of dimensions.")
    overlays = param.List(default=[], doc="Lines drawn over the map.")
    contour = param.String(default="", doc="Variable with contours; empty for none.")
    levels = param.String(default="", doc="Contour levels, separated by commas or spaces.")
    beside_sweep = param.String(default="", doc="Sweep of the second map; empty: the same.")
    beside_variable = param.String(default="", doc="Variable of the second map; empty: the same.")
    compare = param.Boolean(default=False, doc="Whether there is a second map.")
    only = param.String(default="", doc="Condition that points must meet to be shown.")
    selected = param.String(default="", doc="Condition on the selected points.")
    pins = param.List(default=[], item_type=dict, doc="Labels of the pinned points.")
    tab = param.String(default="", doc="The tab that is open; empty: the first.")
    relation: Any = param.Selector(
        default="", objects=list(RELATIONS), doc="What a third map shows of the two; empty: none."
    )

    @classmethod
    def fields(cls) -> list[str]:
        """Names of all fields."""
        return [name for name in cls.param if name != "name"]

    @property
    def up(self) -> str:
        """The dimension up; "" for a curve."""
        return "" if self.y == CURVE else self.y

    def settle(self, source: Source) -> list[str]:
        """Replace every field that does not fit the catalogue by one that does.

        Returns
        -------
        list of str
            One line for every word of the page or of a link that did not fit.
        """
        notes: list[str] = []

        def known(what: str, wanted: str, choices: list[str], otherwise: str) -> str:
            if wanted in choices:
                return wanted
            if wanted:
                notes.append(f"no {what} {wanted!r}{suggestion(wanted, choices)}")
            return otherwise

        sweep = known("sweep", self.sweep, source.names, source.names[0])
        sheet = source.sheet(sweep)
        variable = known("variable", self.variable, sheet.all_variables, first_variable(sheet))
        axes = self._axes(sheet, variable)
        other = known("sweep", self.beside_sweep, ["", *source.names], "")
        beside = source.sheet(other) if other else sheet
        offers = list(offered(sheet))
        at = self._labels(sheet, notes)
        self.param.update(
            sweep=sweep,
            variable=variable,
            x=axes[0],
            y=axes[1],
            at=at,
            off_grid=self.off_grid if at == self._nearest_cell(sheet) else {},
            overlays=[name for name in self.overlays if known("overlay", str(name), offers, "")],
            contour=known("variable", self.contour, ["", *sheet.all_variables], ""),
            levels=self._checked_levels(notes),
            zoom=self._checked_zoom(sheet, notes),
            **self._checked_limits(notes),
            beside_sweep=other,
            beside_variable=known(
                "variable", self.beside_variable, ["", *beside.all_variables], ""
            ),
        )
        return notes

    def picture(self) -> Picture:
        """The picture that this state describes; call `settle` before."""
        return Picture(
            variable=self.variable,
            x=self.x,
            y=self.up,
            at=dict(self.at),
            off_grid=dict(self.off_grid),
            scale=self.scale,
            limits=(read_limit(self.low), read_limit(self.high)),
            overlays=tuple(self.overlays),
            contour=self.contour,
            levels=read_levels(self.levels),
        )

    def second_picture(self, source: Source) -> tuple[Sheet, Picture]:
        """Sheet and picture beside the first, with the same axes and the nearest labels.

        Raises
        ------
        InvalidInput
            If the other sweep lacks a variable or a dimension of the map.
        """
        sheet = source.sheet(self.beside_sweep or self.sweep)
        variable = self.beside_variable or self.variable
        sheet.require(variable)
        missing = [dim for dim in (self.x, self.up) if dim and dim not in sheet.dims_of(variable)]
        if missing:
            raise InvalidInput(
                f"{variable} of {sheet.name} has no dimension {', '.join(missing)}: choose other "
                "axes, another sweep or another variable"
            )
        fitting = set(offered(sheet))
        picture = Picture(
            variable=variable,
            x=self.x,
            y=self.up,
            at={
                dim: sheet.nearest(dim, self.at[dim]) if dim in self.at else label
                for dim, label in sheet.first().items()
            },
            scale=self.scale,
            limits=(read_limit(self.low), read_limit(self.high)),
            overlays=tuple(name for name in self.overlays if name in fitting),
            contour=self.contour if self.contour in sheet.all_variables else "",
            levels=read_levels(self.levels),
        )
        return sheet, picture

    def choose(self, sheet: Sheet, labels: Mapping[str, float]) -> None:
        """Choose the cell nearest to some labels, and the point beside the grid that has them."""
        known = {dim: value for dim, value in labels.items() if dim in self.at}
        nearest = {dim: sheet.nearest(dim, value) for dim, value in known.items()}
        exact = known if sheet.is_scattered(known) else {}
        self.param.update(at={**self.at, **nearest}, off_grid=exact)

    def _nearest_cell(self, sheet: Sheet) -> dict[str, float] | None:
        """The cell nearest to the chosen point beside the grid; None if there is no such point."""
        if not sheet.is_scattered(self.off_grid):
            return None
        return {dim: sheet.nearest(dim, self.off_grid[dim]) for dim in sheet.dims}

    def _axes(self, sheet: Sheet, variable: str) -> tuple[str, str]:
        dims = sheet.dims_of(variable)
        across, up = first_axes(dims)
        x = self.x if self.x in dims else across
        if self.y == CURVE or len(dims) == 1:
            return x, CURVE
        if self.y in dims and self.y != x:
            return x, self.y
        return x, up if up != x else next(dim for dim in dims if dim != x)

    def _labels(self, sheet: Sheet, notes: list[str]) -> dict[str, float]:
        """One label of every dimension: those asked for where they exist, or the nearest."""
        labels = sheet.first()
        for dim, wanted in self.at.items():
            if dim not in labels or isinstance(wanted, bool) or not isinstance(wanted, int | float):
                continue  # it belongs to another sweep
            labels[dim] = sheet.nearest(dim, wanted)
            if labels[dim] != wanted:
                notes.append(
                    f"{sheet.name} has no {dim} = {number(wanted)}: shown is the nearest, "
                    f"{number(labels[dim])}"
                )
        return labels

    def _checked_levels(self, notes: list[str]) -> str:
        try:
            read_levels(self.levels)
        except InvalidInput as error:
            notes.append(str(error))
            return ""
        return self.levels

    def _checked_limits(self, notes: list[str]) -> dict[str, str]:
        """The limits of the colours, without those that are no numbers."""
        found = {"low": self.low, "high": self.high}
        for end, text in found.items():
            try:
                read_limit(text)
            except InvalidInput as error:
                notes.append(str(error))
                found[end] = ""
        low, high = read_limit(found["low"]), read_limit(found["high"])
        if low is not None and high is not None and not low < high:
            notes.append(f"colours from {low:g} to {high:g}: the first must be the smaller")
            return {"low": "", "high": ""}
        return found

    def _checked_zoom(self, sheet: Sheet, notes: list[str]) -> dict[str, list[float]]:
        """The parts in view of the dimensions that there are."""
        kept = {}
        for dim, part in self.zoom.items():
            if dim not in sheet.dims:
                continue  # it belongs to another sweep
            if _is_part(part):
                kept[dim] = [float(end) for end in part]
            else:
                notes.append(f"the part of {dim} in view must be two numbers, the smaller first")
        return kept


def _is_part(part: Any) -> bool:
    """Whether this is a pair of numbers, the smaller first."""
    if not isinstance(part, list | tuple) or len(part) != 2:
        return False
    if not all(isinstance(end, int | float) and math.isfinite(end) for end in part):
        return False
    return bool(part[0] < part[1])


def read_limit(text: str) -> float | None:
    """A limit of the colours from text; None if it is empty.

    Raises
    ------
    InvalidInput
        If it is no number.
    """
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidInput(f"a limit of the colours must be a number, but is {text!r}")
    return value


def read_levels(text: str) -> tuple[float, ...]:
    """Contour levels from text.

    Examples
    --------
    >>> read_levels("0.5, 1 2e-3")
    (0.002, 0.5, 1.0)

    Raises
    ------
    InvalidInput
        If a word is not a number.
    """
    words = text.replace(",", " ").split()
    try:
        return tuple(sorted({float(word) for word in words}))
    except ValueError:
        raise InvalidInput(
            f"contour levels must be numbers, but are {text!r}: write e.g. 0.5, 1, 2"
        ) from None


def arguments(picture: Picture) -> dict[str, Any]:
    """The picture as arguments of ``Dataset.heatcat.map``, without those at their default."""
    given: dict[str, Any] = {"x": picture.x, "y": picture.y, "at": dict(picture.at)}
    if picture.scale != "linear":
        given["scale"] = picture.scale
    if picture.overlays:
        given["overlays"] = picture.overlays
    if picture.contour:
        given["contour"] = picture.contour
    if picture.levels:
        given["levels"] = picture.levels
    return given
