"""Block shapes: large sizes go into parts of their own, in smaller blocks."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np

from catalog.cost.model import over_blocks
from catalog.heat_engine.prior import point_seconds
from catalog.names.labels import POINT
from catalog.sweeps.sweep import BLOCK_POINTS, Sweep, block_shape
from ensemble import InvalidInput

LONGEST_SECONDS = 60.0
"""Longest time predicted for a block of several points: a killed worker loses no more."""
MOST_PLACES = 100_000_000
"""Most points of the grid over all labels of scattered points: counting takes a byte for each."""
FINER = 4
"""Factor from one block size to the next smaller, so that the parts are few."""


def layout(sweep: Sweep) -> list[Sweep]:
    """Grids that together cover a sweep, each with blocks that suit the time of its points.

    All chunks of a Zarr array have one shape, so that a sweep of small and large N is laid out in
    parts: runs of consecutive N, all of the sweep's name, with fewer points a block from one to the
    next.  It is one part, the sweep itself, where its blocks are predicted to take at most
    ``LONGEST_SECONDS``, and where it says itself what its blocks should be.

    The prediction is the built-in one: a sweep is laid out in the same way on every machine.

    Examples
    --------
    >>> sweep = Sweep(name="demo", axes={"N": [1, 2, 4, 8, 128, 512], "delta_E": range(1, 101)},
    ...     scaling="high-temperature", fixed=dict(
    ...     E_1=1, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001))
    >>> [(part.axes["N"], part.blocks["delta_E"]) for part in layout(sweep)]
    [((1, 2, 4, 8), 100), ((128,), 7), ((512,), 1)]
    """
    _require_room(sweep)
    if sweep.blocks_given:
        return [sweep]
    sizes = sweep.axes.get("N", (None,))
    points = _points(sweep)
    if all(most == BLOCK_POINTS for most in points):
        return [sweep]
    runs = itertools.groupby(zip(sizes, points, strict=True), key=lambda pair: pair[1])
    return [_part(sweep, [size for size, _ in run], most) for most, run in runs]


def _require_room(sweep: Sweep) -> None:
    """Scattered points need not be many for the grid of all their labels to be huge."""
    labels = [len(set(labels)) for labels in sweep.points.values()]
    labels += [len(labels) for name, labels in sweep.axes.items() if name != POINT]
    if sweep.points and math.prod(labels) > MOST_PLACES:
        raise InvalidInput(
            f"a store lays scattered points out on the grid of their labels, which has "
            f"{' × '.join(map(str, labels))} places here, more than {MOST_PLACES}: make several "
            "sweeps, or compute the dataset without a store"
        )


def _points(sweep: Sweep) -> list[int]:
    """Most points of a block at each N such that none is predicted to take too long."""
    seconds = point_seconds(sweep)
    others = tuple(axis for axis, dim in enumerate(sweep.dims) if dim != "N")
    most, found = BLOCK_POINTS, np.zeros(len(sweep.axes.get("N", (None,))), dtype=int)
    while not found.all():
        trial = replace(sweep, blocks=block_shape(sweep.axes, {}, most))
        longest = np.atleast_1d(over_blocks(seconds, trial, np.add).max(axis=others))
        found[(found == 0) & ((longest <= LONGEST_SECONDS) | (most == 1))] = most
        most = max(most // FINER, 1)
    # Never more again as N grows, where time is not monotone: the parts stay few.
    return np.minimum.accumulate(found).tolist()


def _part(sweep: Sweep, sizes: list[int | float | None], points: int) -> Sweep:
    """The sweep at some of its sizes, in blocks of at most so many points."""
    axes = {**sweep.axes, "N": sizes} if "N" in sweep.axes else sweep.axes
    return replace(sweep, axes=axes, blocks=block_shape(axes, {}, points))  # type: ignore[arg-type]
