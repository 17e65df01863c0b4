"""Legends in print: inside of a panel where they cover no data, else below its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, SubplotSpec
from matplotlib.legend import Legend

from heatcat.figures.panels import Map, Panel

AROUND = 0.62
"""Height of title, labels and ticks of a row, in inches."""
NOTHING = 0.02
"""Height of a row of legends that has none, in inches."""
PLACES = [
    *("upper left", "upper right", "lower left", "lower right", "center left", "center right"),
    *("lower center", "upper center", "center"),
]
"""Where a legend may stand in a panel, in the order of preference."""


@dataclass(frozen=True)
class Wanted:
    """A legend to be placed: its panel, its entries, its row, and the cell below the panel."""

    axes: Axes
    panel: Panel
    handles: list[Any]
    row: int
    below: SubplotSpec


def place_inside(figure: Figure, wanted: Sequence[Wanted]) -> list[Wanted]:
    """Put legends into panels where they cover nothing; return those for which there is no room."""
    _lay_out(figure)
    return [each for each in wanted if not _inside(each.axes, each.panel, each.handles)]


def place_below(figure: Figure, grid: GridSpec, wanted: Sequence[Wanted]) -> None:
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


def _lay_out(figure: Figure) -> None:
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)
