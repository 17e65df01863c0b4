"""The state of a page: everything that its link keeps, and what makes it fit a catalogue."""

from __future__ import annotations

from typing import Any

import param

from catalog.names.suggestion import suggestion
from ensemble import InvalidInput
from heatcat.browser.colours import SCALES
from heatcat.browser.labels import number
from heatcat.browser.picture import Picture, first_axes, first_variable, offered
from heatcat.browser.sheet import Sheet
from heatcat.browser.source import Source


class View(param.Parameterized):
    """What a page shows, in words and numbers that an address can hold."""

    sweep = param.String(default="", doc="Name of the sweep.")
    variable = param.String(default="", doc="Stored or derived variable.")
    x = param.String(default="", doc="Dimension across.")
    y = param.String(default="", doc="Dimension up; empty for a curve.")
    at = param.Dict(default={}, doc="One label of every dimension.")
    scale: Any = param.Selector(default="linear", objects=list(SCALES))
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

    @classmethod
    def fields(cls) -> list[str]:
        """Names of all fields."""
        return [name for name in cls.param if name != "name"]

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
        self.param.update(
            sweep=sweep,
            variable=variable,
            x=axes[0],
            y=axes[1],
            at=self._labels(sheet, notes),
            overlays=[name for name in self.overlays if known("overlay", str(name), offers, "")],
            contour=known("variable", self.contour, ["", *sheet.all_variables], ""),
            levels=self._checked_levels(notes),
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
            y=self.y,
            at=dict(self.at),
            scale=self.scale,
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
        missing = [dim for dim in (self.x, self.y) if dim and dim not in sheet.dims_of(variable)]
        if missing:
            raise InvalidInput(
                f"{variable} of {sheet.name} has no dimension {', '.join(missing)}: choose other "
                "axes, another sweep or another variable"
            )
        fitting = set(offered(sheet))
        picture = Picture(
            variable=variable,
            x=self.x,
            y=self.y,
            at={
                dim: sheet.nearest(dim, self.at[dim]) if dim in self.at else label
                for dim, label in sheet.first().items()
            },
            scale=self.scale,
            overlays=tuple(name for name in self.overlays if name in fitting),
            contour=self.contour if self.contour in sheet.all_variables else "",
            levels=read_levels(self.levels),
        )
        return sheet, picture

    def _axes(self, sheet: Sheet, variable: str) -> tuple[str, str]:
        dims = sheet.dims_of(variable)
        across, up = first_axes(dims)
        if self.x in dims and (self.y in dims or not self.y) and self.x != self.y:
            # With x chosen, an empty y asks for a curve.  At first x and y are both empty.
            return self.x, self.y
        return across, up

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
