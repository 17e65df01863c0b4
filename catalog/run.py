"""Complete a sweep in its store: in this process, in threads, in processes or on a cluster."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.cluster import connected
from catalog.cost import longest_first
from catalog.history import Session
from catalog.lease import Busy
from catalog.plan import model_of, work_of
from catalog.store import Block, StoredSweep
from catalog.structure import create_or_open
from catalog.sweep import Sweep
from ensemble import InvalidInput, Status

if TYPE_CHECKING:
    from distributed import Client

Counts = dict[str, int]
OnBlock = Callable[[Block, Counts], None]
Task = Callable[[Block], tuple[Block, Counts | None]]
Results = Iterator[tuple[Block, Counts | None]]
Executor = Callable[[Task, Sequence[Block]], Results]

QUEUED_PER_WORKER = 4
"""Blocks handed to a scheduler ahead of time: enough to keep it busy, few enough to stay small."""
BUSY_SECONDS = 0.5
"""Time between looks at the blocks that another run is at work on."""


class RunStopped(RuntimeError):
    """A run ended before its sweep was complete; what is finished is stored."""


def run(
    sweep: Sweep,
    store: str | Path,
    *,
    scheduler: str | Client = "processes",
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
    scheduler : {"processes", "threads", "synchronous"}, address or distributed.Client
        "processes" starts a local cluster for the duration; an address such as
        ``tcp://host:8786`` names a running scheduler.
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
    scheduler: str | Client,
    workers: int | None,
    on_block: OnBlock | None,
) -> None:
    """Solve and store blocks; the run enters the history."""
    if not blocks:
        return
    session = Session(stored.location, stored.name, sweep.definition())
    assert session.number > 0  # known before it travels to the workers
    order = longest_first(work_of(blocks), model_of(stored))
    blocks = [blocks[position] for position in order]
    points: Counter[str] = Counter()
    try:
        with closing(_results(session, blocks, scheduler, workers)) as results:
            for block, counts in results:
                points.update(counts)
                if on_block is not None:
                    on_block(block, counts)
    except BaseException:
        with suppress(Exception):  # what stopped the run, a full disk, may stop this as well
            session.finish("stopped", points)
        raise
    session.finish("complete", points)


def complete_block(session: Session, block: Block) -> tuple[Block, Counts | None]:
    """The task: solve and store a block; its points by status, None if another is at it."""
    try:
        arrays = block.part.complete(block.index, session, wait=False)
    except Busy:
        return block, None
    if arrays is None:
        arrays = block.part.read(block.index, ["status"])
    statuses = Counter(arrays["status"].ravel().tolist())
    return block, {Status(code).label: number for code, number in statuses.items()}


def _results(
    session: Session, blocks: Sequence[Block], scheduler: str | Client, workers: int | None
) -> Generator[tuple[Block, Counts], None, None]:
    """Blocks as they finish, here or elsewhere; closing the iterator cancels the rest."""
    task = partial(complete_block, session)
    try:
        with _executor(scheduler, workers or os.cpu_count() or 1, len(blocks)) as executor:
            while blocks:
                elsewhere = []
                for block, counts in executor(task, blocks):
                    if counts is None:
                        elsewhere.append(block)
                    else:
                        yield block, counts
                # Come back to what another run has finished, or has ceased to work on.
                blocks = elsewhere
                if blocks:
                    time.sleep(BUSY_SECONDS)
    except (GeneratorExit, InvalidInput):
        raise
    except Exception as failure:
        raise RunStopped(
            f"a block could not be completed ({type(failure).__name__}: {failure}); finished "
            "blocks are stored: remove the cause and run the same command again"
        ) from failure


@contextmanager
def _executor(scheduler: str | Client, workers: int, blocks: int) -> Iterator[Executor]:
    """What solves blocks, one after the other or side by side."""
    if scheduler == "synchronous":
        yield map
    elif scheduler == "threads":
        pool = ThreadPoolExecutor(workers)
        try:
            yield partial(_in_pool, pool)
        finally:
            pool.shutdown(cancel_futures=True)
    else:
        with connected(scheduler, min(workers, blocks)) as client:
            yield partial(_on_cluster, client)


def _in_pool(pool: ThreadPoolExecutor, task: Task, blocks: Sequence[Block]) -> Results:
    for future in as_completed([pool.submit(task, block) for block in blocks]):
        yield future.result()


def _on_cluster(client: Client, task: Task, blocks: Iterable[Block]) -> Results:
    from distributed import as_completed as as_futures_complete  # slow to import

    threads = sum(client.nthreads().values()) or 1
    waiting = iter(blocks)
    window = list(islice(waiting, QUEUED_PER_WORKER * threads))
    futures = as_futures_complete(client.map(task, window, pure=False), loop=client.loop)
    try:
        for future in futures:
            for block in islice(waiting, 1):
                futures.add(client.submit(task, block, pure=False))
            yield future.result()
    finally:
        client.cancel(list(futures.futures))
