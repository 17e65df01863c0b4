"""What a figure shows: panels of maps, lines and notes, described once for print and page.

`heatcat.figures.printed` draws a `Drawing` with matplotlib, `heatcat.figures.page` with Bokeh.
Both take labels, limits, ticks and colours from here, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import Any, Literal

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import (
    AsinhNorm,
    BoundaryNorm,
    Colormap,
    LogNorm,
    Normalize,
    TwoSlopeNorm,
    to_hex,
)
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

Side = Literal["x", "y"]
MARGIN = 0.05
"""Room between data and frame, as a share of the axis."""
NOT_LINEAR = {LogNorm: "log. scale", AsinhNorm: "asinh scale", TwoSlopeNorm: "two linear scales"}
"""What a colour bar says of its norm."""


@dataclass(frozen=True)
class Axis:
    """One axis of a panel; `label` is in matplotlib's mathematical text.

    Without `limits` the axis covers the data with a margin.  `ticks` are values, or texts by value.
    Label and ticks are of the place on the axis plus `shift`, so that an axis that is logarithmic
    in T₁ can be labelled by T̄.
    """

    label: str
    log: bool = False
    limits: tuple[float, float] | None = None
    ticks: Sequence[float] | Mapping[float, str] | None = None
    shift: float = 0.0

    def tick_texts(self) -> dict[float, str] | None:
        """Texts of the ticks by place; None if they are left to the one who draws."""
        if self.ticks is None:
            return None
        return {tick - self.shift: text for tick, text in tick_texts(self.ticks).items()}


def tick_texts(ticks: Sequence[float] | Mapping[float, str]) -> dict[float, str]:
    """Texts by value."""
    if isinstance(ticks, Mapping):
        return dict(ticks)
    return {float(tick): f"{tick:g}".replace("-", "−") for tick in ticks}


@dataclass(frozen=True)
class Colours:
    """A colour scale; the panels of a row that share one have one colour bar in print."""

    label: str
    norm: Normalize
    cmap: str | Colormap = "viridis"
    ticks: Sequence[float] | Mapping[float, str] | None = None
    extend: Literal["neither", "both", "min", "max"] = "neither"

    @property
    def colormap(self) -> Colormap:
        return colormaps[self.cmap] if isinstance(self.cmap, str) else self.cmap

    @property
    def title(self) -> str:
        """The label, with the kind of the scale if it is not linear."""
        kind = NOT_LINEAR.get(type(self.norm))
        return f"{self.label} ({kind})" if kind else self.label

    def tick_texts(self) -> dict[float, str]:
        """Texts of the ticks by value, inside of the scale."""
        low, high = float(self.norm.vmin or 0), float(self.norm.vmax or 0)
        if self.ticks is not None:
            texts = tick_texts(self.ticks)
        elif isinstance(self.norm, LogNorm):
            decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
            texts = {10.0**power: f"$10^{{{power}}}$" for power in decades}
        else:
            texts = tick_texts(np.round(MaxNLocator(6).tick_values(low, high), 12).tolist())
        slack = 1e-9 * (high - low)
        return {tick: text for tick, text in texts.items() if low - slack <= tick <= high + slack}

    def hexes(self, values: ArrayLike) -> list[str]:
        """Colours of values."""
        return [to_hex(color) for color in self.colormap(self.norm(np.asarray(values)))]

    def positions(self, values: ArrayLike) -> NDArray[np.float64]:
        """Places of values on the colour bar, from 0 to 1."""
        places = np.asarray(self.norm(np.asarray(values, dtype=float)), dtype=float)
        if isinstance(self.norm, BoundaryNorm):
            return (places + 0.5) / self.colormap.N
        return places


@dataclass(frozen=True)
class Map:
    """Coloured cells: `values` has a row for each label of `y` and a column for each of `x`."""

    x: ArrayLike
    y: ArrayLike
    values: ArrayLike
    colours: Colours


@dataclass(frozen=True)
class Line:
    """A curve, points, or both; NaN interrupts it.  `low` and `high` are the ends of bars."""

    x: ArrayLike
    y: ArrayLike
    label: str | None = None
    color: str = "black"
    dash: str = "-"
    width: float = 1.2
    marker: str = ""
    size: float = 3.5
    filled: bool = True
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    on_map: bool = False
    """Whether it has a white edge, to be seen on any colour."""


@dataclass(frozen=True)
class Rule:
    """A straight line through the whole panel at one value of an axis."""

    at: float
    of: Side = "y"
    label: str | None = None
    color: str = "black"
    dash: str = ":"
    width: float = 1.0


@dataclass(frozen=True)
class Note:
    """Text in a panel, at the place (x, y) of the data."""

    x: float
    y: float
    text: str
    color: str = "black"


Layer = Map | Line | Rule | Note


@dataclass(frozen=True)
class Panel:
    """Layers on a pair of axes; `legend` is the heading of the legend.

    `colours` is the scale of lines that are coloured by a value; a map brings its own.  The drawing
    gives the letter.
    """

    title: str
    x: Axis
    y: Axis
    layers: Sequence[Layer]
    legend: str = ""
    colours: Colours | None = None
    letter: str = ""

    @property
    def scale(self) -> Colours | None:
        """What the colour bar shows."""
        found = [layer.colours for layer in self.layers if isinstance(layer, Map)]
        return found[0] if found else self.colours

    def entries(self) -> list[Line | Rule]:
        """The layers in the legend."""
        return [each for each in self.layers if isinstance(each, Line | Rule) and each.label]

    def alignment(self, note: Note) -> Literal["left", "center", "right"]:
        """Side of its place on which a note begins, so that the frame does not cut it."""
        forth = np.log if self.x.log else np.asarray
        low, high, at = (float(forth(x)) for x in (*self.limits("x"), note.x))
        share = (at - low) / (high - low)
        return "left" if share < 0.25 else "right" if share > 0.75 else "center"

    def limits(self, of: Side) -> tuple[float, float]:
        """Ends of an axis."""
        axis: Axis = getattr(self, of)
        if axis.limits is not None:
            return axis.limits
        maps = [getattr(layer, of) for layer in self.layers if isinstance(layer, Map)]
        if maps:
            edges = cell_edges(maps[0], log=axis.log)
            return float(edges[0]), float(edges[-1])
        values = np.concatenate([_values(layer, of) for layer in self.layers])
        values = values[np.isfinite(values) & ((values > 0) | (not axis.log))]
        if not values.size:
            return (1.0, 10.0) if axis.log else (0.0, 1.0)
        low, high = (np.log10 if axis.log else np.asarray)([values.min(), values.max()])
        room = MARGIN * (high - low) or 0.5
        ends = np.array([low - room, high + room])
        return tuple(float(end) for end in (10**ends if axis.log else ends))  # type: ignore[return-value]


@dataclass(frozen=True)
class Drawing:
    """A figure: rows of panels, lettered in reading order, and the height of their frames in print.

    The height is in inches.
    """

    title: str
    rows: Sequence[Sequence[Panel]]
    height: float = 1.7

    def __post_init__(self) -> None:
        letters = iter(ascii_lowercase)
        rows = [
            [replace(panel, letter=panel.letter or next(letters)) for panel in row]
            for row in self.rows
        ]
        object.__setattr__(self, "rows", rows)  # the instance is frozen

    @property
    def panels(self) -> list[Panel]:
        """All panels in reading order."""
        return [panel for row in self.rows for panel in row]

    def only(self, letters: str) -> Drawing:
        """The panels of these letters."""
        rows = [[panel for panel in row if panel.letter in letters] for row in self.rows]
        return replace(self, rows=[row for row in rows if row])


def _values(layer: Layer, of: Side) -> NDArray[np.float64]:
    """What an axis has to cover of a layer."""
    if isinstance(layer, Rule):
        return np.array([layer.at] if layer.of == of else [], dtype=float)
    if isinstance(layer, Note):
        return np.array([])
    parts: list[Any] = [getattr(layer, of)]
    if of == "y" and isinstance(layer, Line):
        parts += [end for end in (layer.low, layer.high) if end is not None]
    return np.concatenate([np.asarray(part, dtype=float).ravel() for part in parts])


def cell_edges(centres: ArrayLike, *, log: bool) -> NDArray[np.float64]:
    """Edges of cells around labels, midway on the axis."""
    at = np.log(np.asarray(centres, dtype=float)) if log else np.asarray(centres, dtype=float)
    half = np.diff(at) / 2 if at.size > 1 else np.array([0.5])
    edges = np.concatenate([[at[0] - half[0]], at[:-1] + np.diff(at) / 2, [at[-1] + half[-1]]])
    return np.exp(edges) if log else edges
