"""Names: what every parameter and variable of the sweep is."""

from __future__ import annotations

import panel as pn

from heatcat.browser.panels.explain import glossary
from heatcat.browser.panels.panel import Panel
from heatcat.browser.state.section import Context, Shown


class NamesPanel(Panel):
    """Long names, equations and units."""

    name = "names"
    tab = "Names"
    label = "what the variables are"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._table = pn.pane.HTML("", sizing_mode="stretch_width")
        self.body.objects = [self._table]

    def load(self, shown: Shown) -> str:
        return glossary(shown.sheet)

    def show(self, shown: Shown, found: str) -> None:
        self._table.object = found
        self.say()
