"""Scatter: any two variables against each other, with a Pareto front, linked with the map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import panel as pn
import param

from heatcat.browser.drawn.scatter_plot import ScatterPlot
from heatcat.browser.panels.bound import variable_choices
from heatcat.browser.panels.panel import Panel, small
from heatcat.browser.shown.cloud import FRONTS, Cloud, load_cloud
from heatcat.browser.shown.condition import box_condition
from heatcat.browser.shown.points import of_points
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.state.section import Context, Shown

SCALES = {"automatic": "auto", "linear": "linear", "log": "log", "symmetric log": "symlog"}
AMONG = {"this map": "map", "the whole sweep": "sweep"}
PARTNERS = ("constancy", "efficiency", "quanta_noise")
"""What the power is first shown against."""


class ScatterState(param.Parameterized):
    """What the address keeps of the scatter."""

    x = param.String(default="", doc="Variable or parameter across; empty: chosen.")
    y = param.String(default="", doc="Variable or parameter up; empty: chosen.")
    colour = param.String(default="", doc="Variable or parameter of the colours.")
    among: Any = param.Selector(default="sweep", objects=list(AMONG.values()))
    front: Any = param.Selector(default="none", objects=list(FRONTS))
    x_scale: Any = param.Selector(default="auto", objects=list(SCALES.values()))
    y_scale: Any = param.Selector(default="auto", objects=list(SCALES.values()))


class ScatterPanel(Panel):
    """The scatter with its controls."""

    name = "scatter"
    tab = "Scatter"
    label = "scatter of two variables"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._state = ScatterState()
        select = pn.widgets.Select
        self.bind(
            self._state,
            x=small(select(label="x")),
            y=small(select(label="y")),
            colour=small(select(label="colours")),
            among=small(select(label="points of", options=AMONG), 150),
            front=small(select(label="Pareto front", options=list(FRONTS)), 150),
            x_scale=small(select(label="scale of x", options=SCALES), 130),
            y_scale=small(select(label="scale of y", options=SCALES), 130),
        )
        self._plot = ScatterPlot(context.pick, self._box)
        self.body.objects = [self._plot.layout]
        self._read: tuple[Any, Cloud] | None = None

    def load(self, shown: Shown) -> Cloud:
        state, sheet = self._state, shown.sheet
        x, y = axes(sheet, state.x, state.y)
        colour = state.colour if state.colour in known(sheet) else ""
        at = shown.picture.elsewhere if state.among == "map" else {}
        selected = self.context.view.selected
        key = (sheet, x, y, colour, at, selected, state.front, state.x_scale, state.y_scale)
        if self._read is None or self._read[0] != key:
            cloud = load_cloud(
                sheet, x, y, colour=colour, at=at, selected=selected, front=state.front,
                scales=(state.x_scale, state.y_scale),
            )  # fmt: skip
            self._read = (key, cloud)
        return self._read[1]

    def show(self, shown: Shown, found: Cloud) -> None:
        self._refresh(shown.sheet, found.x.name, found.y.name)
        self._plot.show(shown.sheet, found, shown.picture.chosen)
        self.say(*found.notes, "draw a box to select points, tap a point to choose it")

    def complain(self, message: str) -> None:
        super().complain(message)
        sheet = self.context.source.sheet(self.context.view.sweep)
        self._refresh(sheet, *axes(sheet, self._state.x, self._state.y))

    def _refresh(self, sheet: Sheet, x: str, y: str) -> None:
        """Show what is drawn, also where the address names nothing or another sweep's."""
        every = variable_choices(sheet, parameters=True)
        colours = variable_choices(sheet, none="one colour", parameters=True)
        with param.discard_events(self._state):
            colour = self._state.colour if self._state.colour in known(sheet) else ""
            self._state.param.update(x=x, y=y, colour=colour)
        self._bound.refresh({"x": every, "y": every, "colour": colours})

    def _box(self, ranges: Mapping[str, tuple[float, float]]) -> None:
        self.context.view.selected = box_condition(ranges)


def known(sheet: Sheet) -> list[str]:
    """Variables and parameters that can be along a side."""
    return [*sheet.dims, *of_points(sheet), *sheet.all_variables]


def axes(sheet: Sheet, x: str, y: str) -> tuple[str, str]:
    """What is across and up: what is asked for where it exists, else power and constancy."""
    names = known(sheet)
    variables = sheet.all_variables
    if x not in names:
        x = next((n for n in ("power", "power_per_pair") if n in variables), names[0])
    if y not in names:
        others = [n for n in (*PARTNERS, *variables) if n in variables and n != x]
        y = others[0] if others else names[0]
    return x, y
