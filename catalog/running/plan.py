"""What a sweep still has to do before it runs, from one look at its store."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.arguments import checked, instance, optional
from catalog.cost.block_shapes import layout
from catalog.cost.model import WRITE_SECONDS, CostModel, Tally, Work
from catalog.store.extend import lacking
from catalog.store.stored import RUNNING, Block, StoredSweep
from catalog.sweeps.argument import a_sweep
from catalog.sweeps.arrays import array_dtype
from catalog.sweeps.boxes import pieces
from catalog.sweeps.grid import Grid
from catalog.sweeps.sweep import Sweep
from ensemble import Status

a_stored_sweep = instance(StoredSweep, "get one from find_stored or open")


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
        The true time is between these in eight cases of ten.  They are NaN, as the two other
        times, where the model predicts nothing and nothing is stored yet.
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


@checked(sweep=a_sweep, stored=optional(a_stored_sweep))
def plan(sweep: Sweep, stored: StoredSweep | None = None) -> Plan:
    """Predict the rest of a sweep, from what its store has measured; computes no point.

    Raises
    ------
    InvalidInput
        If the store cannot hold the sweep.
    """
    return survey(sweep, stored).plan()


@dataclass(frozen=True)
class Survey:
    """What a sweep still has to do, from one look at its store.

    Attributes
    ----------
    sweep : Sweep
        What was asked for.
    stored : StoredSweep or None
        What its store holds of it, if anything.
    new : list of Grid
        The parts that are not created yet.
    missing : list of Block
        The blocks of its other parts that are not complete.
    blocks : int
        Number of all blocks, complete or not.
    points_left : int
        Number of its points that are not computed.
    costs : CostModel
        Fitted to the stored timings.
    """

    sweep: Sweep
    stored: StoredSweep | None
    new: list[Grid]
    missing: list[Block]
    blocks: int
    points_left: int
    costs: CostModel

    @cached_property
    def work(self) -> list[Work]:
        """The blocks that a run has to compute, also those of parts that are not created yet."""
        begun = [block.work for block in self.missing]
        return [(part, index) for part in self.new for index in part.block_indices()] + begun

    def blocks_in(self, stored: StoredSweep) -> list[Block]:
        """The blocks that a run has to compute, once the missing parts are created."""
        known = {part.group for part in self.stored.parts} if self.stored is not None else set()
        if {part.group for part in stored.parts} == known:
            return self.missing
        of_sweep = stored.blocks(self.sweep)
        return self.missing + [block for block in of_sweep if block.part.group not in known]

    def plan(self) -> Plan:
        """The forecast of a run."""
        found = forecast(
            self.sweep,
            self.work,
            blocks=self.blocks,
            points_left=self.points_left,
            model=self.costs,
        )
        begun = self.stored.parts if self.stored is not None else ()
        parts = [*self.new, *(part.grid for part in begun)]
        return replace(
            found, files=sum(map(files_of, parts)), store_bytes=sum(map(bytes_of, parts))
        )


def survey(sweep: Sweep, stored: StoredSweep | None) -> Survey:
    """Look once at a stored sweep for the points that another sweep still needs there.

    Raises
    ------
    InvalidInput
        If the store cannot hold the sweep.
    """
    new = layout(sweep) if stored is None else lacking(stored, sweep)
    blocks = sum(math.prod(part.block_grid) for part in new)
    points_left = sum(part.size for part in new)
    missing: list[Block] = []
    if stored is not None:
        finished = {part.group: part.finished() for part in stored.parts}
        begun = stored.blocks(sweep)
        blocks += len(begun)
        missing = [block for block in begun if block.index not in finished[block.part.group]]
        points_left += _points_missing(stored, sweep, missing)
    return Survey(
        sweep, stored, new, missing, blocks, points_left, fitted_model(stored, sweep.grid)
    )


def _points_missing(stored: StoredSweep, sweep: Sweep, missing: list[Block]) -> int:
    """Number of a sweep's points in blocks that are not complete."""
    if sweep.points:
        counts = stored.counts(sweep)
        return counts[Status.NOT_COMPUTED.label] + counts[RUNNING]
    box, waiting = stored.box_of(sweep), set(missing)
    parts = {block.part.group: block.part for block in missing}
    return sum(
        piece.size
        for part in parts.values()
        for piece in pieces(part.grid, box)
        if Block(part, piece.index) in waiting
    )


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


def fitted_model(stored: StoredSweep | None, grid: Grid) -> CostModel:
    """The cost model that has seen all timings of a stored sweep.

    If nothing is stored yet, the prediction of the model of the grid alone.
    """
    if stored is None:
        return CostModel.of(grid)
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
    # Where the model predicts nothing, the time is unknown until some points have been timed.
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
