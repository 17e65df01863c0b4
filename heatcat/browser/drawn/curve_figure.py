"""A curve as a Bokeh plot whose numbers and axes are changed in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool, Range1d

from heatcat.browser.drawn.frames import fill, ink, line_colour, new_plot, set_range, set_ticks
from heatcat.browser.drawn.slices import Slice, limits
from heatcat.browser.shown.escape import label
from heatcat.browser.shown.states import MARKS, State

HEIGHT = 230


class CurveFigure:
    """The plot of a curve; the axis of its values always shows all of them.

    Parameters
    ----------
    log : bool
        Whether the axis of the labels is logarithmic.
    on_pick : callable
        Called with the label that was clicked.
    height : int
        In pixels.
    """

    def __init__(
        self, log: bool, on_pick: Callable[[float], None], *, height: int = HEIGHT
    ) -> None:
        self.log = log
        self._on_pick = on_pick
        self._bound = 0.0
        self.plot = new_plot(
            logx=log, ranges=(Range1d(), Range1d()), height=height, on_tap=self._tapped
        )
        self._points, self._chosen, self._missing = (ColumnDataSource() for _ in range(3))
        self._marks = {state: ColumnDataSource() for state in MARKS}
        self._hover = HoverTool(description="values under the pointer")
        self._draw()

    def show(self, cut: Slice) -> None:
        """Draw a slice."""
        side = cut.side
        self._bound = side.bound
        low, high = limits(cut)
        set_range(self.plot.x_range, side.limits, side.limits)
        set_range(self.plot.y_range, (low, high), (low, high))
        self.plot.xaxis[0].axis_label = label(side.text, "bokeh")
        self.plot.yaxis[0].axis_label = label(cut.value_text, "bokeh")
        ticks = None if cut.scale.kind == "linear" else cut.scale.ticks(low, high)
        set_ticks(self.plot.yaxis[0], ticks)
        fill(
            self._points,
            x=side.places,
            y=cut.drawn,
            value=cut.values,
            label=side.labels.astype(float),
        )
        for state, source in self._marks.items():
            there = cut.states == state
            fill(source, x=side.places[there], y=cut.drawn[there])
        absent = (cut.states == State.FAILED) | (cut.states == State.NOT_COMPUTED)
        fill(self._missing, x=side.places[absent], y=np.full(int(absent.sum()), low))
        at = side.labels == cut.chosen
        fill(self._chosen, x=side.places[at], y=cut.drawn[at])
        self._hover.tooltips = [
            (label(side.whole_text, "bokeh"), "@label{%.12g}"),
            (label(cut.value_text, "bokeh"), "@value{%.10g}"),
        ]

    def mark(self, live: Any) -> None:
        """A curve shows no live point."""

    def _tapped(self, x: float, y: float) -> None:
        self._on_pick(x + self._bound)

    def _draw(self) -> None:
        fill(self._points, x=[], y=[], value=[], label=[])
        self.plot.line("x", "y", source=self._points, line_color=line_colour(), line_width=1.5)
        points = self.plot.scatter("x", "y", source=self._points, size=6, color=line_colour())
        self._hover.renderers = [points]
        self._hover.formatters = {"@label": "printf", "@value": "printf"}
        self.plot.add_tools(self._hover)
        for state, marker in MARKS.items():
            fill(self._marks[state], x=[], y=[])
            for color, width in (("white", 5.0), ("#1a1a1a", 2.0)):
                self.plot.scatter(
                    "x", "y", source=self._marks[state], marker=marker, size=10,
                    fill_color="white", line_color=color, line_width=width,
                )  # fmt: skip
        fill(self._missing, x=[], y=[])
        self.plot.scatter(
            "x", "y", source=self._missing, marker="dash", angle=np.pi / 2, size=14,
            line_color=ink(), line_width=2, name="without a value",
        )  # fmt: skip
        fill(self._chosen, x=[], y=[])
        self.plot.scatter(
            "x", "y", source=self._chosen, size=14, fill_alpha=0, line_color=ink(), line_width=2.5
        )
