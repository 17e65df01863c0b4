"""A drawing on paper, with matplotlib: a journal's widths, 8 pt text, fonts embedded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullFormatter, NullLocator

from heatcat.figures.legends import AROUND, NOTHING, Wanted, place_below, place_inside
from heatcat.figures.panels import Drawing, Line, Map, Note, Panel, Rule, cell_edges

STYLE: dict[Any, Any] = {
    "font.size": 8,
    "font.family": "DejaVu Sans",  # ships with matplotlib and has T̄
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "axes.linewidth": 0.6,
    "axes.labelpad": 2.5,
    "figure.dpi": 100,
    "savefig.dpi": 300,
    "pdf.fonttype": 42,  # TrueType, whole letters: journals refuse Type 3
    "svg.fonttype": "path",
}
WIDTH = 7.0
"""Width across two columns of a journal, in inches; one column is 3.4."""
NARROWEST = 2.2
"""Width of a panel below which fewer stand in a row, in inches."""


def draw(drawing: Drawing, *, width: float = WIDTH) -> Figure:
    """The drawing as a figure of this width in inches; text is 8 pt whatever the width.

    Where the width is too small for a row, its panels stand below each other.  A legend stands in a
    panel where it covers no data, else below its row, and has no entry that an earlier one has.
    """
    rows = [part for row in drawing.rows for part in _split(row, width)]
    with mpl.rc_context(STYLE):
        spaces = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0.05, hspace=0.0)
        figure = Figure(layout=spaces)
        # Below each row of panels is one for legends, which grows if there are any.
        ratios = [drawing.height, NOTHING] * len(rows)
        lengths = {len(row) for row in rows}
        columns = lengths.pop() if len(lengths) == 1 else 1  # rows that differ are not aligned
        grid = figure.add_gridspec(2 * len(rows), columns, height_ratios=ratios)
        cells = [_cells(grid, index, len(rows[index // 2])) for index in range(2 * len(rows))]
        figure.set_size_inches(width, len(rows) * (drawing.height + AROUND))
        wanted = []
        known: set[Any] = set()
        for index, row in enumerate(rows):
            frames = []
            for place, panel in enumerate(row):
                axes = figure.add_subplot(cells[2 * index][place])
                frames.append(axes)
                handles = _draw_panel(axes, panel)
                new = [handle for key, handle in handles.items() if key not in known]
                known |= set(handles)
                if new:
                    wanted.append(Wanted(axes, panel, new, index, cells[2 * index + 1][place]))
            _colour_bars(figure, frames, row)
        outside = place_inside(figure, wanted)
        place_below(figure, grid, outside)
        figure.set_layout_engine("none")  # the places are final: each file would compute them anew
    return figure


def _cells(grid: GridSpec, row: int, length: int) -> list[SubplotSpec]:
    """The cells of a row that is divided into this many."""
    if grid.ncols == length:
        return [grid[row, place] for place in range(length)]
    inner = grid[row, 0].subgridspec(1, length)
    return [inner[place] for place in range(length)]


def save(figure: Figure, path: Path) -> None:
    """Write the figure in the format that the ending of the path names."""
    with mpl.rc_context(STYLE):
        figure.savefig(path)


def _split(row: Sequence[Panel], width: float) -> list[Sequence[Panel]]:
    """Rows that the width has room for."""
    most = max(1, int(width // NARROWEST))
    return [row[start : start + most] for start in range(0, len(row), most)]


def _draw_panel(axes: Axes, panel: Panel) -> dict[Any, Any]:
    """Draw, and return what the legend shows by text and style."""
    axes.set_title(f"({panel.letter}) {panel.title}")
    for of, axis in (("x", panel.x), ("y", panel.y)):
        axes.set(
            **{
                f"{of}scale": "log" if axis.log else "linear",
                f"{of}lim": panel.limits("x" if of == "x" else "y"),
                f"{of}label": axis.label,
            }
        )
        if (texts := axis.tick_texts()) is not None:
            ticks = getattr(axes, f"{of}axis")
            ticks.set_ticks(list(texts), labels=list(texts.values()))
            ticks.set_minor_locator(NullLocator())
            ticks.set_minor_formatter(NullFormatter())
    return {
        key: handle for layer in panel.layers for key, handle in _draw_layer(axes, layer, panel)
    }


def _draw_layer(axes: Axes, layer: Any, panel: Panel) -> list[tuple[Any, Any]]:
    match layer:
        case Map():
            axes.pcolormesh(
                cell_edges(layer.x, log=panel.x.log),
                cell_edges(layer.y, log=panel.y.log),
                np.asarray(layer.values),
                cmap=layer.colours.colormap,
                norm=layer.colours.norm,
                rasterized=True,
            )
            return []
        case Note():
            axes.text(
                layer.x,
                layer.y,
                layer.text,
                color=layer.color,
                ha=panel.alignment(layer),
                va="center",
                clip_on=True,
                bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 0.8},
            )
            return []
        case Rule():
            line = axes.axhline if layer.of == "y" else axes.axvline
            drawn: Any = line(
                layer.at, color=layer.color, ls=layer.dash, lw=layer.width, label=layer.label
            )
        case Line():
            drawn = _line(axes, layer)
    if not layer.label:
        return []
    size = getattr(layer, "marker", ""), getattr(layer, "filled", True)
    return [((layer.label, to_hex(layer.color), layer.dash, *size), drawn)]


def _line(axes: Axes, layer: Line) -> Any:
    x, y = (np.asarray(values, dtype=float).ravel() for values in (layer.x, layer.y))
    style: dict[str, Any] = {
        "color": layer.color,
        "ls": layer.dash or "none",
        "lw": layer.width,
        "marker": layer.marker,
        "ms": layer.size,
        "mfc": layer.color if layer.filled else "white",
        "mew": 0.8,
        "label": layer.label,
        "rasterized": x.size > 2000,
    }
    if layer.on_map:
        style["path_effects"] = [withStroke(linewidth=layer.width + 1.4, foreground="white")]
    if layer.low is None or layer.high is None:
        return axes.plot(x, y, **style)[0]
    bars = [y - np.asarray(layer.low), np.asarray(layer.high) - y]
    return axes.errorbar(x, y, bars, capsize=2, elinewidth=0.8, **style)


def _colour_bars(figure: Figure, frames: Sequence[Axes], row: Sequence[Panel]) -> None:
    """A colour bar for each run of neighbours with the same scale."""
    start = 0
    for end in range(1, len(row) + 1):
        scale = row[start].scale
        if end < len(row) and row[end].scale is scale:
            continue
        if scale is not None:
            texts = scale.tick_texts()
            bar = figure.colorbar(
                ScalarMappable(scale.norm, scale.colormap),
                ax=list(frames[start:end]),
                label=scale.title,
                extend=scale.extend,
                aspect=18,
                pad=0.02,
                spacing="uniform",
            )
            bar.set_ticks(list(texts), labels=list(texts.values()))
            bar.minorticks_off()
        start = end
