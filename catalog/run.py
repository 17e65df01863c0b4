"""Complete a sweep in its store: in this process, in threads, in processes or on a cluster."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.admission import Admission, machine_memory, require_fitting
from catalog.cluster import ClusterLost, connected
from catalog.cost import longest_first
from catalog.history import Session
from catalog.lease import SAY_SECONDS, Busy
from catalog.plan import fitted_model
from catalog.profile import Profile
from catalog.solving import complete_block
from catalog.store import Block, StoredSweep
from catalog.structure import create_or_open
from catalog.sweep import Sweep
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
    from distributed import Client

Counts = dict[str, int]
OnBlock = Callable[[Block, Counts], None]
Task = Callable[[Block], "Done"]
Results = Iterator["Done"]
Executor = Callable[[Task, Sequence[Block]], Results]
Needs = Mapping[Block, float]
"""Predicted bytes of a process that solves each block."""
CPUS = os.cpu_count() or 1

log = logging.getLogger(__name__)

BUSY_SECONDS = 0.5
"""Time between looks at the blocks that another run is at work on."""


class RunStopped(RuntimeError):
    """A run ended before its sweep was complete; what is finished is stored."""


def run(
    sweep: Sweep,
    store: str | Path,
    *,
    scheduler: str | Profile | Client = "processes",
    workers: int | None = None,
    on_block: OnBlock | None = None,
) -> Counts:
    """Compute and store the points of a sweep that a store lacks.

    It may be killed at any moment and repeated: finished blocks are never computed again, and the
    stored values do not depend on the interruption or on the scheduler (their ``wall_time`` does).
    Several runs at once share the work: each block is solved by one of them.

    Parameters
    ----------
    sweep : Sweep
        If the store has a sweep of that name with other labels, it is extended.
    store : path or URL
        A Zarr store, begun if need be; every worker must reach it.
    scheduler : {"processes", "threads", "synchronous"}, address, Profile or distributed.Client
        "processes" starts a local cluster for the duration; an address such as
        ``tcp://host:8786`` names a running scheduler; a profile submits batch jobs.
    workers : int, optional
        Number of local threads or processes; the number of CPUs by default.
    on_block : callable, optional
        Called in this process with each block that was completed, here or in a run at the same
        time, and its counts of points by status label.

    Returns
    -------
    dict of str to int
        Points by status label, over the whole sweep.

    Raises
    ------
    InvalidInput
        If the store cannot hold this sweep, or the scheduler cannot be reached.
    RunStopped
        If a block could not be completed (disk full, worker lost); run again to go on.
    """
    if workers is not None and workers < 1:
        raise InvalidInput(f"workers must be at least 1, but is {workers}: use 1, 2, …")
    stored = create_or_open(store, sweep)
    complete(stored, stored.missing(sweep), sweep, scheduler, workers, on_block)
    return stored.counts(sweep)


def complete(
    stored: StoredSweep,
    blocks: Sequence[Block],
    sweep: Sweep,
    scheduler: str | Profile | Client,
    workers: int | None,
    on_block: OnBlock | None,
    *,
    again: bool = False,
) -> None:
    """Solve and store blocks; the run enters the history.

    Parameters
    ----------
    again : bool
        Solve also blocks that are there.
    """
    if not blocks:
        stored.settle()
        return
    session = Session(stored.location, stored.name, sweep.definition())
    assert session.number > 0  # known before it travels to the workers
    model = fitted_model(stored)
    work = [block.work for block in blocks]
    needs = dict(zip(blocks, model.peak_bytes(work).tolist(), strict=True))
    blocks = [blocks[position] for position in longest_first(work, model)]
    points: Counter[str] = Counter()
    try:
        with closing(_results(session, blocks, needs, scheduler, workers, again)) as results:
            for done in results:
                points.update(done.counts if done.here else {})
                if on_block is not None:
                    on_block(done.block, done.counts)
        stored.settle()
    except BaseException:
        with suppress(Exception):  # what stopped the run, a full disk, may stop this as well
            session.finish("stopped", points)
            stored.settle()
        raise
    session.finish("complete", points)


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


@dataclass(frozen=True)
class Done:
    """What became of a block.

    Attributes
    ----------
    block : Block
    counts : dict of str to int
        Its points by status; empty while somebody else is at it.
    here : bool
        Whether it was solved by this run.
    holder : str
        Who else is at it, in words.
    """

    block: Block
    counts: Counts
    here: bool = True
    holder: str = ""


def do_block(session: Session, again: bool, block: Block) -> Done:
    """The task: solve and store a block, unless somebody else is at it or has done it."""
    try:
        arrays = complete_block(block.part, block.index, session, wait=False, again=again)
    except Busy as busy:
        return Done(block, {}, here=False, holder=busy.holder)
    here = arrays is not None
    if arrays is None:
        arrays = block.part.read(block.index, ["status"])
    statuses = Counter(arrays["status"].ravel().tolist())
    counts = {Status(code).label: number for code, number in statuses.items()}
    return Done(block, counts, here)


def _results(
    session: Session,
    blocks: Sequence[Block],
    needs: Needs,
    scheduler: str | Profile | Client,
    workers: int | None,
    again: bool,
) -> Generator[Done, None, None]:
    """Blocks as they finish, here or elsewhere; closing the iterator cancels the rest."""
    task = partial(do_block, session, again)
    waiting = _Waiting()
    try:
        with _executor(session.location, scheduler, workers or CPUS, needs) as executor:
            while blocks:
                elsewhere = []
                for done in executor(task, blocks):
                    if done.counts:
                        yield done
                    else:
                        elsewhere.append(done)
                # Come back to what another run has finished, or has ceased to work on.
                blocks = [done.block for done in elsewhere]
                if blocks:
                    waiting.say([done.holder for done in elsewhere])
                    time.sleep(BUSY_SECONDS)
    except (GeneratorExit, InvalidInput):
        raise
    except ClusterLost as failure:
        raise RunStopped(str(failure)) from failure
    except Exception as failure:
        raise RunStopped(
            f"a block could not be completed ({type(failure).__name__}: {failure}); finished "
            "blocks are stored: remove the cause and run the same command again"
        ) from failure


@contextmanager
def _executor(
    location: str, scheduler: str | Profile | Client, workers: int, needs: Needs
) -> Iterator[Executor]:
    """What solves blocks, one after the other or side by side."""
    if scheduler == "synchronous":
        require_fitting(needs, machine_memory())
        yield map
    elif scheduler == "threads":
        require_fitting(needs, machine_memory())
        pool = ThreadPoolExecutor(workers)
        try:
            yield partial(_in_pool, pool, workers, needs)
        finally:
            pool.shutdown(cancel_futures=True)
    else:
        if isinstance(scheduler, Profile):  # known before a job waits in the queue
            require_fitting(needs, scheduler.worker_bytes)
        with connected(scheduler, workers, blocks=len(needs)) as client:
            yield partial(_on_cluster, client, needs, location)


def _in_pool(
    pool: ThreadPoolExecutor, workers: int, needs: Needs, task: Task, blocks: Sequence[Block]
) -> Results:
    admission = Admission(blocks, [needs[block] for block in blocks], memory=machine_memory())
    running: dict[Future, Block] = {}
    while admission.waiting or running:
        for block in admission.take(workers):
            running[pool.submit(task, block)] = block
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            admission.leave(running.pop(future))
            yield future.result()


def _on_cluster(
    client: Client, needs: Needs, location: str, task: Task, blocks: Sequence[Block]
) -> Results:
    from catalog.dispatch import completed  # slow to import

    yield from completed(
        client, task, blocks, [needs[block] for block in blocks], location=location
    )
