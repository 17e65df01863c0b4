"""A button that moves a slider by itself, label after label."""

from __future__ import annotations

from typing import Any

import panel as pn

from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.state.view import View

PERIOD_MS = 900
"""Milliseconds that each label is shown."""


class Play:
    """Walks through the labels of a dimension, from the chosen one to the last.

    From the last label it begins at the first.

    Parameters
    ----------
    view : View
    sheet : Sheet
    dim : str
    text : str
        Symbol of the dimension.
    """

    def __init__(self, view: View, sheet: Sheet, dim: str, text: str) -> None:
        self._view, self._dim = view, dim
        self._labels = [value.item() for value in sheet.labels(dim)]
        self._timer: Any = None
        self.button = pn.widgets.Toggle(label=f"▶ play {text}", height=28)
        self.button.param.watch(self._toggled, "value")

    def stop(self) -> None:
        """Stop where it is."""
        self.button.value = False

    def step(self) -> None:
        """Go to the next label; stop at the last."""
        place = self._place() + 1
        if place >= len(self._labels):
            self.stop()
            return
        self._view.at = {**self._view.at, self._dim: self._labels[place]}

    def _place(self) -> int:
        at = self._view.at.get(self._dim)
        return self._labels.index(at) if at in self._labels else -1

    def _toggled(self, event: Any) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if event.new:
            if self._place() == len(self._labels) - 1:
                self._view.at = {**self._view.at, self._dim: self._labels[0]}
            self._timer = pn.state.add_periodic_callback(self.step, period=PERIOD_MS)
