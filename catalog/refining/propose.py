"""Where to compute next on a map of two parameters: where a quantity changes fastest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import LinearNDInterpolator, NearestNDInterpolator
from scipy.spatial import KDTree

from catalog.arguments import shown
from catalog.names.described import coordinate_name
from catalog.names.select import select
from catalog.refining.quantity import Quantity, computed
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
    from adaptive import Learner2D

Points = NDArray[np.float64]
Bounds = Sequence[tuple[float, float]]
Spacing = Literal["linear", "geometric"]
SolveBatch = Callable[[Points], ArrayLike]

DIGITS = 7
"""Significant digits of a proposed label: short enough to type, far finer than any map."""
RESOLUTION = 1e-3
"""Smallest distance of two points, as a fraction of the map's width: without it, refinement at a
jump would never end."""
FAR = 1e-3
"""Weight of triangles that the level does not cross, or that are undefined throughout.  It is small
but not 0, so that they are split last, and a second, closed line is found."""
CORNERS = np.array([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])


def known_points(
    ds: xr.Dataset,
    parameters: tuple[str, str],
    quantity: Quantity,
    **labels: Any,
) -> tuple[Points, NDArray[np.float64]]:
    """What a Dataset knows of a map of two parameters, the others fixed by label.

    Parameters
    ----------
    ds : xarray.Dataset
        Of a sweep: the parameters are dimensions, or coordinates of scattered points.
    parameters : pair of str
        The axes of the map, by name or symbol.
    quantity : str or callable
        As of `catalog.refining.quantity.computed`.
    **labels
        Of the other dimensions, as for `catalog.names.select.select`.

    Returns
    -------
    points, values : ndarray, shapes (M, 2) and (M,)
        The computed points; NaN where the quantity is undefined or its point failed.

    Raises
    ------
    InvalidInput
        If a name is unknown, or the quantity has a dimension that is no axis of the map.
    """
    first, second = (coordinate_name(ds, text) for text in parameters)
    chosen = select(ds, labels)
    for name in (first, second):
        if name not in chosen.coords or not chosen.coords[name].dims:
            raise InvalidInput(f"{name} does not vary in this dataset: choose another axis")
    values = computed(quantity, chosen)
    axes = {*chosen[first].dims, *chosen[second].dims}
    for dim in values.dims:
        if dim not in axes:
            raise InvalidInput(f"{dim} is still a dimension of the map: give its label")
    # A quantity may need several labels of a dimension: a point is known if all of them are.
    status = chosen["status"]
    others = [dim for dim in status.dims if dim not in axes]
    known_there = (status != Status.NOT_COMPUTED).all(others)
    failed = (status == Status.FAILED).any(others)
    columns = xr.broadcast(chosen[first], chosen[second], values, known_there, failed)
    x, y, z, known, lost = (column.values.ravel() for column in columns)
    z = np.where(lost, np.nan, z)
    return np.column_stack([x, y]).astype(float)[known], z.astype(float)[known]


@dataclass(frozen=True)
class Refined:
    """A refined map.

    Attributes
    ----------
    points : ndarray, shape (M, 2)
        The points known before, then the new ones in the order in which they were solved.
    values : ndarray, shape (M,)
        NaN where the quantity is undefined.
    added : int
        Number of new points; less than the budget if the map is resolved everywhere.
    """

    points: Points
    values: NDArray[np.float64]
    added: int


def refine(
    solve_batch: SolveBatch,
    points: ArrayLike,
    values: ArrayLike,
    *,
    bounds: Bounds,
    budget: int,
    batch: int = 20,
    level: float | None = None,
    spacing: Sequence[Spacing] = ("linear", "linear"),
    resolution: float = RESOLUTION,
) -> Refined:
    """Add points to a map, batch by batch, where its quantity changes fastest.

    Parameters
    ----------
    solve_batch : callable
        From points of shape (n, 2) to the quantity there, NaN where it is undefined.
    points, values : array_like, shapes (M, 2) and (M,)
        What is known; they may be empty.
    budget : int
        Points to add.
    batch : int
        Points solved together; each batch sees the values of those before it.
    bounds, level, spacing, resolution
        As for `propose`.

    Raises
    ------
    InvalidInput
        If an argument is out of its range, or a batch returns another number of values.
    """
    if budget < 1 or batch < 1:
        raise InvalidInput(f"budget {budget} and batch {batch} count points: use 1, 2, …")
    known, found = _known(points, values)
    start = len(known)
    while (left := start + budget - len(known)) > 0:
        new = propose(
            known,
            found,
            bounds,
            min(batch, left),
            level=level,
            spacing=spacing,
            resolution=resolution,
        )
        if not len(new):
            break
        solved = np.asarray(solve_batch(new), dtype=float)
        if solved.shape != (len(new),):
            raise InvalidInput(
                f"{len(new)} points were asked for and values of shape {solved.shape} came: "
                "return one value a point, NaN where it is undefined"
            )
        known, found = np.vstack([known, new]), np.append(found, solved)
    return Refined(known, found, len(known) - start)


def propose(
    points: ArrayLike,
    values: ArrayLike,
    bounds: Bounds,
    n: int,
    *,
    level: float | None = None,
    spacing: Sequence[Spacing] = ("linear", "linear"),
    resolution: float = RESOLUTION,
) -> Points:
    r"""Points at which to compute next.

    The known points are triangulated on the unit square, and the triangle of the largest loss is
    split, n times, with the values of the points that are under way interpolated (library
    adaptive).  The loss is that of adaptive, the deviation of the quantity from a plane,

    .. math:: \sqrt{A} \sum_i |z_i - z_i^{\mathrm{lin}}| + 0.3\,A,

    or, with a ``level``, :math:`\sqrt{A}` of the triangles that the level crosses.

    An undefined value counts as that of the nearest defined point: triangles that are undefined
    throughout come last, and the border of the defined region is not a change by itself.

    Parameters
    ----------
    points, values : array_like, shapes (M, 2) and (M,)
        What is known.  New points keep their distance from known ones outside of the bounds, whose
        values are not used.
    bounds : pair of (low, high)
        The map.
    n : int
        Number of points wanted.
    level : float, optional
        Refine where the quantity crosses this value, such as power = 0 (the Carnot line) or
        gain = 1, in place of where it changes.
    spacing : pair of {"linear", "geometric"}
        How distances are measured along either axis.
    resolution : float
        No point comes nearer to another than this fraction of the map's width.

    Returns
    -------
    ndarray, shape (≤ n, 2)
        Labels of at most seven significant digits.  First the corners of the map that are not
        known.  Fewer than n if all that is left is resolved.

    Raises
    ------
    InvalidInput
        If shapes, bounds, spacing or resolution make no sense.

    Examples
    --------
    >>> propose([], [], [(0, 1), (5, 7)], 4).tolist()
    [[0.0, 5.0], [0.0, 7.0], [1.0, 5.0], [1.0, 7.0]]
    """
    known, found = _known(points, values)
    square = _UnitSquare(bounds, spacing)
    if not 0 < resolution < 0.5:
        raise InvalidInput(f"resolution is a fraction of the map, not {resolution:g}: try 0.001")
    if level is not None and not np.isfinite(level):
        raise InvalidInput(f"level must be finite, but is {level!r}: give e.g. level = 0")
    places = square.inward(known)
    taken = [tuple(place) for place in places]
    proposals: list[tuple[float, float]] = []

    def offer(place: Sequence[float]) -> None:
        label = square.label(place)
        there = square.inward(np.array([label]))[0]
        if not taken or KDTree(taken).query(there)[0] >= resolution:
            taken.append(tuple(there))
            proposals.append(label)

    for corner in CORNERS.tolist():
        offer(corner)
    if len(proposals) < n:
        learner = _learner(places, found, level, resolution)
        while len(proposals) < n:
            (place,), (loss,) = learner.ask(1)
            if not loss > 0:  # every triangle is resolved
                break
            offer(place)
    return np.array(proposals[:n], dtype=float).reshape(-1, 2)


def _learner(
    places: Points, values: NDArray[np.float64], level: float | None, resolution: float
) -> Learner2D:
    """A learner that knows the corners, too, so that its triangles cover the map.

    It learns two numbers a point: the quantity, and 1 where that is undefined.
    """
    from adaptive import Learner2D  # slow to import: only where a map is refined
    from adaptive.learner.learner2D import areas, default_loss

    def loss(ip: LinearNDInterpolator) -> NDArray[np.float64]:
        size = areas(ip)
        quantity, undefined = ip.values[ip.tri.simplices].transpose(2, 0, 1)
        if level is None:
            losses = default_loss(LinearNDInterpolator(ip.tri, ip.values[:, :1]))
            idle = undefined.min(axis=1) > 0.5
        else:
            losses = np.sqrt(size)
            crossed = (quantity.min(axis=1) <= level) & (quantity.max(axis=1) >= level)
            idle = ~crossed | (undefined.min(axis=1) > 0.5)
        losses[idle] = FAR * size[idle]
        losses[size < resolution**2] = 0.0
        return losses

    learner = Learner2D(None, bounds=[(0.0, 1.0), (0.0, 1.0)], loss_per_triangle=loss)
    learner.stack_size = 1  # triangulate anew for each point of a batch
    everywhere = np.vstack([CORNERS, places])
    quantity, undefined = np.zeros(len(everywhere)), np.ones(len(everywhere))
    defined = np.isfinite(values)
    if defined.any():
        quantity = NearestNDInterpolator(places[defined], values[defined])(everywhere)
        undefined = NearestNDInterpolator(places, ~defined)(everywhere).astype(float)
    for place, *learned in zip(everywhere.tolist(), quantity, undefined, strict=True):
        learner.tell(tuple(place), tuple(learned))
    return learner


def _known(points: ArrayLike, values: ArrayLike) -> tuple[Points, NDArray[np.float64]]:
    known = np.asarray(points, dtype=float).reshape(-1, 2) if np.size(points) else np.empty((0, 2))
    found = np.asarray(values, dtype=float).ravel()
    if len(known) != len(found):
        raise InvalidInput(f"{len(known)} points have {len(found)} values: give one value a point")
    if not np.isfinite(known).all():
        raise InvalidInput("a known point is not finite: leave it out")
    return known, np.where(np.isfinite(found), found, np.nan)


class _UnitSquare:
    """The map between labels and the unit square, in which distances count."""

    def __init__(self, bounds: Bounds, spacing: Sequence[Spacing]) -> None:
        if len(bounds) != 2 or len(spacing) != 2:
            raise InvalidInput("a map has two axes: give two bounds and two spacings")
        for (low, high), kind in zip(bounds, spacing, strict=True):
            if kind not in ("linear", "geometric"):
                raise InvalidInput(f"unknown spacing {shown(kind)}: use linear or geometric")
            if not (np.isfinite([low, high]).all() and low < high):
                raise InvalidInput(f"bounds must be finite and ascending, not {low}, {high}")
            if kind == "geometric" and not low > 0:
                raise InvalidInput(f"geometric spacing needs positive bounds, not {low}")
        self.bounds = [(float(low), float(high)) for low, high in bounds]
        self.geometric = np.array([kind == "geometric" for kind in spacing])
        self.low, self.high = self._scaled(np.array(self.bounds).T)

    def inward(self, points: Points) -> Points:
        """Positions on the unit square."""
        return (self._scaled(points) - self.low) / (self.high - self.low)

    def label(self, place: Sequence[float]) -> tuple[float, float]:
        """The rounded labels of a position; the bounds stay as they are."""
        scaled = self.low + np.asarray(place) * (self.high - self.low)
        raw = np.where(self.geometric, np.exp(np.where(self.geometric, scaled, 0.0)), scaled)
        rounded = [float(f"{value:.{DIGITS}g}") for value in raw]
        # min and max: rounding must not leave the map.
        first, second = (
            low if at == 0 else high if at == 1 else min(max(value, low), high)
            for value, at, (low, high) in zip(rounded, place, self.bounds, strict=True)
        )
        return first, second

    def _scaled(self, points: Points) -> Points:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.geometric, np.log(points), points)
