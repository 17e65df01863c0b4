"""Maps drawn cell by cell: the small maps and the map of regimes."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, HoverTool

from analyses.regimes import Regime
from heatcat.browser.shown import escape
from heatcat.browser.shown.colours import MISSING, Scale
from heatcat.browser.shown.escape import label
from heatcat.browser.shown.plane import Axis, Plane
from heatcat.browser.shown.regime_map import COLOURS, HATCHES, HIDDEN, RegimeMap
from heatcat.browser.shown.sides import Side, new_figure

HEIGHT = 420
SMALL, WIDTH = 210, 245
"""Height and width of a small map in pixels."""
STOPS = 16
"""Colours between which a colour bar is interpolated."""


def side(axis: Axis) -> Side:
    """The side of a plot along the axis of a map."""
    return Side(axis.name, axis.text, Scale("log" if axis.log else "linear"))


def cell_columns(x: Axis, y: Axis) -> dict[str, Any]:
    """Edges and labels of all cells, row by row."""
    rows, columns = len(y.labels), len(x.labels)
    return {
        "left": np.tile(x.edges[:-1], rows),
        "right": np.tile(x.edges[1:], rows),
        "bottom": np.repeat(y.edges[:-1], columns),
        "top": np.repeat(y.edges[1:], columns),
        "at_x": np.tile(x.labels.astype(float), rows),
        "at_y": np.repeat(y.labels.astype(float), columns),
    }


def regime_plot(regimes: RegimeMap) -> Any:
    """The map of regimes."""
    codes = regimes.codes.ravel().tolist()
    source = ColumnDataSource(
        cell_columns(regimes.x, regimes.y)
        | {
            "colour": [COLOURS[code] for code in codes],
            "hatch": [HATCHES.get(code, " ") for code in codes],
            "text": [
                "does not meet the condition" if code == HIDDEN else Regime(code).text
                for code in codes
            ],
        }
    )
    plot = _frame(regimes.x, regimes.y, HEIGHT, name="regimes")
    drawn = plot.quad(
        "left", "right", "top", "bottom", source=source, fill_color="colour", line_color="colour",
        hatch_pattern="hatch", hatch_color="#555555", hatch_scale=6, hatch_weight=0.7,
    )  # fmt: skip
    plot.add_tools(_hover(drawn, regimes.x, regimes.y, ("regime", "@text")))
    return plot


def small_plot(plane: Plane, mapper: Any, *, chosen: bool) -> Any:
    """One of the small maps; the one of the chosen label has a thick frame."""
    source = ColumnDataSource(
        cell_columns(plane.x, plane.y)
        | {"drawn": plane.drawn.ravel(), "value": plane.values.ravel()}
    )
    plot = _frame(plane.x, plane.y, SMALL, name="small map")
    drawn = plot.quad(
        "left", "right", "top", "bottom", source=source,
        fill_color={"field": "drawn", "transform": mapper},
        line_color={"field": "drawn", "transform": mapper},
    )  # fmt: skip
    if plane.scattered is not None:
        points: dict[str, Any] = {
            "x": plane.scattered.x - plane.x.bound,
            "y": plane.scattered.y - plane.y.bound,
            "drawn": plane.scattered.drawn,
        }
        plot.scatter(
            "x", "y", source=ColumnDataSource(points), size=6, line_color="black",
            fill_color={"field": "drawn", "transform": mapper},
        )  # fmt: skip
    hover = _hover(drawn, plane.x, plane.y, (label(plane.value_text, "bokeh"), "@value{%.10g}"))
    plot.add_tools(hover)
    plot.toolbar_location = None
    plot.sizing_mode, plot.width = "fixed", WIDTH
    plot.background_fill_color = MISSING
    plot.outline_line_color = "#d55e00" if chosen else "#808080"
    plot.outline_line_width = 4 if chosen else 1
    return plot


def _frame(x: Axis, y: Axis, height: int, **options: Any) -> Any:
    plot = new_figure(
        side(x), side(y), height=height, x_range=x.limits, y_range=y.limits, **options
    )
    plot.grid.visible = False
    return plot


def _hover(drawn: Any, x: Axis, y: Axis, shown: tuple[str, str]) -> HoverTool:
    return HoverTool(
        renderers=[drawn],
        tooltips=[
            shown,
            (label(x.text, "bokeh"), "@at_x{%.12g}"),
            (label(y.text, "bokeh"), "@at_y{%.12g}"),
        ],
        formatters=dict.fromkeys(("@at_x", "@at_y", "@value"), "printf"),
    )


def colour_bar(plane: Plane) -> str:
    """The colours of a map with their values, as HTML."""
    low, high = plane.colours.limits
    palette = plane.colours.palette
    stops = [palette[i] for i in np.linspace(0, len(palette) - 1, STOPS).round().astype(int)]
    ticks = "".join(
        f'<span style="left:{(place - low) / (high - low):.2%}">{escape.html(text)}</span>'
        for place, text in plane.scale.ticks(low, high)
    )
    return (
        f"<p>{escape.html(plane.value_text)}</p>"
        f'<div class="colours" style="background:linear-gradient(to right,{",".join(stops)})">'
        f'</div><div class="ticks">{ticks}</div>'
    )
