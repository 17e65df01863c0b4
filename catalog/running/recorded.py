"""Solve and store blocks as one run, which enters the history of the sweep."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from catalog.cost.model import CostModel, longest_first
from catalog.models.contract import Model
from catalog.running.block_task import Counts, Done, Elsewhere, do_block
from catalog.running.cluster import chosen
from catalog.running.executors import Executor, Needs, Task, open_executor
from catalog.running.plan import fitted_model
from catalog.running.profile import Profile
from catalog.running.stopped import stopping
from catalog.store.history import RunRecord
from catalog.store.leases import SAY_SECONDS
from catalog.store.stored import Block, StoredSweep

if TYPE_CHECKING:
    from distributed import Client

OnBlock = Callable[[Block, Counts], None]
"""Called with a block that was completed, and its points by status."""

log = logging.getLogger(__name__)

BUSY_SECONDS = 0.5
"""Time between looks at the blocks that another run is at work on."""


def connect_and_solve(
    stored: StoredSweep,
    blocks: Sequence[Block],
    model: Model,
    request: Mapping[str, Any],
    scheduler: str | Profile | Client | None,
    workers: int | None,
    on_block: OnBlock | None,
    *,
    again: bool = False,
) -> None:
    """Solve and store blocks on a scheduler; the run enters the history.

    Nothing is written before the scheduler is reached, its workers are examined and the largest
    block has been found to fit into their memory.

    Parameters
    ----------
    model : Model
        Solves the blocks.
    request : mapping
        Definition of what was asked for, as the record says it.
    again : bool
        Solve also blocks that are there.
    """
    if not blocks:
        return
    costs = fitted_model(stored, stored.grid)
    work = [block.work for block in blocks]
    tell = telling(on_block)
    with open_executor(stored.location, chosen(scheduler), workers, work, model, costs) as executor:
        solve_and_record(executor, stored, blocks, model, request, costs, tell, again=again)


def solve_and_record(
    executor: Executor,
    stored: StoredSweep,
    blocks: Sequence[Block],
    model: Model,
    request: Mapping[str, Any],
    costs: CostModel,
    on_done: Callable[[Done], None],
    *,
    again: bool = False,
) -> None:
    """Solve and store blocks by an executor that is open; the run enters the history.

    Parameters
    ----------
    model : Model
        Solves the blocks.
    request : mapping
        Definition of what was asked for, as the record says it.
    costs : CostModel
        Predicts time and memory of the blocks.
    on_done : callable
        Called in this process with each block that was completed, here or in another run.
    again : bool
        Solve also blocks that are there.

    Raises
    ------
    RunStopped
        If a block could not be completed.
    """
    if not blocks:
        return
    record = RunRecord(stored.location, stored.name, request, model.source_hash())
    assert record.number > 0  # known before it travels to the workers
    work = [block.work for block in blocks]
    needs = dict(zip(blocks, costs.peak_bytes(work).tolist(), strict=True))
    blocks = [blocks[position] for position in longest_first(work, costs)]
    points: Counter[str] = Counter()
    try:
        task = partial(do_block, model, record, again)
        with closing(_results(task, executor, blocks, needs)) as results:
            for done in results:
                points.update(done.counts if done.here else {})
                on_done(done)
        stored.settle()
    except BaseException:
        with suppress(Exception):  # what stopped the run, such as a full disk, may stop this, too
            record.finish("stopped", points)
            stored.settle()
        raise
    record.finish("complete", points)


def telling(on_block: OnBlock | None) -> Callable[[Done], None]:
    """Call a user's function, if there is one, with each block and its counts."""

    def tell(done: Done) -> None:
        if on_block is not None:
            on_block(done.block, done.counts)

    return tell


class _Waiting:
    """Says for whom a run waits, once it has nothing else to do."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.said: set[str] = set()

    def say(self, holders: Sequence[str]) -> None:
        """Log the holders that were not named yet, after some seconds."""
        new = sorted(set(holders) - self.said)
        if new and time.monotonic() - self.since > SAY_SECONDS:
            self.said |= set(new)
            log.warning("waiting for %d blocks that %s works on", len(holders), " and ".join(new))


def _results(
    task: Task, executor: Executor, blocks: Sequence[Block], needs: Needs
) -> Generator[Done, None, None]:
    """Blocks as they finish, here or elsewhere; closing the iterator cancels the rest."""
    waiting = _Waiting()
    with stopping(
        "a block could not be completed",
        "; finished blocks are stored: remove the cause and run the same command again",
    ):
        while blocks:
            elsewhere: list[Elsewhere] = []
            for done in executor(task, blocks, needs):
                if isinstance(done, Done):
                    yield done
                else:
                    elsewhere.append(done)
            # Come back to what another run has finished, or has ceased to work on.
            blocks = [done.block for done in elsewhere]
            if blocks:
                waiting.say([done.holder for done in elsewhere])
                time.sleep(BUSY_SECONDS)
