"""Maps and curves as Matplotlib figures for a journal: 8 pt text, a column wide, no browser."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from ensemble import InvalidInput, Status
from ensemble.checks import as_number, is_finite, shown
from heatcat.browser.drawn.maps import DASHES, round_ticks, text_places
from heatcat.browser.drawn.slices import LINE, Slice, limits
from heatcat.browser.shown.colours import MISSING
from heatcat.browser.shown.escape import label
from heatcat.browser.shown.picture import OVERLAYS
from heatcat.browser.shown.plane import Plane

COLUMN = 3.4
"""Width of one column of a journal, in inches."""
HIGH = 0.8
"""Height of a panel over its width."""
LETTERS = 14
"""Characters of 8 pt text that fit into one inch."""
SIZES = ("font.size", "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize",
         "legend.fontsize", "figure.titlesize")  # fmt: skip
STYLE: Any = {
    **dict.fromkeys(SIZES, 8.0),
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.0,
    "legend.frameon": False,
}
FILES: Any = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none"}
"""Fonts are embedded as TrueType, and text stays text."""
SCALED = {"linear": "", "log": ", log scale", "symlog": ", symmetric log scale"}
DPI = 300
ON_ANY_COLOUR = [withStroke(linewidth=2.6, foreground="white")]
"""Black lines and texts have a white edge, so that they are seen on dark cells, too."""


class PaperFigure(Figure):
    """A figure that shows itself in a notebook, and is saved with its fonts and at 300 dpi."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save as PNG, PDF or SVG, as the suffix says."""
        with mpl.rc_context(FILES):
            super().savefig(fname, **{"dpi": DPI, **options})

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=150)
        return file.getvalue()


def maps_figure(planes: Sequence[Plane], titles: Sequence[str], width: float = COLUMN) -> Figure:
    """Maps beside each other, each with its lines, colour bar and title.

    Parameters
    ----------
    planes : sequence of Plane
    titles : sequence of str
        Wrapped at the width of a map.
    width : float
        Of the figure, in inches; text has 8 pt whatever it is.
    """
    with mpl.rc_context(STYLE):
        share = width / len(planes)
        wrapped = [_wrapped(title, share) for title in titles]
        lines = max(title.count("\n") + 1 for title in wrapped)
        height = share * HIGH
        figure = PaperFigure(figsize=(width, height + 0.14 * lines), layout="constrained")
        parts: Any = [figure]  # a map alone has its title and legend where users look for them
        if len(planes) > 1:
            parts = figure.subfigures(1, len(planes))
        for part, plane, title in zip(parts, planes, wrapped, strict=True):
            if title:
                part.suptitle(title, x=0.02, ha="left")
            _map(part, plane, share, height)
    return figure


def _map(figure: Any, plane: Plane, width: float, height: float) -> None:
    """One map in its part of a figure."""
    axes = figure.subplots()
    low, high = plane.colours.limits
    shared: dict[str, Any] = {
        "cmap": ListedColormap(plane.colours.palette).with_extremes(bad=MISSING),
        "vmin": low,
        "vmax": high,
        "rasterized": True,
    }
    drawn: Any = None
    if plane.values.size:
        cells = np.ma.masked_invalid(plane.drawn)
        drawn = axes.pcolormesh(plane.x.edges, plane.y.edges, cells, **shared)
    points = plane.scattered
    if points is not None and points.values.size:
        places = points.x - plane.x.bound, points.y - plane.y.bound
        dots = axes.scatter(
            *places, c=np.ma.masked_invalid(points.drawn), s=14, edgecolors="black",
            linewidths=0.4, plotnonfinite=True, **shared,
        )  # fmt: skip
        drawn = dots if drawn is None else drawn
    _scale(axes, plane)
    _bar(figure, axes, drawn, plane, height)
    known = [*_lines(axes, plane), *_signs(axes, plane)]
    if known:
        figure.legend(handles=known, loc="outside lower center", ncols=_columns(known, width))


def curves_figure(cuts: Sequence[Slice], width: float = COLUMN) -> Figure:
    """Curves beside each other, at most two in a row."""
    with mpl.rc_context(STYLE):
        across = min(2, len(cuts))
        down = -(-len(cuts) // across)
        height = down * width / across * (HIGH if across == 1 else 1.0)
        figure = PaperFigure(figsize=(width, height), layout="constrained")
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for axes, cut in zip(panels, cuts, strict=False):
            _curve(axes, cut, width / across)
        for axes in panels[len(cuts) :]:
            axes.remove()
    return figure


def a_width(name: str, value: Any) -> float:
    """A width in inches.

    Raises
    ------
    InvalidInput
    """
    number = as_number(value)
    if number is None or not is_finite(number) or not 1 <= number <= 50:
        raise InvalidInput(f"{name} is in inches, 1 to 50, but is {shown(value)}: e.g. 3.4 or 7")
    return float(number)


def _wrapped(text: str, inches: float) -> str:
    """Text for Matplotlib, in lines that fit into a width."""
    whole = re.sub(r"(\S+) = (\S+)(?: (?=[^\s,]+(?:,|$)))?", _unbroken, text)
    lines = textwrap.wrap(whole, max(12, int(LETTERS * inches)))
    return "\n".join(label(line, "matplotlib") for line in lines)


def _unbroken(found: re.Match[str]) -> str:
    """A label such as "ω₀ = 1 E₁" with spaces at which no line ends."""
    return found[0].replace(" ", "\u00a0")


def _scale(axes: Axes, plane: Plane) -> None:
    if plane.x.log:
        axes.set_xscale("log")
    if plane.y.log:
        axes.set_yscale("log")
    axes.set(xlim=plane.x.limits, ylim=plane.y.limits)
    axes.set_xlabel(label(plane.x.text, "matplotlib"))
    axes.set_ylabel(label(plane.y.text, "matplotlib"))


def _bar(figure: Any, axes: Axes, drawn: Any, plane: Plane, height: float) -> None:
    """The colour bar, with symbol and unit, and the scale if it is not linear."""
    bar = figure.colorbar(drawn, ax=axes, pad=0.02)
    bar.set_label(_wrapped(plane.value_text + SCALED[plane.scale.kind], height))
    ticks = round_ticks(plane)
    if ticks is not None:
        bar.set_ticks([place for place, _ in ticks], labels=[text for _, text in ticks])


def _lines(axes: Axes, plane: Plane) -> list[Any]:
    """Draw the lines; the legend has those that are the only ones of their kind."""
    handles = []
    for kind in plane.kinds:
        style: dict[str, Any] = {"color": "black", "linestyle": DASHES[kind]}
        found = [line for line in plane.lines if line.kind == kind]
        for line in found:
            for path in line.paths:
                axes.plot(*path.T, **style, path_effects=ON_ANY_COLOUR)
        if not any(line.paths for line in found):
            text = f"no {OVERLAYS.get(kind, 'contour')} in view"
            handles.append(Line2D([], [], linestyle="none", label=text))
        elif len(found) == 1:
            text = label(found[0].text, "matplotlib")
            handles.append(Line2D([], [], **style, label=text))
    _write_on(axes, plane)
    return handles


def _write_on(axes: Axes, plane: Plane) -> None:
    """The texts of lines that are several of their kind, away from each other."""
    several = {kind for kind in plane.kinds if sum(line.kind == kind for line in plane.lines) > 1}
    some = replace(plane, lines=tuple(line for line in plane.lines if line.kind in several))
    for x, y, text in text_places(some):
        axes.text(
            x, y, label(text, "matplotlib"), ha="center", va="center", clip_on=True, zorder=5,
            bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.8},
        )  # fmt: skip


def _signs(axes: Axes, plane: Plane) -> list[Any]:
    """Crosses on doubtful points, and what grey cells and crosses mean, where there are any."""
    handles: list[Any] = []
    x, y = _doubtful(plane)
    if x.size:
        style: dict[str, Any] = {
            "marker": "x",
            "color": "black",
            "linestyle": "none",
            "markersize": 4,
        }
        axes.plot(x, y, **style)
        handles.append(Line2D([], [], label="not certified", **style))
    drawn = plane.drawn if plane.scattered is None else plane.scattered.drawn
    if not (np.isfinite(plane.drawn).all() and np.isfinite(drawn).all()):
        waits = plane.status is not None and bool((plane.status == Status.NOT_COMPUTED).any())
        text = "undefined or not computed" if waits else "undefined"
        handles.append(Patch(facecolor=MISSING, edgecolor="black", linewidth=0.4, label=text))
    return handles


def _doubtful(plane: Plane) -> tuple[np.ndarray, np.ndarray]:
    """Where the points lie that are computed, but not certified."""
    x, y = np.empty(0), np.empty(0)
    if plane.status is not None:
        rows, columns = np.nonzero(plane.status > Status.OK)
        x, y = plane.x.places[columns], plane.y.places[rows]
    points = plane.scattered
    if points is not None:
        there = points.status > Status.OK
        x = np.append(x, points.x[there] - plane.x.bound)
        y = np.append(y, points.y[there] - plane.y.bound)
    return x, y


def _columns(handles: Sequence[Any], width: float) -> int:
    """Columns of a legend that fit into a width."""
    longest = max(len(handle.get_label()) for handle in handles) + 6
    return max(1, min(len(handles), int(LETTERS * width / longest)))


def _curve(axes: Axes, cut: Slice, width: float) -> None:
    places, drawn = cut.side.places, cut.drawn
    axes.plot(places, drawn, color=LINE, marker="o", markersize=2.5)
    axes.plot(places[cut.doubtful], drawn[cut.doubtful], "x", color="black", markersize=5)
    if cut.side.log:
        axes.set_xscale("log")
    axes.set_ylim(limits(cut))
    if cut.scale.kind != "linear":
        ticks = cut.scale.ticks(*limits(cut))
        axes.set_yticks([place for place, _ in ticks], labels=[text for _, text in ticks])
    axes.set_xlabel(label(cut.side.text, "matplotlib"))
    axes.set_ylabel(_wrapped(cut.value_text + SCALED[cut.scale.kind], width * HIGH))
    axes.set_title(_wrapped(cut.title, width), loc="left")
