"""What several figures draw alike: maps, the Carnot line, contours, sizes and colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from contourpy import contour_generator
from matplotlib import colormaps
from matplotlib.colors import Normalize, to_hex
from numpy.typing import ArrayLike, NDArray

from analyses import carnot_delta_E, carnot_T_mean
from heatcat.figures.panels import Axis, Colours, Line, Map, Note, Rule, cell_edges

EXACT, CLOSURE, SECOND = "#000000", "#D55E00", "#0072B2"
"""Colours that the colour-blind tell apart: the exact limit, the closure, a second quantity."""
ENGINE, REFRIGERATOR = "#B2182B", "#4393C3"
"""Red and blue that also differ in grey: the blue is lighter."""
LIMIT = r"$N \to \infty$, exact"


def size_color(N: float) -> str:
    """Colour of N pairs, the same in all figures, darkest for 1."""
    return to_hex(colormaps["viridis"](0.9 * min(1.0, np.log(N) / np.log(100))))


def shades(count: int, cmap: str = "viridis", *, last: float = 0.9) -> list[str]:
    """Colours in order, without the end of the colour map that is hardly visible on white."""
    return [to_hex(color) for color in colormaps[cmap](np.linspace(0, last, count))]


def size_axis(largest: int) -> Axis:
    """Logarithmic axis of N with ticks at powers of 2."""
    ticks = [2**power for power in range(int(largest).bit_length())]
    return Axis("$N$", log=True, ticks=ticks)


def diverging(label: str, bound: float) -> Colours:
    """Linear scale with 0 in its middle."""
    return Colours(label, Normalize(-bound, bound), "RdBu_r")


def tur_bound(at: float) -> Rule:
    """The thermodynamic uncertainty relation, C ≤ 1, at this place of the axis."""
    return Rule(at, label="TUR bound", width=1.4)


def cold(values: xr.DataArray | xr.Dataset) -> NDArray[np.float64]:
    """T₁ of the labels of T̄."""
    return np.asarray(values.T_mean - values.delta_T / 2, dtype=float)


def plane_map(values: xr.DataArray, colours: Colours) -> Map:
    """Values over ΔE (across) and T̄ (up)."""
    values = values.transpose("T_mean", "delta_E")
    return Map(values.delta_E, values.T_mean, values, colours)


def plane_axes(unit: str) -> tuple[Axis, Axis]:
    """Axes of a `plane_map`, by the symbol of the unit of energy."""
    return Axis(rf"$\Delta E$ / {unit}"), Axis(rf"$\bar{{T}}$ / {unit}")


def plane_carnot(values: xr.Dataset) -> list[Line | Note]:
    """The line where every current vanishes, in a `plane_map`."""
    low, *_, high = cell_edges(values.T_mean, log=False)
    T_mean = np.linspace(low, high, 400)
    T_mean = T_mean[T_mean > float(values.delta_T) / 2]
    spacing = carnot_delta_E(T_mean, E_1=float(values.E_1), delta_T=float(values.delta_T))
    inside = spacing <= cell_edges(values.delta_E, log=False)[-1]
    return marked(Line(spacing[inside], T_mean[inside], width=1.6, on_map=True), "Carnot", at=0.2)


def cold_map(values: xr.DataArray, colours: Colours) -> Map:
    """Values over T₁ = T̄ − ΔT/2 (across) and ΔE (up), both logarithmic."""
    values = values.transpose("delta_E", "T_mean")
    return Map(cold(values), values.delta_E, values, colours)


def cold_carnot(values: xr.Dataset, *, at: float = 0.25) -> list[Line | Note]:
    """The line where every current vanishes, in a `cold_map`."""
    low, *_, high = cell_edges(values.delta_E, log=True)
    spacing = np.geomspace(low, high, 100)
    E_1, delta_T = float(values.E_1), float(values.delta_T)
    T_1 = carnot_T_mean(spacing, E_1=E_1, delta_T=delta_T) - delta_T / 2
    left, *_, right = cell_edges(cold(values), log=True)
    inside = (left <= T_1) & (right >= T_1)
    return marked(Line(T_1[inside], spacing[inside], width=1.6, on_map=True), "Carnot", at=at)


def marked(line: Line, text: str, *, at: float = 0.5) -> list[Line | Note]:
    """A line on a map with a note on it, at a share of its points; nothing if it has none."""
    x, y = (np.asarray(values, dtype=float) for values in (line.x, line.y))
    drawn = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    if not drawn.size:
        return []
    place = drawn[int(at * (drawn.size - 1))]
    return [line, Note(x[place], y[place], text, line.color)]


def contour(
    of: Map, level: float, *, log: bool, values: ArrayLike | None = None, **style: Any
) -> Line:
    """The line at a level of a map, or of other values on its cells."""
    forth, back = (np.log, np.exp) if log else (np.asarray, np.asarray)
    shown = np.asarray(of.values if values is None else values, dtype=float)
    x, y = (forth(np.asarray(labels, dtype=float)) for labels in (of.x, of.y))
    lines: Any = contour_generator(x, y, np.ma.masked_invalid(shown)).lines(level)
    gap: Any = np.full((1, 2), np.nan)
    pieces = [piece for line in sorted(lines, key=len, reverse=True) for piece in (line, gap)]
    points = back(np.concatenate(pieces)) if pieces else np.empty((0, 2))
    return Line(points[:, 0], points[:, 1], on_map=True, **style)


def signed_contours(of: Map, *, log: bool) -> list[Line | Note]:
    """Lines at half of the largest size, with their signs: in grey both signs are dark."""
    largest = float(np.nanmax(np.abs(np.asarray(of.values, dtype=float))))
    half = float(f"{largest / 2:.1g}")
    found = []
    for level, dash in ((half, "-"), (-half, "--")):
        line = contour(of, level, log=log, width=0.8, dash=dash)
        found += marked(line, f"{level:+g}".replace("-", "−"))
    return found


def modes(of: Map, *, log: bool) -> list[Note]:
    """The words engine and refrigerator where the power is positive and negative."""
    forth, back = (np.log, np.exp) if log else (np.asarray, np.asarray)
    power = np.nan_to_num(np.asarray(of.values, dtype=float))
    x, y = np.meshgrid(*(forth(np.asarray(labels, dtype=float)) for labels in (of.x, of.y)))
    notes = []
    for word, weight in (("engine", power.clip(min=0)), ("refrigerator", (-power).clip(min=0))):
        if weight.any():
            across, up = (float(back(np.average(axis, weights=weight))) for axis in (x, y))
            notes.append(Note(across, up, word))
    return notes
