"""Sections that share a place on the page: buttons with their names choose which one is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import panel as pn

from heatcat.browser.state.section import Section
from heatcat.browser.state.view import View

WRAPPED = ":host .bk-btn-group { flex-wrap: wrap; }"
"""On a phone the names do not fit on one line."""


class Tabs:
    """Buttons, and below them the sections of the tab that is open.

    Parameters
    ----------
    view : View
        Its field ``tab`` holds the name of the open tab.
    sections : sequence of Section
        In the order of their tabs; several may share one.
    """

    name = "tabs"
    label = "what to explore the sweep with"
    heading = ""

    def __init__(self, view: View, sections: Sequence[Section]) -> None:
        self._view = view
        self.names = list(dict.fromkeys(section.tab for section in sections))
        self._boxes = {
            name: pn.Column(
                *(part for s in sections if s.tab == name for part in s.parts()),
                sizing_mode="stretch_width",
            )
            for name in self.names
        }
        self._buttons = pn.widgets.RadioButtonGroup(
            label="tabs", options=self.names, stylesheets=[WRAPPED], color="primary",
            variant="outline",
        )  # fmt: skip
        self._buttons.param.watch(self._chosen, "value")
        view.param.watch(lambda _: self._show(), "tab")
        self.layout: Any = pn.Column(
            self._buttons, *self._boxes.values(), sizing_mode="stretch_width"
        )
        self._show()

    @property
    def open(self) -> str:
        """Name of the open tab."""
        return self._view.tab if self._view.tab in self.names else self.names[0]

    def _show(self) -> None:
        self._buttons.value = self.open
        for name, box in self._boxes.items():
            box.visible = name == self.open

    def _chosen(self, event: Any) -> None:
        if event.new != self.open:
            self._view.tab = event.new
