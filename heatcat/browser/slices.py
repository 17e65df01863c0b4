"""Curves of a variable along one dimension, through the chosen point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dask
import holoviews as hv
import numpy as np

from ensemble import Status
from heatcat.browser.colours import Scale, scale_for
from heatcat.browser.escape import Backend, label, title
from heatcat.browser.labels import where, with_unit
from heatcat.browser.maps import TOOLS, tick_formatter
from heatcat.browser.picture import Picture
from heatcat.browser.plane import Floats, spaced_by_factors
from heatcat.browser.sheet import Sheet

LINE = "#0072b2"


@dataclass(frozen=True)
class Slice:
    """A curve, ready to be drawn."""

    title: str
    dim: str
    dim_text: str
    value_text: str
    labels: Floats
    values: Floats
    doubtful: np.ndarray
    log: bool
    scale: Scale
    chosen: float


def load_slice(sheet: Sheet, picture: Picture, dim: str) -> Slice:
    """Read a variable along ``dim`` at the chosen labels of the other dimensions."""
    others = {name: value for name, value in picture.at.items() if name != dim}
    value = sheet.select(picture.variable, others)
    status = sheet.status(picture.variable, others)
    found, codes = dask.compute(value, status)
    values = np.asarray(found.values, dtype=float)
    labels = sheet.labels(dim).astype(float)
    doubtful = np.zeros(labels.size, dtype=bool) if codes is None else codes.values > Status.OK
    shown = {k: v for k, v in others.items() if k in sheet.dims_of(picture.variable)}
    return Slice(
        title=where(sheet.data, shown),
        dim=dim,
        dim_text=with_unit(sheet.data[dim]),
        value_text=with_unit(value),
        labels=labels,
        values=values,
        doubtful=doubtful,
        log=spaced_by_factors(labels),
        scale=scale_for(picture.scale, values),
        chosen=picture.at[dim],
    )


def curve(cut: Slice, backend: Backend = "bokeh") -> hv.Overlay:
    """Line, points, crosses on points whose status is not ok, and the chosen point."""
    overlay = line(cut, backend) * markers(cut, backend)
    if backend == "bokeh":
        return overlay.opts(**frame(cut), backend=backend)
    drawn = cut.scale.forward(cut.values)
    finite = drawn[np.isfinite(drawn)]
    step = float(np.ptp(finite)) / 8 if finite.size and np.ptp(finite) > 0 else 1.0
    return overlay.opts(
        logx=cut.log,
        xlabel=label(cut.dim_text, backend),
        ylabel=label(cut.value_text, backend),
        yformatter=lambda tick, _: cut.scale.text(tick, step),
        fig_inches=(6.4, 4.0),
        aspect=None,
        title=title(cut.title, backend),
        backend=backend,
    )


def line(cut: Slice, backend: Backend = "bokeh") -> hv.Curve:
    """The curve itself."""
    return hv.Curve(*_columns(cut, backend)).opts(color=LINE, backend=backend)


def markers(cut: Slice, backend: Backend = "bokeh") -> hv.Overlay:
    """Its points, those whose status is not ok, and the chosen one."""
    columns, kdims, vdims = _columns(cut, backend)
    at = np.flatnonzero(cut.labels == cut.chosen)
    points = hv.Scatter(columns, kdims, vdims)
    crosses = hv.Scatter(tuple(c[cut.doubtful] for c in columns), kdims, vdims)
    chosen = hv.Scatter(tuple(c[at] for c in columns), kdims, vdims)
    if backend == "matplotlib":
        return hv.Overlay(
            [
                points.opts(color=LINE, s=16, backend=backend),
                crosses.opts(c="black", marker="x", s=40, edgecolor=None, backend=backend),
                chosen.opts(
                    facecolors="none", edgecolors="black", s=120, linewidth=2, backend=backend
                ),
            ]
        )
    points = points.opts(
        color=LINE,
        size=6,
        tools=["hover"],
        hover_tooltips=[
            (label(cut.dim_text, backend), f"@{{{cut.dim}}}{{%.12g}}"),
            (label(cut.value_text, backend), "@{value}{%.10g}"),
        ],
        hover_formatters={f"@{{{cut.dim}}}": "printf", "@{value}": "printf"},
        backend=backend,
    )
    crosses = crosses.opts(color="black", marker="x", size=10, line_width=2, backend=backend)
    chosen = chosen.opts(fill_alpha=0, line_color="black", size=14, line_width=2.5, backend=backend)
    return hv.Overlay([points, crosses, chosen])


def frame(cut: Slice) -> dict[str, Any]:
    """Options of a curve on the screen."""
    formatter = tick_formatter(cut.scale)
    return {
        "logx": cut.log,
        "xlabel": label(cut.dim_text, "bokeh"),
        "ylabel": label(cut.value_text, "bokeh"),
        "default_tools": TOOLS,
        "active_tools": [],
        "responsive": True,
        "min_height": 230,
        "show_legend": False,
        "toolbar": "above",
        "backend_opts": {"plot.toolbar.logo": None},
        "framewise": True,
        "padding": 0.06,
        **({} if formatter is None else {"yformatter": formatter}),
    }


def _columns(
    cut: Slice, backend: Backend
) -> tuple[tuple[Floats, Floats, Floats], list[Any], list[Any]]:
    return (
        (cut.labels, cut.scale.forward(cut.values), cut.values),
        [hv.Dimension(cut.dim, label=label(cut.dim_text, backend))],
        [hv.Dimension("drawn", label=label(cut.value_text, backend)), "value"],
    )
