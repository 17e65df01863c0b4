"""How long blocks take and how much memory: what the model predicts, rescaled by stored timings.

The time of a point of size n is the model's prediction times exp(a + b ln(n/16) + u_n); for the
heat engine, n = max(2S₁, 2S₂).  The two corrections are fitted to the timings by ridge regression,
so that a few timings already count, and many timings at small n do not give absurd times at large
n.  The deviation u_n of a size from the line is known where that size was timed, else 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.models.contract import Cost
from catalog.sweeps.grid import Grid, Index

Work = tuple[Grid, Index]
"""A block: a grid and an index in it."""

PROCESS_BYTES = 212e6
"""Resident memory of a worker process before it solves anything."""
WRITE_SECONDS = 0.04
"""Time to write one block."""
CENTRE = 16.0
"""Size at which the correction of the exponent does not change the time."""
SPEED = 0.8
"""Standard deviation of a: machines differ, and so does the share of them that a process gets."""
EXPONENT = 0.15
"""Standard deviation of b: the prior gives the growth of time with size, but neglects caches."""
UNKNOWN_SPEED = 8.0
"""Standard deviation of a where the model predicts nothing: any time is possible."""
DISCREPANCY = 0.3
"""How far, in ln(time), the mean of one size lies off the fitted line, however many its points."""
SCATTER = 0.7
"""How far, in ln(time), one point lies off the mean of its size."""
UNFORESEEN = 2e-4
"""Seconds a point that a prediction may leave out; they matter where a point takes less."""
QUANTILE = 1.28
"""Eight true times out of ten lie within this many standard deviations."""


class Range(NamedTuple):
    """A prediction, and limits that hold the true value eight times out of ten."""

    low: float
    central: float
    high: float


@dataclass(frozen=True)
class Tally:
    """Points counted by size, and their time by the prior.

    Attributes
    ----------
    points : Counter of float
        Number of points of each size.
    seconds : Counter of float
        Their predicted time in all, by the prior.
    """

    points: Counter[float] = field(default_factory=Counter)
    seconds: Counter[float] = field(default_factory=Counter)

    @classmethod
    def of(cls, grid: Grid, index: Index | None = None, chosen: NDArray | None = None) -> Tally:
        """Of the points of a grid or of one block, all or those where ``chosen`` is true."""
        seconds, _, sizes = predicted(grid, index)
        if chosen is not None:
            sizes, seconds = sizes[chosen], seconds[chosen]
        found = _by_size(sizes.ravel(), np.ones(sizes.size))
        return cls(found, _by_size(sizes.ravel(), seconds.ravel()))

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(self.points + other.points, self.seconds + other.seconds)

    def __sub__(self, other: Tally) -> Tally:
        """The points without others among them."""
        points = self.points - other.points
        rest = Counter({n: self.seconds[n] - other.seconds[n] for n in points})
        return Tally(points, rest)


class Predicted(NamedTuple):
    """What the points of a grid or of a block are predicted to take, each of their shape."""

    seconds: NDArray
    bytes: NDArray
    sizes: NDArray


def predicted(grid: Grid, index: Index | None = None) -> Predicted:
    """What the model predicts; one second and nothing else where it predicts nothing."""
    block_points = math.prod(grid.blocks.values())
    found = grid.model.block_cost(grid.columns(index), grid.variables, block_points=block_points)
    cost = Cost(1.0, 0.0) if found is None else found
    shape = grid.shape_of(index)
    seconds = np.asarray(cost.seconds, dtype=float)
    seconds = seconds + np.asarray(cost.block, dtype=float) / block_points
    return Predicted(
        *(
            np.broadcast_to(np.asarray(figure, dtype=float), shape)
            for figure in (seconds, cost.bytes, cost.size)
        )
    )


def is_predicted(grid: Grid) -> bool:
    """Whether the model predicts what its points take."""
    return grid.model.cost(grid.columns(next(grid.block_indices())), grid.variables) is not None


@dataclass(frozen=True)
class CostModel:
    """Time and memory of points and blocks.

    Without timings it is the prior.

    Parameters
    ----------
    measured : Counter of float
        Time in all of the timed points of each size.
    predicted : Tally
        The same points by the prior.
    speed : float
        Standard deviation of ln(time) before anything is timed.
    """

    measured: Counter[float] = field(default_factory=Counter)
    predicted: Tally = field(default_factory=Tally)
    speed: float = SPEED

    @classmethod
    def of(cls, grid: Grid) -> CostModel:
        """The model of a grid before anything is timed."""
        return cls(speed=SPEED if is_predicted(grid) else UNKNOWN_SPEED)

    @classmethod
    def fitted(cls, grid: Grid, seconds: NDArray) -> CostModel:
        """The model that has seen these timings, shape ``grid.shape``, NaN where unknown."""
        return cls.of(grid).with_timings(grid, seconds)

    def with_timings(
        self, grid: Grid, seconds: NDArray, *, index: Index | None = None
    ) -> CostModel:
        """The model that has seen more timings: of a whole grid, or of one block of it."""
        known = np.isfinite(seconds) & (seconds > 0)
        sizes = predicted(grid, index).sizes[known]
        return CostModel(
            self.measured + _by_size(sizes, seconds[known]),
            self.predicted + Tally.of(grid, index, known),
            self.speed,
        )

    @property
    def knows(self) -> bool:
        """Whether times can be predicted at all: by the model, or from timings."""
        return self.speed == SPEED or bool(self.measured_points)

    @property
    def measured_points(self) -> int:
        """Number of timings that it has seen."""
        return round(self.predicted.points.total())

    def point_seconds(self, grid: Grid) -> NDArray:
        """Time of every point on one core, shape ``grid.shape``."""
        seconds, _, sizes = predicted(grid)
        return seconds * self._factor(sizes)

    def block_seconds(self, work: Sequence[Work]) -> NDArray:
        """Time to solve and write each of some blocks."""
        return WRITE_SECONDS + _by_block(work, self.point_seconds, np.add)

    def peak_bytes(self, work: Sequence[Work]) -> NDArray:
        """Resident memory of a worker process at its largest, at each of some blocks."""
        return PROCESS_BYTES + _by_block(work, lambda grid: predicted(grid).bytes, np.maximum)

    def total_seconds(self, tally: Tally) -> Range:
        """Time to solve some points, writing left out."""
        sizes = np.array(list(tally.seconds))
        if not sizes.size:
            return Range(0.0, 0.0, 0.0)
        times = np.array([tally.seconds[n] for n in sizes]) * self._factor(sizes)
        points = np.array([tally.points[n] for n in sizes])
        share = times / times.sum()
        lever = share @ _features(sizes)
        variance = lever @ self._fit[1] @ lever
        variance += share**2 @ (DISCREPANCY**2 + SCATTER**2 / points)
        central, spread = float(times.sum()), math.exp(QUANTILE * math.sqrt(variance))
        return Range(central / spread, central, central * spread)

    def _factor(self, sizes: NDArray) -> NDArray:
        """Fitted time over that of the prior; a size that was timed keeps its own deviation."""
        found = _features(sizes) @ self._fit[0]
        timed, off = self._deviations
        if timed.size:
            place = np.minimum(np.searchsorted(timed, sizes), timed.size - 1)
            found = found + np.where(timed[place] == sizes, off[place], 0.0)
        return np.exp(found)

    @cached_property
    def _deviations(self) -> tuple[NDArray, NDArray]:
        """Sizes that were timed, ascending, and by how much their ln(time) is off the line.

        It is the mean of that deviation, given the timings: nearly all of it for many timings.
        """
        sizes, logs, own, scatter = self._timings
        off = (logs - _features(sizes) @ self._fit[0]) * own / (own + scatter)
        order = np.argsort(sizes)
        return sizes[order], off[order]

    @cached_property
    def _timings(self) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Of each timed size: itself, ln(time/prediction), and two variances of that.

        The first is that of the deviation of its mean from the line, the second that of the mean.
        """
        sizes = np.array(list(self.measured))
        points = np.array([self.predicted.points[n] for n in sizes])
        measured = np.array([self.measured[n] for n in sizes])
        predicted = np.array([self.predicted.seconds[n] for n in sizes])
        own = DISCREPANCY**2 + np.log1p(UNFORESEEN * points / predicted) ** 2
        return sizes, np.log(measured / predicted), own, SCATTER**2 / points

    @cached_property
    def _fit(self) -> tuple[NDArray, NDArray]:
        """Mean and covariance of (a, b), given the timings."""
        sizes, logs, own, scatter = self._timings
        features = _features(sizes)
        weights = features.T / (own + scatter)
        precision = np.diag([self.speed**-2, EXPONENT**-2]) + weights @ features
        mean = np.linalg.solve(precision, weights @ logs)
        return mean, np.linalg.inv(precision)


def longest_first(work: Sequence[Work], model: CostModel) -> list[int]:
    """Positions of blocks by falling time, so that workers do not idle while a long one ends."""
    return np.argsort(-model.block_seconds(work), kind="stable").tolist()


def _features(sizes: NDArray) -> NDArray:
    return np.stack([np.ones(sizes.shape), np.log(sizes / CENTRE)], axis=-1)


def _by_size(sizes: NDArray, values: NDArray) -> Counter[float]:
    """Sum of values over the points of each size."""
    found, which = np.unique(sizes, return_inverse=True)
    sums = np.bincount(which, weights=values, minlength=found.size)
    return Counter(dict(zip(found.tolist(), sums.tolist(), strict=True)))


def over_blocks(values: NDArray, grid: Grid, reduce: np.ufunc) -> NDArray:
    """Values at the points of a grid reduced over each block, shape ``grid.block_grid``."""
    for axis, (dim, length) in enumerate(zip(grid.dims, grid.shape, strict=True)):
        values = reduce.reduceat(values, np.arange(0, length, grid.blocks[dim]), axis=axis)
    return values


def _by_block(
    work: Sequence[Work], of_points: Callable[[Grid], NDArray], reduce: np.ufunc
) -> NDArray:
    """A function of points reduced over each block; it is evaluated once for every grid."""
    found: dict[int, NDArray] = {}
    for grid, _ in work:
        if id(grid) not in found:
            found[id(grid)] = over_blocks(of_points(grid), grid, reduce)
    return np.array([found[id(grid)][index] for grid, index in work], dtype=float)
