"""A map as HoloViews elements on the screen: cells, dots, flags, lines and the chosen cell."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np

from ensemble import Status
from heatcat.browser.shown.colours import MISSING
from heatcat.browser.shown.escape import label
from heatcat.browser.shown.plane import Plane
from heatcat.browser.shown.scales import Scale

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
STATUS_TEXTS = np.array([status.label for status in Status], dtype=object)
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


def layers(plane: Plane) -> hv.Overlay:
    """The whole map: its cells and what lies over them."""
    cells = [mesh(plane)] if plane.values.size else []
    overlay = hv.Overlay([*cells, *dots(plane), *over(plane)])
    return overlay.opts(**FRAME, backend="bokeh")


def over(plane: Plane) -> hv.Overlay:
    """Flags, lines, texts and the chosen cell, in the same order for all planes of a picture."""
    parts = [flags(plane), *(lines(plane, kind) for kind in plane.kinds)]
    if plane.kinds:
        parts.append(line_texts(plane))
    if plane.values.size:
        parts.append(chosen_cell(plane))
    return hv.Overlay(parts)


def mesh(plane: Plane) -> hv.QuadMesh:
    """The cells, and the text that the pointer shows for each."""
    at_x, at_y = np.meshgrid(plane.x.labels.astype(float), plane.y.labels.astype(float))
    columns = [plane.drawn, plane.values, at_x, at_y]
    names = ["drawn", "value", "at_x", "at_y"]
    tooltips = _tooltips(plane)
    if plane.status is not None:
        columns.append(STATUS_TEXTS[plane.status])
        names.append("state")
        tooltips.append(("status", "@state"))
    element = hv.QuadMesh(
        (plane.x.edges, plane.y.edges, *columns),
        kdims=_dimensions(plane),
        vdims=names,
    )
    return element.opts(**_coloured(plane), hover_tooltips=tooltips, backend="bokeh")


def dots(plane: Plane) -> list[hv.Points]:
    """The points beside the cells, or all points where there is no grid."""
    points = plane.scattered
    if points is None or not points.values.size:
        return []
    element = hv.Points(
        (points.x - plane.x.bound, points.y - plane.y.bound, points.drawn, points.values,
         points.x, points.y, STATUS_TEXTS[points.status]),
        kdims=_dimensions(plane),
        vdims=["drawn", "value", "at_x", "at_y", "state"],
    )  # fmt: skip
    tooltips = [*_tooltips(plane), ("status", "@state")]
    options = _coloured(plane) | ({"colorbar": False} if plane.values.size else {})
    drawn = element.opts(
        **options, color="drawn", size=9, line_color="black", hover_tooltips=tooltips,
        backend="bokeh",
    )  # fmt: skip
    return [drawn]


def _tooltips(plane: Plane) -> list[tuple[str, str]]:
    """Names and numbers that the pointer shows of what has a value at a place."""
    return [
        (label(plane.value_text, "bokeh"), "@{value}{%.10g}"),
        (label(plane.x.whole_text, "bokeh"), "@{at_x}{%.12g}"),
        (label(plane.y.whole_text, "bokeh"), "@{at_y}{%.12g}"),
    ]


def _coloured(plane: Plane) -> dict[str, Any]:
    """Options of what has the colours of the values."""
    return {
        "cmap": plane.colours.palette,
        "clim": plane.colours.limits,
        "colorbar": not plane.colours.empty,
        "clipping_colors": {"NaN": MISSING},
        "xlim": plane.x.limits,
        "ylim": plane.y.limits,
        "logx": plane.x.log,
        "logy": plane.y.log,
        "clabel": label(plane.value_text, "bokeh"),
        "colorbar_opts": _colorbar(plane),
        "colorbar_position": "bottom",
        "tools": ["hover"],
        "hover_formatters": {f"@{{{name}}}": "printf" for name in ("value", "at_x", "at_y")},
    }


def flags(plane: Plane) -> hv.Points:
    """Crosses on the points whose status is uncertified, unphysical or failed."""
    doubtful: list[tuple[float, float]] = []
    if plane.status is not None:
        rows, columns = np.nonzero(plane.status > Status.OK)
        doubtful = list(zip(plane.x.places[columns], plane.y.places[rows], strict=True))
    element = hv.Points(doubtful, kdims=_dimensions(plane))
    return element.opts(marker="x", size=8, color="black", line_width=1.5, backend="bokeh")


def lines(plane: Plane, kind: str) -> hv.Path:
    """Lines of one kind, told apart by their dashes."""
    paths = [path for line in plane.lines if line.kind == kind for path in line.paths]
    element = hv.Path(paths, kdims=_dimensions(plane))
    return element.opts(
        color="black", line_dash=DASHES[kind], line_width=WIDTHS[kind], backend="bokeh"
    )


ROOM = np.array([0.1, 0.04])
"""Share of the map's width and height at its edges where no text stands."""


def text_places(plane: Plane) -> list[tuple[float, float, str]]:
    """Where the text of each line stands: on its longest piece, away from other texts."""
    rows: list[tuple[float, float, str]] = []
    taken: list[np.ndarray] = []
    for line in plane.lines:
        places = [_fractions(path, plane) for path in line.paths]
        inside = [np.all((place > ROOM) & (place < 1 - ROOM), axis=1) for place in places]
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


def line_texts(plane: Plane) -> hv.Labels:
    """The texts of the lines."""
    rows = [(x, y, label(text, "bokeh")) for x, y, text in text_places(plane)]
    element = hv.Labels(rows, kdims=_dimensions(plane), vdims="text")
    return element.opts(
        text_color="black",
        text_font_size="12px",
        background_fill_color="white",
        background_fill_alpha=0.75,
        backend="bokeh",
    )


def chosen_cell(plane: Plane) -> hv.Rectangles:
    """Frame of the chosen cell."""
    (left, right), (bottom, top) = plane.x.cell(plane.cell[0]), plane.y.cell(plane.cell[1])
    frame = hv.Rectangles([(left, bottom, right, top)], kdims=[*_dimensions(plane), "x1", "y1"])
    return frame.opts(fill_alpha=0, line_color="black", line_width=3, backend="bokeh")


def _fractions(path: np.ndarray, plane: Plane) -> np.ndarray:
    """Positions on the map, from 0 to 1 across and up."""
    columns = []
    for column, side in enumerate((plane.x, plane.y)):
        place, ends = path[:, column], np.array(side.limits)
        if side.log:
            place, ends = np.log(place), np.log(ends)
        columns.append((place - ends[0]) / (ends[1] - ends[0]))
    return np.stack(columns, axis=1)


def _dimensions(plane: Plane) -> list[hv.Dimension]:
    return [hv.Dimension(side.name, label=label(side.text, "bokeh")) for side in (plane.x, plane.y)]


def _colorbar(plane: Plane) -> dict[str, Any]:
    """Ticks of the colour bar in the values' own numbers."""
    from bokeh.models import FixedTicker

    ticks = round_ticks(plane)
    if ticks is None:
        return {}
    texts = dict(ticks)
    return {"ticker": FixedTicker(ticks=list(texts)), "major_label_overrides": texts}


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
