"""The sides of a map: which labels are drawn, where, and on which scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from heatcat.browser.shown.labels import number, symbol_of, unit, with_unit

Floats = NDArray[np.float64]
Range = tuple[float, float]

MOST_LABELS = 150
"""Most labels that are drawn along an axis; more are thinned out until the visitor zooms in."""
UNEVEN = 1e-3
"""Most relative variation of the steps of logarithms of distances that count as geometric."""


@dataclass(frozen=True)
class Axis:
    """One side of a map.

    Attributes
    ----------
    name, text, whole_text : str
        Name of the dimension; symbol and unit of what is drawn; those of the labels.
    labels : ndarray
        Labels that are drawn.
    edges : ndarray
        Edges of their cells, on the axis.
    log : bool
        Whether the axis is logarithmic.
    bound : float
        Where the axis begins: what is drawn is the distance of labels to it.
    total, step : int
        Number of labels in view; every ``step``-th of them is drawn.
    """

    name: str
    text: str
    whole_text: str
    labels: NDArray[Any]
    edges: Floats
    log: bool
    total: int
    step: int
    bound: float = 0.0

    @property
    def places(self) -> Floats:
        """Where the labels lie on the axis."""
        return self.labels.astype(float) - self.bound

    @property
    def limits(self) -> Range:
        """From the first edge to the last, on the axis."""
        return float(self.edges[0]), float(self.edges[-1])

    def cell(self, value: float) -> Range:
        """Edges of the cell nearest to a label."""
        i = int(np.argmin(np.abs(self.labels - value)))
        return float(self.edges[i]), float(self.edges[i + 1])

    @property
    def symbol(self) -> str:
        """Symbol of what is drawn, without its unit."""
        return self.text.partition(" [")[0]


@dataclass(frozen=True)
class Spacing:
    """How labels are spaced: by factors of their distance to a bound, or not."""

    log: bool = False
    bound: float = 0.0
    bound_text: str = ""


def spacing(coordinate: xr.DataArray) -> Spacing:
    """The spacing of the labels of a dimension.

    Labels that are geometric, as from ``np.geomspace``, are drawn on a logarithmic axis; so are
    those whose distance to a bound is geometric, as T̄ − ΔT/2 is in the paper's Fig. 6.
    """
    labels = np.unique(np.asarray(coordinate.values, dtype=float))
    by_factors = spaced_by_factors(labels)
    bound = None if by_factors and _variation(np.log(labels)) < UNEVEN else _bound(labels)
    if bound is None:
        return Spacing(log=by_factors)
    difference = coordinate.coords.get("delta_T")
    if coordinate.name == "T_mean" and difference is not None and not difference.ndim:
        half = float(difference) / 2
        if np.isclose(bound, half, rtol=1e-6, atol=0):
            return Spacing(True, half, f"{symbol_of(difference)}/2")
    return Spacing(True, bound, number(float(f"{bound:.6g}")))


def axis(coordinate: xr.DataArray, seen: Range | None = None, *, most: int = MOST_LABELS) -> Axis:
    """The labels of a dimension that are in view, thinned if there are very many.

    Parameters
    ----------
    coordinate : DataArray
        Labels; for scattered points those of all points.
    seen : pair of float, optional
        First and last label in view.
    most : int
        More labels than these are thinned out.
    """
    spaced = spacing(coordinate)
    every = np.unique(coordinate.values)
    edges = edges_of(every - spaced.bound, spaced.log) + spaced.bound
    first, last = 0, every.size
    if seen is not None:
        first = int(np.clip(np.searchsorted(edges, seen[0], "right") - 1, 0, every.size - 1))
        last = int(np.clip(np.searchsorted(edges, seen[1], "left"), first + 1, every.size))
    total = last - first
    step = -(-total // most)
    labels = every[first:last:step]
    return Axis(
        str(coordinate.name),
        text_of(coordinate, spaced),
        with_unit(coordinate),
        labels,
        edges_of(labels - spaced.bound, spaced.log),
        spaced.log,
        total,
        step,
        spaced.bound,
    )


def text_of(coordinate: xr.DataArray, spaced: Spacing) -> str:
    """Symbol and unit of what is drawn along an axis, such as "T̄ − ΔT/2 [E₁]"."""
    if not spaced.bound:
        return with_unit(coordinate)
    shown = unit(str(coordinate.attrs.get("units", "1")))
    mark = f"{symbol_of(coordinate)} − {spaced.bound_text}"
    return f"{mark} [{shown}]" if shown else mark


def spaced_by_factors(labels: NDArray[Any]) -> bool:
    """Whether labels span a decade and their ratios vary less than their differences."""
    if labels.size < 3 or labels[0] <= 0 or labels[-1] < 10 * labels[0]:
        return False
    return bool(_variation(np.log(labels)) < _variation(labels))


def _variation(places: NDArray[Any]) -> float:
    """Standard deviation of the steps over their mean."""
    steps = np.diff(places)
    return float(np.std(steps) / np.mean(steps))


def _bound(labels: Floats) -> float | None:
    """The bound to which the distance of labels is geometric over a decade; None if there is none.

    Labels b + c rⁿ have steps c (r − 1) rⁿ: the first label less the first step over r − 1 is b.
    """
    steps = np.diff(labels)
    if steps.size < 3 or steps.min() <= 0:
        return None
    ratio = float(np.exp(np.mean(np.diff(np.log(steps)))))
    if ratio <= 1 + 1e-6:
        return None
    bound = float(labels[0] - steps[0] / (ratio - 1))
    distances = labels - bound
    if distances[0] <= 0 or distances[-1] < 10 * distances[0]:
        return None
    return bound if _variation(np.log(distances)) < UNEVEN else None


def edges_of(labels: NDArray[Any], log: bool) -> Floats:
    """Borders of the cells about the labels: halfway between, on the axis as it is drawn."""
    centres = np.log(labels) if log else np.asarray(labels, dtype=float)
    if centres.size == 1:
        half = 0.1 if log else abs(centres[0]) * 0.05 or 0.5
        borders = np.array([centres[0] - half, centres[0] + half])
    else:
        middle = (centres[1:] + centres[:-1]) / 2
        borders = np.concatenate(
            [[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]]
        )
    return np.exp(borders) if log else borders
