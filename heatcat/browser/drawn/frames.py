"""What maps and curves on the page have in common as Bokeh plots, updated in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import panel as pn
from bokeh.events import RangesUpdate, Tap
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    FixedTicker,
    LogTicker,
    PrintfTickFormatter,
    Range1d,
)
from bokeh.plotting import figure

from heatcat.browser.drawn.slices import LINE

TOOLS = "pan,box_zoom,wheel_zoom,reset"
"""No tool is active at first, so that a finger scrolls the page."""
PLAIN = "%.6g"
"""Format of the ticks of a linear axis."""
INK = "#1a1a1a"
"""Colour of signs on the cells of a map, with a white line around them."""


def ink() -> str:
    """Colour of signs on the background of the page, which may be dark."""
    return "#e8e8e8" if is_dark() else INK


def line_colour() -> str:
    """Colour of a curve."""
    return "#56b4e9" if is_dark() else LINE


def is_dark() -> bool:
    """Whether the visitor wants light text on a dark page."""
    return bool(pn.config.theme == "dark")


def new_plot(
    *,
    logx: bool,
    logy: bool = False,
    ranges: tuple[Range1d, Range1d],
    height: int,
    on_tap: Callable[[float, float], None],
    on_zoom: Callable[[Any], None] | None = None,
) -> Any:
    """An empty plot, as wide as its place.

    Parameters
    ----------
    logx, logy : bool
        Which axes are logarithmic.
    ranges : tuple of Range1d
        Across and up; plots that are given the same object zoom together.
    height : int
        In pixels.
    on_tap : callable
        Called with the place that was clicked.
    on_zoom : callable, optional
        Called with an event that has x0, x1, y0 and y1 after the visitor has zoomed or panned.
    """
    plot = figure(  # type: ignore[call-arg]
        x_axis_type="log" if logx else "linear",
        y_axis_type="log" if logy else "linear",
        x_range=ranges[0],
        y_range=ranges[1],
        height=height,
        sizing_mode="stretch_width",
        tools=TOOLS,
        toolbar_location="above",
    )
    plot.toolbar.logo = None
    plot.toolbar.active_drag = plot.toolbar.active_scroll = None
    for side, log in ((plot.xaxis[0], logx), (plot.yaxis[0], logy)):
        if not log:
            side.formatter = PrintfTickFormatter(format=PLAIN)
        side.axis_label_text_font_style = "normal"
        side.axis_label_text_font_size = "14px"
        side.major_label_text_font_size = "12px"
    plot.on_event(Tap, lambda event: on_tap(event.x, event.y))
    if on_zoom is not None:
        plot.on_event(RangesUpdate, on_zoom)
    return plot


def set_range(of: Range1d, limits: tuple[float, float], full: tuple[float, float]) -> None:
    """Show ``limits``; the tool that resets the plot returns to ``full``."""
    wanted = {
        "start": limits[0], "end": limits[1], "reset_start": full[0], "reset_end": full[1],
    }  # fmt: skip
    changed = {name: value for name, value in wanted.items() if getattr(of, name) != value}
    if changed:
        of.update(**changed)


def set_ticks(axis: Any, ticks: Iterable[tuple[float, str]] | None, *, log: bool = False) -> None:
    """Ticks with their texts on an axis or a colour bar; None: those that Bokeh chooses."""
    if ticks is None:
        if isinstance(axis.ticker, FixedTicker):
            axis.ticker = LogTicker() if log else BasicTicker()
            axis.major_label_overrides = {}
        return
    texts = dict(ticks)
    if isinstance(axis.ticker, FixedTicker) and list(axis.ticker.ticks) == list(texts):
        return
    axis.update(ticker=FixedTicker(ticks=list(texts)), major_label_overrides=texts)


def fill(source: ColumnDataSource, **columns: Any) -> None:
    """Replace the columns of a source; those that stay the same are not sent to the browser."""
    before: Any = source.data
    if before.keys() != columns.keys() or _length(before) != _length(columns):
        source.data = columns
        return
    changed = {name: new for name, new in columns.items() if not _same(before[name], new)}
    if changed:
        before.update(changed)


def _length(columns: Mapping[str, Any]) -> int:
    return len(next(iter(columns.values()), ()))


def _same(before: Any, now: Any) -> bool:
    """Whether two columns of one length are equal; those of lines hold an array for each."""
    if isinstance(now, np.ndarray):
        return np.array_equal(before, now, equal_nan=now.dtype.kind == "f")
    return all(np.array_equal(one, other) for one, other in zip(before, now, strict=True))
