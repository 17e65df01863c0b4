"""A panel: a section of the page with controls of its own, which stands behind a tab."""

from __future__ import annotations

from typing import Any

import panel as pn
import param

from heatcat.browser.panels.bound import Bound
from heatcat.browser.shown import escape
from heatcat.browser.state.section import Context, Section, alert_html


class Panel(Section):
    """Controls, a message, a plot or table, and a note.

    A subclass fills ``controls`` and ``body``, and puts into ``note`` what is shown and what is
    left out.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        wide = {"sizing_mode": "stretch_width"}
        self.controls = pn.FlexBox(gap="8px", align_items="end", justify_content="start", **wide)
        self.message = pn.pane.HTML("", **wide)
        self.body = pn.Column(**wide)
        self.note = pn.pane.HTML("", css_classes=["note"], **wide)
        self.layout = pn.Column(self.controls, self.message, self.body, self.note, **wide)

    def bind(self, state: param.Parameterized, **widgets: Any) -> None:
        """Take controls that set the fields of a state, which the address keeps, by their names."""
        self.state = state
        self._bound = Bound(state, **widgets)
        self.controls.objects = list(widgets.values())

    def say(self, *notes: str) -> None:
        """Show notes, and that nothing went wrong."""
        self.message.object = ""
        self.body.visible = True
        self.note.object = escape.html("; ".join(filter(None, notes)))

    def complain(self, message: str) -> None:
        self.message.object = alert_html(message)
        self.body.visible = False
        self.note.object = ""


def small(widget: Any, width: int = 190) -> Any:
    """A widget with a fixed width, as it stands beside others."""
    widget.param.update(width=width, sizing_mode=None)
    return widget
