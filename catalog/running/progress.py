"""How far a run is: what it reports, and how long it still takes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.arguments import shown
from catalog.cost.model import CostModel, Tally, Work
from catalog.running.block_task import Counts, Done
from catalog.running.plan import Plan, Survey, tally
from catalog.store.stored import Block
from catalog.sweeps.grid import Grid, Index
from ensemble import InvalidInput, Status


@dataclass(frozen=True)
class RunState:
    """How far a run is.

    Attributes
    ----------
    points : int
        Points of the whole sweep.
    points_done : int
        Those that are stored.
    points_not_ok : int
        Those that were stored since the run began and whose status is not "ok".
    core_seconds_done : float
        Solve time of the blocks that finished since the run began, as measured.
    core_seconds_left : float
        Predicted solve time of the other blocks.
    seconds_left : float
        Predicted time until the run ends, at as many solves side by side as so far; NaN before the
        first block has finished.
    """

    points: int
    points_done: int
    points_not_ok: int
    core_seconds_done: float
    core_seconds_left: float
    seconds_left: float


class Progress(Protocol):
    """What an object that watches a run must have; `catalog.run` calls it in its own process."""

    def begin(self, plan: Plan, state: RunState, notes: Sequence[str]) -> None:
        """The run was accepted, and begins: what there is to do, and notes about what is stored."""

    def block_finished(
        self, block: Block, counts: Counts, wall_times: NDArray, state: RunState
    ) -> None:
        """A block is stored: its points by status, the times that they took, and the new state."""


def a_progress(name: str, value: Any) -> Any:
    """An object that watches a run."""
    if not all(callable(getattr(value, method, None)) for method in ("begin", "block_finished")):
        raise InvalidInput(
            f"{name} must have the methods begin and block_finished, but is {shown(value)}: leave "
            "it out"
        )
    return value


class Watched:
    """Keeps the state of a run, and tells it to an object that watches."""

    def __init__(self, progress: Progress, survey: Survey) -> None:
        self.progress = progress
        self.left = TimeLeft(survey.costs, survey.work)
        self.points = survey.sweep.size
        self.points_done = self.points - survey.points_left
        self.points_not_ok = 0
        self.start = time.monotonic()
        notes = survey.stored.notes() if survey.stored is not None else []
        progress.begin(survey.plan(), self.state(), notes)

    def block_finished(self, done: Done) -> None:
        """One block more is stored."""
        self.left.finished(*done.block.work, done.wall_times)
        self.points_done += sum(done.counts.values())
        self.points_not_ok += sum(done.counts.values()) - done.counts.get(Status.OK.label, 0)
        self.progress.block_finished(done.block, done.counts, done.wall_times, self.state())

    def state(self) -> RunState:
        """How far the run is now."""
        return RunState(
            self.points,
            self.points_done,
            self.points_not_ok,
            self.left.core_seconds_done,
            self.left.core_seconds_left,
            self.left.seconds(time.monotonic() - self.start),
        )


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
