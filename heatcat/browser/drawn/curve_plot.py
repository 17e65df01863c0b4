"""The drawing of a family of curves: a legend for few of them, a colour bar for many."""

from __future__ import annotations

from typing import Any

import numpy as np
import panel as pn
from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper, LogColorMapper
from bokeh.models.annotations import ColorBar, Span
from bokeh.palettes import Viridis256

from heatcat.browser.shown.escape import label
from heatcat.browser.shown.families import Curve, Curves
from heatcat.browser.shown.sides import new_figure, set_ticks

HEIGHT = 420
MOST_IN_LEGEND = 10
ON_WHITE, ON_BLACK = Viridis256[:235], Viridis256[70:]
"""From dark to light, without what cannot be read: yellow on white, violet on black."""
DASHES = ("dashed", "dotted", "dotdash", "dashdot")
OTHER = "#7f7f7f"
"""Other sweeps; grey is readable on white and on black."""


def curve_plot(curves: Curves) -> Any:
    """Curves in the order of their labels, from dark to light."""
    plot = new_figure(curves.x, curves.y, height=HEIGHT, name="curves")
    every: list[Any] = []
    few = len(curves.family) + len(curves.others) <= MOST_IN_LEGEND
    colours = _colours(curves)
    for curve, colour in zip(curves.family, colours, strict=True):
        at = curve.label is not None and curve.label == curves.chosen_by
        every.append(_draw(plot, curves, curve, few, color=colour, width=4 if at else 2))
    for i, curve in enumerate(curves.others):
        style: dict[str, Any] = {"color": OTHER, "width": 3, "dash": DASHES[i % len(DASHES)]}
        every.append(_draw(plot, curves, curve, True, **style))
    if not few:
        plot.add_layout(_bar(curves), "right")
    if plot.legend:
        plot.add_layout(plot.legend[0], "right")
        plot.legend[0].click_policy = "hide"
        plot.legend[0].label_text_font_size = "11px"
    plot.add_tools(
        HoverTool(
            renderers=every,
            tooltips=[
                ("curve", "@text"),
                (label(curves.x.text, "bokeh"), "@x{%.12g}"),
                (label(curves.y.text, "bokeh"), "@value{%.10g}"),
            ],
            formatters={"@x": "printf", "@value": "printf"},
            limit=3,
        )
    )
    if curves.chosen is not None:
        plot.add_layout(
            Span(location=curves.chosen, dimension="height", line_dash="dotted", line_color=OTHER)
        )
    drawn = [curves.y.drawn(curve.values) for curve in (*curves.family, *curves.others)]
    set_ticks(plot, curves.x, curves.y, [0.0], np.concatenate(drawn))
    return plot


def palette() -> list[str]:
    """The colours of curves on this visitor's page."""
    return list(ON_BLACK if pn.config.theme == "dark" else ON_WHITE)


def _colours(curves: Curves) -> list[str]:
    every = palette()
    if len(curves.family) == 1:
        return [every[100]]
    places = np.arange(len(curves.family)) / (len(curves.family) - 1)
    if len(curves.family) > MOST_IN_LEGEND:
        labels = np.array([curve.label for curve in curves.family], dtype=float)
        spread = np.log(labels) if curves.by_log else labels
        places = (spread - spread[0]) / (spread[-1] - spread[0])
    return [every[round(place * (len(every) - 1))] for place in places]


def _draw(
    plot: Any, curves: Curves, curve: Curve, named: bool, *, color: str, width: int,
    dash: str = "solid",
) -> Any:  # fmt: skip
    source = ColumnDataSource(
        {
            "x": curve.places,
            "y": curves.y.drawn(curve.values),
            "value": curve.values,
            "marker": np.where(curve.doubtful, "x", "circle"),
            "text": [label(curve.text, "bokeh")] * len(curve.places),
        }
    )
    legend = {"legend_label": label(curve.text, "bokeh")} if named else {}
    plot.line("x", "y", source=source, line_color=color, line_width=width, line_dash=dash, **legend)
    if curve.mark is not None:
        at = curve.places == curve.mark
        plot.scatter(
            curve.places[at],
            curves.y.drawn(curve.values)[at],
            size=15,
            fill_alpha=0,
            line_color=color,
            line_width=3,
        )
    return plot.scatter("x", "y", source=source, marker="marker", color=color, size=6, **legend)


def _bar(curves: Curves) -> ColorBar:
    labels = [curve.label for curve in curves.family if curve.label is not None]
    mapper = LogColorMapper if curves.by_log else LinearColorMapper
    return ColorBar(
        color_mapper=mapper(palette=palette(), low=labels[0], high=labels[-1]),
        title=label(curves.by, "bokeh"),
    )
