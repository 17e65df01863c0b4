"""Selecting cells of a map with a box, and the border around the selected ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bokeh.events import SelectionGeometry
from bokeh.models import BoxSelectTool, ColumnDataSource

from heatcat.browser.shown.outline import Path

Ranges = Mapping[str, tuple[float, float]]


class Selection:
    """Adds the box and the border to the plot of a map.

    Parameters
    ----------
    on_box : callable
        Called with the ranges of the box along both axes, by their names.
    """

    def __init__(self, on_box: Callable[[Ranges], None]) -> None:
        self._on_box = on_box
        self._axes: tuple[str, ...] = ()
        self._paths: list[Path] = []
        self._source = ColumnDataSource(self._data())

    def show(self, axes: tuple[str, ...], paths: list[Path]) -> None:
        """Draw the border of the selected cells of a map with these axes."""
        self._axes, self._paths = axes, paths
        self._source.data = self._data()

    def add(self, figure: Any) -> None:
        """Add the border and the tool to a new plot."""
        self._source = ColumnDataSource(self._data())
        for color, width in (("white", 5), ("#d55e00", 2.5)):
            figure.multi_line(
                "xs", "ys", source=self._source, name="selection", line_color=color,
                line_width=width, line_cap="square",
            )  # fmt: skip
        # Without renderers: the condition decides what is selected, not Bokeh.
        figure.add_tools(BoxSelectTool(renderers=[], description="select points with a box"))
        figure.on_event(SelectionGeometry, self._boxed)

    def _data(self) -> dict[str, Any]:
        return {"xs": [x for x, _ in self._paths], "ys": [y for _, y in self._paths]}

    def _boxed(self, event: Any) -> None:
        box = event.geometry
        if event.final and box.get("type") == "rect" and len(self._axes) == 2:
            x, y = self._axes
            self._on_box({x: (box["x0"], box["x1"]), y: (box["y0"], box["y1"])})
