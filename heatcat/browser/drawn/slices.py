"""Curves of a variable along one dimension, through the chosen point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask
import holoviews as hv
import numpy as np

from heatcat.browser.drawn.maps import TOOLS
from heatcat.browser.shown.axes import Axis, Floats, Range, axis
from heatcat.browser.shown.colours import centre
from heatcat.browser.shown.escape import label
from heatcat.browser.shown.labels import where, with_unit
from heatcat.browser.shown.picture import Picture
from heatcat.browser.shown.scales import Scale, is_flat, scale_for
from heatcat.browser.shown.sheet import Sheet
from heatcat.browser.shown.states import MARKS, states_of

LINE = "#0072b2"


@dataclass(frozen=True)
class Slice:
    """A curve, ready to be drawn.

    Attributes
    ----------
    title : str
        Where it is cut.
    side : Axis
        Its labels and where they lie.
    value_text : str
    values, drawn : ndarray
        Values, and the numbers at which they are drawn.
    states : ndarray
        What each point is, as `State`.
    scale : Scale
    flat : bool
        Whether the values are equal but for rounding.
    chosen : float
        The chosen label.
    """

    title: str
    side: Axis
    value_text: str
    values: Floats
    drawn: Floats
    states: np.ndarray
    scale: Scale
    flat: bool
    chosen: float

    @property
    def dim(self) -> str:
        """Name of the dimension."""
        return self.side.name

    @property
    def doubtful(self) -> np.ndarray:
        """Which points have a value that is not certified."""
        return np.isin(self.states, list(MARKS))

    @property
    def note(self) -> str:
        """What the curve does not show."""
        return "all values are equal but for rounding" if self.flat and self.values.size > 1 else ""


def load_slice(sheet: Sheet, picture: Picture, dim: str) -> Slice:
    """Read a variable along ``dim`` at the chosen labels of the other dimensions."""
    others = {name: value for name, value in picture.at.items() if name != dim}
    value = sheet.select(picture.variable, others)
    status = sheet.status(picture.variable, others)
    found, codes = dask.compute(value, status)
    values = np.asarray(found.values, dtype=float)
    coordinate = sheet.data[dim]
    side = axis(coordinate, most=values.size)
    flat = is_flat(values)
    drawn_values = np.where(np.isfinite(values), np.nanmedian(values), np.nan) if flat else values
    kind = "linear" if flat else picture.scale
    scale = scale_for(kind, values, centre(picture.variable))
    shown = {k: v for k, v in others.items() if k in sheet.dims_of(picture.variable)}
    drawn = scale.forward(drawn_values)
    return Slice(
        title=where(sheet.data, shown),
        side=side,
        value_text=with_unit(value),
        values=values,
        drawn=drawn,
        states=states_of(values, drawn, None if codes is None else codes.values),
        scale=scale,
        flat=flat,
        chosen=picture.at[dim],
    )


def limits(cut: Slice) -> Range:
    """The ends of the axis of the values: all points lie between them."""
    finite = cut.drawn[np.isfinite(cut.drawn)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if not high > low:
        pad = abs(low) * 1e-3 or 1.0
        return low - pad, high + pad
    pad = 0.06 * (high - low)
    return low - pad, high + pad


def curve(cut: Slice) -> hv.Overlay:
    """Line, points, crosses on points whose status is not ok, and the chosen point."""
    overlay = line(cut) * markers(cut)
    return overlay.opts(**frame(cut), backend="bokeh")


def line(cut: Slice) -> hv.Curve:
    """The curve itself."""
    return hv.Curve(*_columns(cut)).opts(color=LINE, backend="bokeh")


def markers(cut: Slice) -> hv.Overlay:
    """Its points, those whose status is not ok, and the chosen one."""
    columns, kdims, vdims = _columns(cut)
    at = np.flatnonzero(cut.side.labels == cut.chosen)
    points = hv.Scatter(columns, kdims, vdims)
    crosses = hv.Scatter(tuple(c[cut.doubtful] for c in columns), kdims, vdims)
    chosen = hv.Scatter(tuple(c[at] for c in columns), kdims, vdims)
    points = points.opts(
        color=LINE,
        size=6,
        tools=["hover"],
        hover_tooltips=[
            (label(cut.side.text, "bokeh"), "@{at_x}{%.12g}"),
            (label(cut.value_text, "bokeh"), "@{value}{%.10g}"),
        ],
        hover_formatters={"@{at_x}": "printf", "@{value}": "printf"},
        backend="bokeh",
    )
    crosses = crosses.opts(color="black", marker="x", size=10, line_width=2, backend="bokeh")
    chosen = chosen.opts(fill_alpha=0, line_color="black", size=14, line_width=2.5, backend="bokeh")
    return hv.Overlay([points, crosses, chosen])


def frame(cut: Slice) -> dict[str, Any]:
    """Options of a curve on the screen."""
    return {
        "logx": cut.side.log,
        "xlabel": label(cut.side.text, "bokeh"),
        "ylabel": label(cut.value_text, "bokeh"),
        "default_tools": TOOLS,
        "active_tools": [],
        "responsive": True,
        "min_height": 230,
        "show_legend": False,
        "toolbar": "above",
        "backend_opts": {"plot.toolbar.logo": None},
        "ylim": limits(cut),
        **yticks(cut),
    }


def yticks(cut: Slice) -> dict[str, Any]:
    """Round ticks where the axis does not show the values themselves."""
    return {} if cut.scale.kind == "linear" else {"yticks": cut.scale.ticks(*limits(cut))}


def _columns(cut: Slice) -> tuple[tuple[Floats, ...], list[Any], list[Any]]:
    return (
        (cut.side.places, cut.drawn, cut.values, cut.side.labels.astype(float)),
        [hv.Dimension(cut.dim, label=label(cut.side.text, "bokeh"))],
        [hv.Dimension("drawn", label=label(cut.value_text, "bokeh")), "value", "at_x"],
    )
