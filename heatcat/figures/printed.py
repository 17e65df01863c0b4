"""A drawing on paper, with matplotlib: a journal's widths, 8 pt text, fonts embedded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
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
from matplotlib.legend import Legend
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullFormatter, NullLocator

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
AROUND = 0.62
"""Height of title, labels and ticks of a row, in inches."""
NOTHING = 0.02
"""Height of a row of legends that has none, in inches."""
PLACES = [
    *("upper left", "upper right", "lower left", "lower right", "center left", "center right"),
    *("lower center", "upper center", "center"),
]
"""Where a legend may stand in a panel, in the order of preference."""


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
                    wanted.append(_Wanted(axes, panel, new, index, cells[2 * index + 1][place]))
            _colour_bars(figure, frames, row)
        outside = _place_inside(figure, wanted)
        _place_below(figure, grid, outside)
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


def _lay_out(figure: Figure) -> None:
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)


@dataclass(frozen=True)
class _Wanted:
    """A legend to be placed: its panel, its entries, its row, and the cell below the panel."""

    axes: Axes
    panel: Panel
    handles: list[Any]
    row: int
    below: SubplotSpec


def _place_inside(figure: Figure, wanted: Sequence[_Wanted]) -> list[_Wanted]:
    """Put legends into panels where they cover nothing; return those for which there is no room."""
    _lay_out(figure)
    return [each for each in wanted if not _inside(each.axes, each.panel, each.handles)]


def _place_below(figure: Figure, grid: GridSpec, wanted: Sequence[_Wanted]) -> None:
    """Put legends below their rows; the figure grows by them.

    The only legend of a row is as wide as the row, one of several as its panel.
    """
    rows = [each.row for each in wanted]
    places = []
    for each in wanted:
        alone = rows.count(each.row) == 1
        places.append(figure.add_subplot(grid[2 * each.row + 1, :] if alone else each.below))
        places[-1].set_axis_off()
    ratios: list[float] = np.asarray(grid.get_height_ratios(), dtype=float).tolist()

    def arrange() -> None:
        grid.set_height_ratios(ratios)
        figure.set_figheight(sum(ratios) + len(ratios) // 2 * AROUND)
        _lay_out(figure)

    for row in rows:
        ratios[2 * row + 1] = 0.5
    arrange()  # now the legends' places have their widths
    heights = dict.fromkeys(rows, NOTHING)
    for each, place in zip(wanted, places, strict=True):
        panel = each.panel
        if panel.legend:  # a heading is of one panel of the row
            panel = replace(panel, legend=f"({panel.letter}) {panel.legend}")
        for lines in range(1, len(each.handles) + 1):
            columns = -(-len(each.handles) // lines)
            legend = place.legend(
                handles=each.handles, loc="center", ncols=columns, **_options(panel)
            )
            box = legend.get_window_extent()
            if box.width < place.bbox.width:
                break
        legend.set_in_layout(False)
        heights[each.row] = max(heights[each.row], box.height / figure.dpi + 0.07)
    for row, height in heights.items():
        ratios[2 * row + 1] = height
    arrange()


def _options(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.legend or None,
        "frameon": False,
        "labelspacing": 0.25,
        "handlelength": 1.8,
        "handletextpad": 0.5,
        "columnspacing": 1.0,
        "borderpad": 0.2,
        "alignment": "left",
    }


def _inside(axes: Axes, panel: Panel, handles: list[Any]) -> bool:
    """Put a legend into the frame where it covers no data; whether there is room."""
    if not any(isinstance(layer, Map) for layer in panel.layers):
        for columns, place in product((1, 2), PLACES):
            options = {"loc": place, "ncols": columns, **_options(panel)}
            legend = axes.legend(handles=handles, **options)
            if _free(axes, legend):
                return True
            legend.remove()
    return False


def _free(axes: Axes, legend: Legend) -> bool:
    """Whether a legend is inside of the frame and off every line, marker and note."""
    box = legend.get_window_extent()
    frame = axes.bbox
    if not (frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 <= box.y1 <= frame.y1):
        return False
    near = box.padded(2)
    for line in axes.get_lines():
        path = line.get_transform().transform_path(line.get_path())
        if line.get_linestyle() != "None" and path.intersects_bbox(near, filled=False):
            return False
        if line.get_marker() not in ("", "None", None) and near.count_contains(path.vertices):
            return False
    bars = [bar for bars in axes.collections for bar in bars.get_paths()]
    for bar in bars:
        if axes.transData.transform_path(bar).intersects_bbox(near, filled=False):
            return False
    return not any(near.overlaps(text.get_window_extent()) for text in axes.texts)
