"""What a sweep still has to do, before it runs and while it runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.cost.block_shapes import layout
from catalog.cost.model import WRITE_SECONDS, CostModel, Tally, Work
from catalog.store.extend import lacking
from catalog.store.stored import StoredSweep
from catalog.sweeps.arrays import array_dtype
from catalog.sweeps.boxes import snapped
from catalog.sweeps.grid import Grid, Index
from catalog.sweeps.sweep import Sweep


@dataclass(frozen=True)
class Plan:
    """What a sweep still has to do.

    Attributes
    ----------
    points, blocks : int
        Size of the whole sweep.
    points_done, blocks_done : int
    core_seconds : float
        Predicted solve and write time of the missing blocks, on one core.
    core_seconds_low, core_seconds_high : float
        The truth lies between these eight times out of ten; NaN, as the two other times, where the
        model predicts nothing and nothing is stored yet.
    longest_block_seconds : float
        Predicted time of the longest missing block: no number of workers is faster.
    peak_bytes : float
        Predicted resident memory of one worker process at its largest block.
    measured_points : int
        Number of stored timings behind the prediction; 0 means the built-in prior alone.
    files : int
        Files of the finished sweep in its store.
    store_bytes : int
        Their size at most, before compression.
    """

    points: int
    points_done: int
    blocks: int
    blocks_done: int
    core_seconds: float
    core_seconds_low: float
    core_seconds_high: float
    longest_block_seconds: float
    peak_bytes: float
    measured_points: int
    files: int
    store_bytes: int


def plan(sweep: Sweep, stored: StoredSweep | None = None) -> Plan:
    """Predict the rest of a sweep, from what its store has measured; computes no point.

    Raises
    ------
    InvalidInput
        If the store cannot hold the sweep.
    """
    if stored is not None:
        sweep = snapped(sweep, stored.box)
    new = layout(sweep) if stored is None else lacking(stored, sweep)
    work = [(part, index) for part in new for index in part.block_indices()]
    blocks, left = len(work), sum(part.size for part in new)
    if stored is None:
        model = CostModel.of(sweep.grid)
    else:
        model = fitted_model(stored)
        work += [block.work for block in stored.missing(sweep)]
        blocks += len(stored.blocks(sweep))
        left += stored.points_missing(sweep)
    parts = new if stored is None else [*new, *(part.grid for part in stored.parts)]
    found = forecast(sweep, work, blocks=blocks, points_left=left, model=model)
    return replace(found, files=sum(map(files_of, parts)), store_bytes=sum(map(bytes_of, parts)))


def files_of(grid: Grid) -> int:
    """Files that a finished grid has in a store: for each chunk one of every array and a manifest,
    for each array and coordinate its metadata, for each coordinate its labels, and two more."""
    chunks = len(list(grid.chunk_indices()))
    inner = {dim for name in grid.arrays for dim in grid.term(name).dims}
    coordinates = len(grid.axes) + len(grid.fixed) + len(grid.points) + len(inner)
    return chunks * (len(grid.arrays) + 1) + len(grid.arrays) + 2 * coordinates + 2


def bytes_of(grid: Grid) -> int:
    """Bytes of the arrays of a finished grid before compression; text counts as empty."""
    total = 0
    for term in (grid.term(name) for name in grid.arrays):
        dtype = array_dtype(term)
        item = dtype.itemsize if dtype.kind != "T" else 4
        total += grid.size * math.prod(term.inner_shape) * item
    return total


def work_left(sweep: Sweep, stored: StoredSweep | None) -> list[Work]:
    """The blocks that a run of a sweep would compute, its parts still to be begun included.

    Raises
    ------
    InvalidInput
        If the store cannot hold the sweep.
    """
    new = layout(sweep) if stored is None else lacking(stored, sweep)
    begun = [] if stored is None else [block.work for block in stored.missing(sweep)]
    return [(part, index) for part in new for index in part.block_indices()] + begun


def fitted_model(stored: StoredSweep | None, grid: Grid | None = None) -> CostModel:
    """The cost model that has seen all timings of a stored sweep.

    If nothing is stored yet, the prediction of the model of the grid alone.
    """
    if stored is None:
        return CostModel() if grid is None else CostModel.of(grid)
    model = CostModel.of(stored.parts[0].grid)
    for part in stored.parts:
        model = model.with_timings(part.grid, part.whole("wall_time"))
    return model


def forecast(
    sweep: Sweep, work: Sequence[Work], *, blocks: int, points_left: int, model: CostModel
) -> Plan:
    """Predict what some blocks take.

    Parameters
    ----------
    sweep : Sweep
        What was asked for.
    work : sequence of (Grid, Index)
        The missing blocks, each a grid and an index in it.
    blocks : int
        Number of all blocks of the sweep.
    points_left : int
        Number of its points in the missing ones, which may hold others, too.
    model : CostModel
    """
    left = tally(work)
    # What a model predicts nothing of takes no one knows how long, until some of it is timed.
    known = 1.0 if model.knows or not work else math.nan
    solving, writing = model.total_seconds(left), WRITE_SECONDS * len(work)
    return Plan(
        points=sweep.size,
        points_done=sweep.size - points_left,
        blocks=blocks,
        blocks_done=blocks - len(work),
        core_seconds=known * (solving.central + writing),
        core_seconds_low=known * (solving.low + writing),
        core_seconds_high=known * (solving.high + writing),
        longest_block_seconds=known * float(model.block_seconds(work).max(initial=0.0)),
        peak_bytes=float(model.peak_bytes(work).max(initial=0.0)),
        measured_points=model.measured_points,
        files=files_of(sweep.grid),
        store_bytes=bytes_of(sweep.grid),
    )


def tally(work: Sequence[Work]) -> Tally:
    """The points of some blocks, counted by size."""
    grids: dict[int, tuple[Grid, NDArray]] = {}
    for grid, index in work:
        if id(grid) not in grids:
            grids[id(grid)] = grid, np.zeros(grid.shape, dtype=bool)
        grids[id(grid)][1][grid.block_slices(index)] = True
    return sum((Tally.of(grid, None, chosen) for grid, chosen in grids.values()), Tally())


class TimeLeft:
    """How long a run still takes, by a model that is refitted with each block that finishes.

    Parameters
    ----------
    model : CostModel
        From the timings before this run.
    work : sequence of (Grid, Index)
        The blocks to do.

    Attributes
    ----------
    model : CostModel
        It has seen the blocks that finished, too.
    core_seconds_done : float
        Measured solve time of the blocks that finished.
    """

    def __init__(self, model: CostModel, work: Sequence[Work]) -> None:
        self.model, self._left = model, tally(work)
        self.core_seconds_done = 0.0

    def finished(self, grid: Grid, index: Index, seconds: NDArray) -> None:
        """A block is stored, its points having taken these times."""
        self.model = self.model.with_timings(grid, seconds, index=index)
        self._left = self._left - Tally.of(grid, index)
        self.core_seconds_done += float(np.nansum(seconds))

    @property
    def core_seconds_left(self) -> float:
        """Predicted solve time of the other blocks."""
        return self.model.total_seconds(self._left).central

    def seconds(self, elapsed: float) -> float:
        """Predicted time left after so much of it, at as many solves side by side as so far."""
        if self._left.points and not self.core_seconds_done:
            return math.nan
        return elapsed * self.core_seconds_left / max(self.core_seconds_done, 1e-9)
