"""Pinned: several points side by side, their differences, and curves through each."""

from __future__ import annotations

from typing import Any

import panel as pn
import param

from heatcat.browser.drawn.curve_plot import HEIGHT, curve_plot
from heatcat.browser.panels.bound import dim_text
from heatcat.browser.panels.click_table import click_table
from heatcat.browser.panels.panel import Panel, small
from heatcat.browser.panels.pinned import Pin, as_table, load_pins
from heatcat.browser.shown.families import Curves, through_points
from heatcat.browser.state.section import Context, Shown


class PinsState(param.Parameterized):
    """What the address keeps beside the pins."""

    along = param.String(default="", doc="Dimension of the curves; empty: the map's.")


class PinsPanel(Panel):
    """The pinned points."""

    name = "pins"
    tab = "Pinned"
    label = "pinned points"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._state = PinsState()
        self.bind(self._state, along=small(pn.widgets.Select(label="curves along"), 130))
        clear = pn.widgets.Button(label="remove all pins")
        clear.on_click(lambda _: setattr(context.view, "pins", []))
        self.controls.append(clear)
        self._table = click_table()
        self._table.param.watch(self._clicked, "sent")
        self._plot = pn.pane.Bokeh(None, sizing_mode="stretch_width", min_height=HEIGHT)
        self.body.objects = [self._table, self._plot]

    def load(self, shown: Shown) -> tuple[list[Pin], Curves | None]:
        sheet, variable = shown.sheet, shown.picture.variable
        pins = load_pins(sheet, self.context.view.pins, derived=variable)
        along = self._along(shown)
        if not pins or not along:
            return pins, None
        named = {pin.letter: pin.at for pin in pins}
        return pins, through_points(sheet, variable, along, named)

    def show(self, shown: Shown, found: tuple[list[Pin], Curves | None]) -> None:
        pins, curves = found
        sheet = shown.sheet
        with param.discard_events(self._state):
            self._state.along = self._along(shown)
        dims = {dim_text(sheet, dim): dim for dim in self._dims(shown)}
        self._bound.refresh({"along": dims})
        self._table.content = as_table(sheet, pins)
        self._plot.object = None if curves is None else curve_plot(curves)
        self._plot.visible = curves is not None
        self.say("" if pins else "nothing is pinned: choose a cell, then press “pin this cell”")

    def _along(self, shown: Shown) -> str:
        dims = self._dims(shown)
        if self._state.along in dims:
            return self._state.along
        return shown.picture.x if shown.picture.x in dims else (*dims, "")[0]

    @staticmethod
    def _dims(shown: Shown) -> list[str]:
        sheet = shown.sheet
        every = sheet.dims_of(shown.picture.variable)
        return [dim for dim in every if len(sheet.labels(dim)) > 1]

    def _clicked(self, event: Any) -> None:
        word, number, _ = str(event.new).split(" ")
        view, place = self.context.view, int(number)
        if place >= len(view.pins):
            return
        if word == "remove":
            view.pins = [pin for i, pin in enumerate(view.pins) if i != place]
        else:
            self.context.pick(view.pins[place])
