"""The two sides of a plot: what is along them, on which scale, with ticks at round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from bokeh.models import CustomJSTickFormatter, FixedTicker
from bokeh.plotting import figure
from numpy.typing import NDArray

from heatcat.browser.shown.axes import spaced_by_factors
from heatcat.browser.shown.escape import label
from heatcat.browser.shown.labels import decade, with_unit
from heatcat.browser.shown.scales import Scale, scale_for

Kind = Literal["linear", "log", "symlog"]

WIDE = 100.0
"""A scale is logarithmic by default if the values span this factor."""
PLAIN_TICKS = """
    const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : Math.abs(tick) || 1
    if (Math.abs(tick) < step / 1e6) return "0"
    const digits = Math.max(1, Math.ceil(Math.log10(Math.abs(tick) / step)) + 1)
    return (Number(tick.toPrecision(Math.min(15, digits))) + "").replace("-", "−")
"""
"""Texts of the ticks of a linear side: as many digits as tell neighbours apart."""
PLAIN_DECADES = range(-2, 4)
"""Powers of ten that are written as numbers."""


@dataclass(frozen=True)
class Side:
    """One side of a plot.

    Attributes
    ----------
    name, text : str
        Of the variable or parameter; symbol and unit.
    scale : Scale
    """

    name: str
    text: str
    scale: Scale

    def drawn(self, values: Any) -> NDArray[np.float64]:
        """Numbers on the plot's own axis, which is linear or logarithmic; NaN for no place."""
        values = np.asarray(values, dtype=float)
        if self.scale.kind == "log":
            return np.where(values > 0, values, np.nan)
        return self.scale.forward(values)

    def value(self, drawn: float) -> float:
        """The value at a place of the axis."""
        if self.scale.kind != "symlog":
            return drawn
        return math.copysign(self.scale.threshold * (10 ** abs(drawn) - 1), drawn)

    def ticks(self, drawn: NDArray[np.float64]) -> dict[float, str]:
        """Places and texts of the ticks of a symmetric-log side: 0 and powers of ten."""
        largest = float(np.nanmax(np.abs(drawn), initial=0.0))
        first = round(math.log10(self.scale.threshold))
        last = first + max(1, math.floor(largest))
        found = {0.0: "0"}
        for power in range(first, last + 1):
            value = 10.0**power
            place = float(self.scale.forward(value))
            if place <= largest:
                text = f"{value:g}" if power in PLAIN_DECADES else decade(power)
                found |= {place: text, -place: f"−{text}"}
        return found


def side_of(array: xr.DataArray, values: Any, kind: str = "auto") -> Side:
    """The side of a variable or a parameter, on a given scale or on the one that suits."""
    return Side(
        str(array.name),
        with_unit(array),
        scale_for(suitable(values) if kind == "auto" else kind, values),
    )


def suitable(values: Any) -> Kind:
    """The scale that shows values best.

    >>> suitable([1.0, 2.0]), suitable([1e-4, 1e-2, 1.0]), suitable([-1e-3, 1.0, -50.0])
    ('linear', 'log', 'symlog')
    """
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    sizes = np.abs(finite[finite != 0])
    # The middle half tells how far values spread; a single tiny one near a zero does not.
    low, high = np.percentile(sizes, [10, 100]) if sizes.size else (1.0, 1.0)
    if not high > WIDE * low:
        return "linear"
    return "log" if (finite > 0).all() else "symlog"


def suits_labels(labels: NDArray[Any]) -> Kind:
    """The scale of a parameter: logarithmic if its labels are spaced by factors."""
    return "log" if spaced_by_factors(labels) else "linear"


def new_figure(x: Side, y: Side, *, height: int, select: bool = False, **options: Any) -> Any:
    """An empty plot; no tool is active at first, so that a finger scrolls the page."""
    tools = ["pan", "box_zoom", "wheel_zoom", *(["box_select"] if select else []), "reset"]
    make: Any = figure  # Bokeh's stubs do not know all of its options
    plot = make(
        height=height,
        sizing_mode="stretch_width",
        tools=tools,
        active_drag="box_select" if select else None,
        active_scroll=None,
        toolbar_location="above",
        x_axis_type="log" if x.scale.kind == "log" else "linear",
        y_axis_type="log" if y.scale.kind == "log" else "linear",
        x_axis_label=label(x.text, "bokeh"),
        y_axis_label=label(y.text, "bokeh"),
        **options,
    )
    plot.toolbar.logo = None
    for axis, side in ((plot.xaxis[0], x), (plot.yaxis[0], y)):
        if side.scale.kind == "linear":
            axis.formatter = CustomJSTickFormatter(code=PLAIN_TICKS)
    return plot


def set_ticks(plot: Any, x: Side, y: Side, xs: Any, ys: Any) -> None:
    """Ticks at round values on symmetric-log sides; Bokeh's own on others."""
    for axis, side, drawn in ((plot.xaxis[0], x, xs), (plot.yaxis[0], y, ys)):
        if side.scale.kind == "symlog":
            ticks = side.ticks(np.asarray(drawn))
            axis.ticker = FixedTicker(ticks=sorted(ticks))
            axis.major_label_overrides = dict(ticks)
