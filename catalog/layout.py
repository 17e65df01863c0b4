"""Block shapes: large sizes go into parts of their own, in smaller blocks."""

from __future__ import annotations

import itertools
from dataclasses import replace

from catalog.cost import CostModel
from catalog.sweep import BLOCK_POINTS, Sweep, block_shape

LONGEST_SECONDS = 60.0
"""Predicted time of the longest block: what a killed worker loses."""
FINER = 4
"""Factor from one block size to the next smaller; so large blocks take 15 to 60 s."""


def layout(sweep: Sweep) -> tuple[Sweep, ...]:
    """Grids that together cover a sweep, each with blocks that suit the time of its points.

    All chunks of a Zarr array have one shape, so that a sweep of small and large N is laid out in
    parts: runs of consecutive N, of the same name, with fewer points a block from one part to the
    next.  It is one part, the sweep itself, wherever its blocks are predicted to take at most
    ``LONGEST_SECONDS``, and whenever it says itself what its blocks should be.

    The prediction is the built-in one: a sweep is laid out in the same way on every machine.

    Examples
    --------
    >>> sweep = Sweep(name="demo", axes={"N": [1, 2, 4, 8, 256, 512], "delta_E": range(1, 101)},
    ...     scaling="high-temperature", fixed=dict(
    ...     E_1=1, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001))
    >>> [(part.axes["N"], part.blocks["delta_E"]) for part in layout(sweep)]
    [((1, 2, 4, 8), 100), ((256,), 7), ((512,), 2)]
    """
    if sweep.blocks_given:
        return (sweep,)
    if "N" not in sweep.axes:
        points = _points(sweep, BLOCK_POINTS)
        return (sweep,) if points == BLOCK_POINTS else (_with_blocks(sweep, points),)
    sizes = sweep.axes["N"]
    points = [BLOCK_POINTS]
    for N in sizes:  # never more points again: the parts are few, also where time is not monotone
        points.append(_points(_with_sizes(sweep, [N]), points[-1]))
    if points[-1] == BLOCK_POINTS:
        return (sweep,)
    runs = itertools.groupby(zip(sizes, points[1:], strict=True), key=lambda pair: pair[1])
    return tuple(_with_blocks(_with_sizes(sweep, [N for N, _ in run]), most) for most, run in runs)


def _points(sweep: Sweep, most: int) -> int:
    """Points a block, at most so many, with which no block is predicted to take too long."""
    while most > 1:
        trial = _with_blocks(sweep, most)
        work = [(trial, index) for index in trial.block_indices()]
        if CostModel().block_seconds(work).max() <= LONGEST_SECONDS:
            break
        most //= FINER
    return max(most, 1)


def _with_blocks(sweep: Sweep, points: int) -> Sweep:
    return replace(sweep, blocks=block_shape(sweep.axes, {}, points))


def _with_sizes(sweep: Sweep, sizes: list[int | float]) -> Sweep:
    return replace(sweep, axes={**sweep.axes, "N": sizes}, blocks={})
