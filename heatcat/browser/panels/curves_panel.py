"""Curves: the shown variable along one dimension, for all labels of another, and other methods."""

from __future__ import annotations

from typing import Any

import panel as pn
import param

from heatcat.browser.drawn.curve_plot import HEIGHT, curve_plot
from heatcat.browser.panels.bound import dim_text
from heatcat.browser.panels.panel import Panel, small
from heatcat.browser.panels.scatter_panel import SCALES
from heatcat.browser.shown.families import Curves, load_curves, same_engine
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.state.section import Context, Shown


class CurvesState(param.Parameterized):
    """What the address keeps of the curves."""

    along = param.String(default="", doc="Dimension across; empty: the map's.")
    by = param.String(default="N", doc="Dimension with a curve for each label; empty: one curve.")
    scale: Any = param.Selector(default="auto", objects=list(SCALES.values()))
    beside = param.List(default=[], item_type=str, doc="Sweeps by other methods, drawn too.")


class CurvesPanel(Panel):
    """The curves with their controls."""

    name = "curves"
    tab = "Curves"
    label = "curves along a dimension"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._state = CurvesState()
        select = pn.widgets.Select
        beside = pn.widgets.CheckBoxGroup(label="other methods", inline=True)
        self.bind(
            self._state,
            along=small(select(label="along"), 130),
            by=small(select(label="a curve for each"), 130),
            scale=small(select(label="scale", options=SCALES), 130),
            beside=beside,
        )
        self._beside = pn.Column(pn.pane.HTML("the same engine by another method:"), beside)
        self.controls[-1] = self._beside
        self._plot = pn.pane.Bokeh(None, sizing_mode="stretch_width", min_height=HEIGHT)
        self.body.objects = [self._plot]

    def load(self, shown: Shown) -> tuple[Curves, list[str]]:
        sheet, picture, state = shown.sheet, shown.picture, self._state
        along, by = _dims(sheet, picture.variable, picture.x, state)
        offers = same_engine(shown.source, sheet.name)
        others = [shown.source.sheet(name) for name in state.beside if name in offers]
        curves = load_curves(
            sheet, picture.variable, along, by, at=picture.at, others=others, kind=state.scale
        )
        return curves, offers

    def show(self, shown: Shown, found: tuple[Curves, list[str]]) -> None:
        curves, offers = found
        sheet, variable = shown.sheet, shown.picture.variable
        along, by = _dims(sheet, variable, shown.picture.x, self._state)
        dims = {
            dim_text(sheet, dim): dim
            for dim in sheet.dims_of(variable)
            if len(sheet.labels(dim)) > 1
        }
        with param.discard_events(self._state):
            kept = [name for name in self._state.beside if name in offers]
            self._state.param.update(along=along, by=by, beside=kept)
        self._bound.refresh(
            {
                "along": dims,
                "by": {"one curve": ""} | {m: dim for m, dim in dims.items() if dim != along},
                "beside": offers,
            }
        )
        self._beside.visible = bool(offers)
        self._plot.object = curve_plot(curves)
        self.say(f"at {curves.at}" if curves.at else "", *curves.notes)


def _dims(sheet: Sheet, variable: str, x: str, state: CurvesState) -> tuple[str, str]:
    """Dimensions along and by: what is asked for where the variable has it."""
    dims = [dim for dim in sheet.dims_of(variable) if len(sheet.labels(dim)) > 1]
    along = state.along if state.along in dims else x if x in dims else (*dims, x)[0]
    by = state.by if state.by in dims and state.by != along else ""
    return along, by
