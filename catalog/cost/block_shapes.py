"""Block shapes: points that take long go into parts of their own, in smaller blocks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from catalog.cost.model import is_predicted, over_blocks, predicted
from catalog.names.labels import Label
from catalog.sweeps.cuts import BLOCK_POINTS
from catalog.sweeps.grid import Grid, grid_over
from catalog.sweeps.sweep import Sweep
from ensemble import InvalidInput

LONGEST_SECONDS = 60.0
"""Longest time predicted for a block of several points: a killed worker loses no more work."""
MOST_PLACES = 100_000_000
"""Most points of the grid over all labels of scattered points: counting takes a byte for each."""
LONGEST_SHARED = 1800.0
"""The same where the points of a larger block are solved together in less time than those of many
smaller ones."""
FINER = 4
"""Factor from one block size to the next smaller, so that the parts are few."""


def layout(sweep: Sweep) -> list[Grid]:
    """Grids that together cover a sweep, each with blocks that suit the time of its points.

    All chunks of a Zarr array have one shape, so that a sweep of small and large N is laid out in
    parts: runs of consecutive N, all of the sweep's name, with fewer points a block from one to the
    next.  In place of N it is what the model names first in ``split_by``.  It is one part, the
    whole sweep, where its blocks are predicted to take at most ``LONGEST_SECONDS``, where the
    model predicts nothing, and where the sweep says itself what its blocks should be.  A model that
    solves many points together in less time may have larger blocks (``largest_block``).

    The prediction is the model's own: a sweep is laid out in the same way on every machine.

    Examples
    --------
    >>> sweep = Sweep(name="demo", axes={"N": [1, 2, 4, 8, 128, 512], "ΔE": range(1, 101)},
    ...     scaling="high-temperature", fixed={
    ...     "E₁": 1, "T̄": 13.5, "ΔT": 23, "ω₀": 0.006, "Γ₀": 0.001})
    >>> [(part.axes["N"], part.blocks["N"], part.size) for part in layout(sweep)]
    [((1, 2, 4, 8), 1, 400), ((128,), 1, 100), ((512,), 1, 100)]
    """
    _require_room(sweep)
    if sweep.blocks or not is_predicted(sweep.grid):
        return [sweep.grid]
    split = next((name for name in sweep.model.split_by if name in sweep.axes), None)
    points = _points(sweep, split)
    if all(most == BLOCK_POINTS for most in points):
        return [sweep.grid]
    if split is None:
        return [_part(sweep, None, (), points[0])]
    runs = itertools.groupby(zip(sweep.axes[split], points, strict=True), key=lambda pair: pair[1])
    return [_part(sweep, split, tuple(size for size, _ in run), most) for most, run in runs]


def _require_room(sweep: Sweep) -> None:
    """Refuse scattered points, even few, if the grid of all their labels has too many points."""
    labels = [len(set(labels)) for labels in sweep.points.values()]
    labels += [len(labels) for labels in sweep.axes.values()]
    if sweep.points and math.prod(labels) > MOST_PLACES:
        raise InvalidInput(
            f"a store lays scattered points out on the grid of their labels, which has "
            f"{' × '.join(map(str, labels))} places here, more than {MOST_PLACES}: make several "
            "sweeps, or compute the dataset without a store"
        )


def _points(sweep: Sweep, split: str | None) -> list[int]:
    """Most points of a block at each label of a dimension such that none takes too long."""
    others = tuple(axis for axis, dim in enumerate(sweep.dims) if dim != split)
    number = 1 if split is None else len(sweep.axes[split])
    most, found = BLOCK_POINTS, np.zeros(number, dtype=int)

    def times(points: int) -> tuple[NDArray, NDArray]:
        """Time of all points of each label in blocks of so many, and of its longest block."""
        trial = _grid(sweep, sweep.axes, points)
        blocks = over_blocks(predicted(trial).seconds, trial, np.add)
        return np.atleast_1d(blocks.sum(axis=others)), np.atleast_1d(blocks.max(axis=others))

    largest = sweep.model.largest_block
    if largest is not None and largest > BLOCK_POINTS:
        (usual, _), (shared, longest) = times(BLOCK_POINTS), times(largest)
        found[(shared <= usual) & (longest <= LONGEST_SHARED)] = largest
    while not found.all():
        longest = times(most)[1]
        found[(found == 0) & ((longest <= LONGEST_SECONDS) | (most == 1))] = most
        most = max(most // FINER, 1)
    # A larger label never gets more points, also where time is not monotone: the parts stay few.
    return np.minimum.accumulate(found).tolist()


def _part(sweep: Sweep, split: str | None, sizes: tuple[Label, ...], points: int) -> Grid:
    """The sweep at some labels of a dimension, in blocks of at most so many points."""
    axes = sweep.axes if split is None else {**sweep.axes, split: sizes}
    return _grid(sweep, axes, points)


def _grid(sweep: Sweep, axes: Mapping[str, tuple[Label, ...]], points: int) -> Grid:
    return grid_over(sweep.family, axes, sweep.fixed, sweep.points, block_points=points)
