"""A slider over labels, whose text follows the handle however quickly it is moved."""

from __future__ import annotations

from typing import Any

import panel as pn

from heatcat.browser.shown import escape

WAIT_MS = 5
"""Milliseconds for which a move waits for the next.  Panel's 50 are not needed: of many moves, a
`Drawing` draws only the newest."""


class LabelSlider(pn.widgets.DiscreteSlider):
    """Panel's slider, but the browser alone writes its text while it is moved.

    Panel 1.9 writes it in the browser and sends it from the server, too.  What the server sends of
    an earlier place may arrive after the browser has written the last one, and would stay.
    """

    def _update_options(self, *events: Any) -> None:
        super()._update_options(*events)
        slider: Any = self._slider
        slider._debounce = WAIT_MS

    def _update_value(self, event: Any) -> None:
        if not self._syncing:  # Python has set the value; else the browser has
            super()._update_value(event)


def label_slider(text: str, options: dict[str, Any], value: float, **more: Any) -> LabelSlider:
    """A slider with a text that is shown as it is."""
    return LabelSlider(
        label=escape.html(text),  # Panel puts it into HTML unescaped
        options=options,
        value=value,
        sizing_mode="stretch_width",
        **more,
    )
