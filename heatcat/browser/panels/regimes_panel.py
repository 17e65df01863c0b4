"""Regimes: where on the map there are engines, refrigerators, gains and violations."""

from __future__ import annotations

import panel as pn

from heatcat.browser.drawn.cells import HEIGHT, regime_plot
from heatcat.browser.panels.panel import Panel
from heatcat.browser.shown.regime_map import RegimeMap, legend, load_regimes
from heatcat.browser.state.section import Context, Shown


class RegimesPanel(Panel):
    """The map of regimes with its legend."""

    name = "regimes"
    tab = "Regimes"
    label = "regimes on the map"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._legend = pn.pane.HTML("", sizing_mode="stretch_width")
        self._plot = pn.pane.Bokeh(None, sizing_mode="stretch_width", min_height=HEIGHT)
        self.body.objects = [self._legend, self._plot]

    def load(self, shown: Shown) -> RegimeMap:
        return load_regimes(shown.sheet, shown.picture)

    def show(self, shown: Shown, found: RegimeMap) -> None:
        self._legend.object = legend(found)
        self._plot.object = regime_plot(found)
        self.say(f"at {found.title}" if found.title else "", found.note)
