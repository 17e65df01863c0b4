"""A map as HoloViews elements: cells, flags, lines and the chosen cell, for Bokeh or Matplotlib."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np

from ensemble import Status
from heatcat.browser.colours import MISSING
from heatcat.browser.escape import Backend, label, title
from heatcat.browser.picture import Picture
from heatcat.browser.plane import Plane, load_plane
from heatcat.browser.scales import Scale
from heatcat.browser.sheet import Sheet

DASHES = {
    "carnot": "solid",
    "gain": "dashed",
    "constancy": "dotted",
    "weak_coupling": "dashdot",
    "rotating_wave": "dashdot",
    "contour": "solid",
}
WIDTHS = {
    "carnot": 2.5,
    "gain": 2.5,
    "constancy": 3.0,
    "weak_coupling": 2.0,
    "rotating_wave": 1.2,
    "contour": 1.2,
}
HEIGHT = 440
"""Height of a map on the screen in pixels, with its colour bar."""
TOOLS = ["pan", "box_zoom", "wheel_zoom", "reset"]
FRAME = {
    "responsive": True,
    "min_height": HEIGHT,
    "fontscale": 1.1,
    "default_tools": TOOLS,
    "active_tools": [],
    "toolbar": "above",
    "backend_opts": {"plot.toolbar.logo": None},
}
"""Options of a map on the screen; no tool is active at first, so that a finger scrolls the page."""


def map_overlay(sheet: Sheet, picture: Picture, backend: Backend = "bokeh") -> hv.Overlay:
    """The whole map of a sheet."""
    return layers(load_plane(sheet, picture), backend)


def layers(plane: Plane, backend: Backend = "bokeh") -> hv.Overlay:
    """The whole map: its cells and what lies over them."""
    overlay = mesh(plane, backend) * over(plane, backend)
    if backend == "matplotlib":
        return overlay.opts(
            title=title(plane.title, backend), fig_inches=(6.8, 4.8), aspect=None, backend=backend
        )
    return overlay.opts(**FRAME, backend=backend)


def over(plane: Plane, backend: Backend = "bokeh") -> hv.Overlay:
    """Flags, lines, texts and the chosen cell, in the same order for all planes of a picture."""
    parts = [flags(plane, backend), *(lines(plane, kind, backend) for kind in plane.kinds)]
    if plane.kinds:
        parts.append(line_texts(plane, backend))
    return hv.Overlay([*parts, chosen_cell(plane, backend)])


def mesh(plane: Plane, backend: Backend = "bokeh") -> hv.QuadMesh:
    """The cells, and the text that the pointer shows for each."""
    at_x, at_y = np.meshgrid(plane.x.labels.astype(float), plane.y.labels.astype(float))
    columns = [plane.drawn, plane.values, at_x, at_y]
    names = ["drawn", "value", "at_x", "at_y"]
    tooltips = [
        (label(plane.value_text, backend), "@{value}{%.10g}"),
        (label(plane.x.whole_text, backend), "@{at_x}{%.12g}"),
        (label(plane.y.whole_text, backend), "@{at_y}{%.12g}"),
    ]
    if plane.status is not None:
        texts = np.array([status.label for status in Status], dtype=object)
        columns.append(texts[plane.status])
        names.append("state")
        tooltips.append(("status", "@state"))
    element = hv.QuadMesh(
        (plane.x.edges, plane.y.edges, *columns),
        kdims=_dimensions(plane, backend),
        vdims=names,
    )
    shared: dict[str, Any] = {
        "cmap": plane.colours.palette,
        "clim": plane.colours.limits,
        "colorbar": not plane.colours.empty,
        "clipping_colors": {"NaN": MISSING},
        "xlim": plane.x.limits,
        "ylim": plane.y.limits,
        "logx": plane.x.log,
        "logy": plane.y.log,
    }
    if backend == "matplotlib":
        return element.opts(
            **shared, clabel=label(plane.value_text, backend), **_ticks(plane), backend=backend
        )
    return element.opts(
        **shared,
        clabel=label(plane.value_text, backend),
        colorbar_opts=_colorbar(plane),
        colorbar_position="bottom",
        tools=["hover"],
        hover_tooltips=tooltips,
        hover_formatters={f"@{{{name}}}": "printf" for name in ("value", "at_x", "at_y")},
        backend=backend,
    )


def flags(plane: Plane, backend: Backend = "bokeh") -> hv.Points:
    """Crosses on the points whose status is uncertified, unphysical or failed."""
    doubtful: list[tuple[float, float]] = []
    if plane.status is not None:
        rows, columns = np.nonzero(plane.status > Status.OK)
        doubtful = list(zip(plane.x.places[columns], plane.y.places[rows], strict=True))
    element = hv.Points(doubtful, kdims=_dimensions(plane, backend))
    if backend == "matplotlib":
        return element.opts(marker="x", s=24, c="black", edgecolor=None, backend=backend)
    return element.opts(marker="x", size=8, color="black", line_width=1.5, backend=backend)


def lines(plane: Plane, kind: str, backend: Backend = "bokeh") -> hv.Path:
    """Lines of one kind, told apart by their dashes."""
    paths = [path for line in plane.lines if line.kind == kind for path in line.paths]
    element = hv.Path(paths, kdims=_dimensions(plane, backend))
    if backend == "matplotlib":
        return element.opts(
            color="black", linestyle=DASHES[kind], linewidth=WIDTHS[kind], backend=backend
        )
    return element.opts(
        color="black", line_dash=DASHES[kind], line_width=WIDTHS[kind], backend=backend
    )


def text_places(plane: Plane) -> list[tuple[float, float, str]]:
    """Where the text of each line stands: on its longest piece, away from other texts."""
    rows: list[tuple[float, float, str]] = []
    taken: list[np.ndarray] = []
    for line in plane.lines:
        places = [_fractions(path, plane) for path in line.paths]
        inside = [np.all((place > 0.1) & (place < 0.9), axis=1) for place in places]
        longest = max(range(len(places)), key=lambda i: inside[i].sum(), default=None)
        if longest is None or not inside[longest].any():
            continue
        path, place = line.paths[longest][inside[longest]], places[longest][inside[longest]]
        middle = np.abs(np.arange(len(path)) / len(path) - 0.5)
        # A text is about five times as wide as it is high.
        room = [np.hypot(*((place - other) * (0.4, 2.0)).T) for other in taken]
        nearest = np.min(room, axis=0) if room else np.ones(len(path))
        best = int(np.argmax(np.minimum(nearest, 0.25) - 0.1 * middle))
        taken.append(place[best])
        rows.append((float(path[best][0]), float(path[best][1]), line.text))
    return rows


def line_texts(plane: Plane, backend: Backend = "bokeh") -> hv.Labels:
    """The texts of the lines."""
    rows = [(x, y, label(text, backend)) for x, y, text in text_places(plane)]
    element = hv.Labels(rows, kdims=_dimensions(plane, backend), vdims="text")
    if backend == "matplotlib":
        return element.opts(color="black", size=9, backend=backend)
    return element.opts(
        text_color="black",
        text_font_size="12px",
        background_fill_color="white",
        background_fill_alpha=0.75,
        backend=backend,
    )


def chosen_cell(plane: Plane, backend: Backend = "bokeh") -> hv.Rectangles:
    """Frame of the chosen cell."""
    (left, right), (bottom, top) = plane.x.cell(plane.cell[0]), plane.y.cell(plane.cell[1])
    frame = hv.Rectangles(
        [(left, bottom, right, top)], kdims=[*_dimensions(plane, backend), "x1", "y1"]
    )
    if backend == "matplotlib":
        return frame.opts(facecolor="none", edgecolor="black", linewidth=2, backend=backend)
    return frame.opts(fill_alpha=0, line_color="black", line_width=3, backend=backend)


def _fractions(path: np.ndarray, plane: Plane) -> np.ndarray:
    """Positions on the map, from 0 to 1 across and up."""
    columns = []
    for column, side in enumerate((plane.x, plane.y)):
        place, ends = path[:, column], np.array(side.limits)
        if side.log:
            place, ends = np.log(place), np.log(ends)
        columns.append((place - ends[0]) / (ends[1] - ends[0]))
    return np.stack(columns, axis=1)


def _dimensions(plane: Plane, backend: Backend) -> list[hv.Dimension]:
    return [hv.Dimension(side.name, label=label(side.text, backend)) for side in (plane.x, plane.y)]


def _colorbar(plane: Plane) -> dict[str, Any]:
    """Ticks of the colour bar in the values' own numbers."""
    from bokeh.models import FixedTicker

    ticks = round_ticks(plane)
    if ticks is None:
        return {}
    texts = dict(ticks)
    return {"ticker": FixedTicker(ticks=list(texts)), "major_label_overrides": texts}


def _ticks(plane: Plane) -> dict[str, Any]:
    """The same for Matplotlib."""
    ticks = round_ticks(plane)
    return {} if ticks is None else {"cbar_ticks": ticks}


def round_ticks(plane: Plane) -> list[tuple[float, str]] | None:
    """Places and texts of the ticks of a colour bar; None where it has the values themselves."""
    if plane.variable == "status":
        return [(float(status), status.label) for status in Status]
    if plane.scale.kind == "linear":
        return None
    return plane.scale.ticks(*plane.colours.limits)


def tick_formatter(scale: Scale) -> Any:
    """Bokeh's formatter for drawn numbers; None where they are the values themselves."""
    from bokeh.models import CustomJSTickFormatter

    return None if scale.kind == "linear" else CustomJSTickFormatter(code=scale.script)
